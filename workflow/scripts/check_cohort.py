"""Check both sheets; write the usable rows, how columns were read, and the flow of exclusions."""

from facies.cohort.sheets import Cohort, Columns, check_cohort
from facies.common.errors import InputError
from facies.common.files import write_json
from facies.common.jobs import run_job
from facies.photos.alignment import QUALITY
from facies.survival.folds import refuse_few


def refuse_unmeasured(columns: Columns, cohort: Cohort) -> None:
    """Refuse missing columns of explanation.columns now, not hours later when they are needed."""
    available = [*columns.clinical, *cohort.named, *QUALITY, "colour_profile"]
    if missing := [name for name in columns.explained if name not in available]:
        raise InputError(
            f"explanation.columns: no column {missing[0]}: it is none of the photos' sheet, of "
            f"cohort.clinical ({', '.join(columns.clinical)}), or of the measures of each photo "
            f"({', '.join(QUALITY)}, colour_profile)"
        )


def main(job):
    names = {k: tuple(v) if isinstance(v, list) else v for k, v in job.params.columns.items()}
    columns = Columns(**names)
    cohort = check_cohort(job.input.photos, job.input.patients, columns)
    refuse_unmeasured(columns, cohort)
    # Not a param: the number of inner folds changes none of the tables.
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
