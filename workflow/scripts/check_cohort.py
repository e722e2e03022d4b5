"""Check both sheets; write the usable rows and the flow of exclusions."""

import json
from pathlib import Path

from facies.cohort import Columns, check_cohort
from facies.jobs import run_job


def main(job):
    names = job.params.columns
    columns = Columns(names["time"], names["event"], tuple(names["clinical"]))
    cohort = check_cohort(job.input.photos, job.input.patients, columns)
    cohort.photos.to_csv(job.output.photos, index=False)
    cohort.patients.to_csv(job.output.patients, index=False)
    Path(job.output.flow).write_text(json.dumps(cohort.flow, indent=1), encoding="utf-8")
    print(f"{len(cohort.photos)} photos of {len(cohort.patients)} patients")
    print(f"{len(cohort.flow['excluded'])} rows left out")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
