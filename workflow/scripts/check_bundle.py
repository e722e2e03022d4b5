"""Refuse a bundle that was changed, or that another version of the workflow would apply wrongly."""

from facies.bundle.locked import load_bundle
from facies.bundle.schema import NETWORKS, SETTINGS
from facies.common.errors import InputError
from facies.common.files import write_json
from facies.common.jobs import run_job
from facies.generator.checkpoints import load_networks


def refuse_unknown_settings(path, photos: dict) -> None:
    """InputError for settings of a card that no part of this version takes."""
    for name, known in SETTINGS.items():
        if unknown := sorted(photos[name].keys() - known.keys()):
            raise InputError(
                f"{path}: photos.{name} of its card cannot be used (there is no {unknown[0]:.40}); "
                "use the version that made it"
            )


def main(job):
    card = load_bundle(job.input.bundle).card
    if odd := [name for name, code in job.params.applied.items() if card["code"].get(name) != code]:
        raise InputError(
            f"{job.input.bundle}: made by a version of the workflow that does otherwise in: "
            f"{', '.join(odd)}; use the version that made it"
        )
    refuse_unknown_settings(job.input.bundle, card["photos"])
    size = card["photos"]["resolution"]
    if any(n.img_resolution != size for n in load_networks(job.input.bundle, *NETWORKS)):
        raise InputError(f"{job.input.bundle}: its networks are not of {size} pixels")
    write_json(job.output.card, card)
    print(f"the bundle is whole: {card['digest']}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
