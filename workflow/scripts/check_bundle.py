"""Refuse a bundle that was changed, or that another version of the workflow would apply wrongly."""

import json
from pathlib import Path

from facies.bundle import load_bundle
from facies.errors import InputError
from facies.jobs import run_job


def main(job):
    card = load_bundle(job.input.bundle).card
    if odd := [name for name, code in job.params.applied.items() if card["code"].get(name) != code]:
        raise InputError(
            f"{job.input.bundle}: made by a version of the workflow that does otherwise in: "
            f"{', '.join(odd)}; use the version that made it"
        )
    Path(job.output.card).write_text(json.dumps(card, indent=1, sort_keys=True), encoding="utf-8")
    print(f"the bundle is whole: {card['digest']}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
