"""Check both sheets; write the usable rows, how columns were read, and the flow of exclusions."""

from facies.cohort.sheets import Cohort, Columns, check_cohort
from facies.common.errors import InputError
from facies.common.files import write_json
from facies.common.jobs import run_job
from facies.photos.alignment import QUALITY
from facies.survival.folds import refuse_few


def refuse_unmeasured(columns: Columns, cohort: Cohort) -> None:
    """Refuse columns to explain scores by that nothing will hold, hours before they are needed."""
    measured = [*columns.clinical, *cohort.named, *QUALITY, "colour_profile"]
    if unknown := [name for name in columns.explained if name not in measured]:
        raise InputError(
            f"explanation.columns: no column {unknown[0]}: it is none of the photos' sheet, of "
            f"cohort.clinical ({', '.join(columns.clinical)}), or of what every photo is measured "
            f"by ({', '.join(QUALITY)}, colour_profile)"
        )


def main(job):
    names = {k: tuple(v) if isinstance(v, list) else v for k, v in job.params.columns.items()}
    columns = Columns(**names)
    cohort = check_cohort(job.input.photos, job.input.patients, columns)
    refuse_unmeasured(columns, cohort)
    # Not of the params: another number of inner folds changes none of the tables.
    refuse_few(cohort.patients, job.params.folds, job.config["survival"]["inner_folds"])
    cohort.photos.to_csv(job.output.photos, index=False)
    cohort.patients.to_csv(job.output.patients, index=False)
    cohort.named.to_csv(job.output.named, index=False)
    cohort.columns.to_csv(job.output.columns, index=False)
    write_json(job.output.flow, cohort.flow)
    for row in cohort.columns.itertuples():
        written = f", {row.written}" if row.written else ""
        print(f"{row.column}: {row.kind}{written}, {row.holds}; {row.missing} missing")
    for note in cohort.flow["notes"]:
        print(note)
    print(f"{len(cohort.photos)} photos of {len(cohort.patients)} patients")
    print(f"{len(cohort.flow['excluded'])} rows left out")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
