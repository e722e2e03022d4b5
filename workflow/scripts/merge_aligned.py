"""Gather all shards: one table with a row for every photo, one file with the usable crops."""

import sys

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.common.rows import save_rows
from facies.common.store import Store, read_manifests
from facies.photos.duplicates import exclude_duplicates
from facies.photos.table import alignment_rows, exclusions


def main(job):
    items, store = read_manifests(job.input.manifests), Store(job.params.store)
    photos = read_table(job.input.photos)
    exclude_duplicates(items, photos, read_table(job.input.patients))
    rows = alignment_rows(items, store)
    photo_ids, summary = [row["photo_id"] for row in rows if row["used"]], exclusions(rows)
    if not photo_ids:
        raise InputError(f"no photo could be aligned: {summary}")
    print(summary)
    if len(photo_ids) < len(rows):
        # Beside the log, for who watches the run.
        print(f"{summary}\n        which ones: {job.output.table}", file=sys.__stderr__)
    pd.DataFrame(rows).to_csv(job.output.table, index=False)
    # Photos of patients whom the cohort left out stand for themselves.
    owners = dict(zip(photos.photo_id, photos.patient_id, strict=True))
    images = (store.load("aligned", items[photo]["key"], "image")["image"] for photo in photo_ids)
    save_rows(
        job.output.photos,
        len(photo_ids),
        photo_ids=np.array(photo_ids),
        patient_ids=np.array([owners.get(photo, photo) for photo in photo_ids]),
        images=images,
    )


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
