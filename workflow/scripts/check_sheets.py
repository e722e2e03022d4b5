"""Read another hospital's sheets before its photos are touched; write how columns were read."""

from facies.bundle.locked import load_bundle
from facies.bundle.sheets import read_both
from facies.common.jobs import run_job


def main(job):
    bundle, outcome = load_bundle(job.input.bundle), job.params.outcome
    photos, sheet = read_both(
        job.input.photos, job.input.patients, bundle, *outcome, job.params.columns
    )
    sheet.columns.to_csv(job.output.columns, index=False)
    print(f"{len(photos)} photos, {len(sheet.clinical)} patients")
    print("\n".join(sheet.notes))


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
