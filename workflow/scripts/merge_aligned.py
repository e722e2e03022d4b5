"""Gather all shards: one table with a row for every photo, one file with the usable crops."""

import json
import sys
from collections import Counter

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.common.rows import save_rows
from facies.common.store import Store, read_manifests
from facies.photos.visibility import reason

COPY = "the very picture of another photo_id; one of them was kept"
CONTRADICTION = "the very picture of another patient, one dead and one alive; find out whose it is"


def refuse_copies(items: dict, photos: pd.DataFrame, patients: pd.DataFrame) -> None:
    """Give a reason to photos of the cohort whose very bytes stand there before.

    Two patients with one picture are mostly one person with two ids, who would stand in training
    and in test. Where their outcomes contradict each other, neither can be believed.
    """
    known = photos.merge(patients[["patient_id", "event"]])
    known = known[known.photo_id.map(lambda photo: items[photo]["reason"] is None)]
    for _, same in known.groupby(known.photo_id.map(lambda photo: items[photo]["key"])):
        agree = same.event.nunique() == 1
        for photo in sorted(same.photo_id)[1:] if agree else same.photo_id:
            items[photo]["reason"] = COPY if agree else CONTRADICTION


def summary(rows: list[dict]) -> str:
    """How many photos were left out, and the most frequent reasons."""
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    lines = [f"{count:6d}  {reason}" for reason, count in reasons.most_common(3)]
    more = ["        ..."] if len(reasons) > 3 else []
    return "\n".join([f"{sum(reasons.values())} of {len(rows)} photos left out", *lines, *more])


def main(job):
    items = read_manifests(job.input.manifests)
    photos = read_table(job.input.photos)
    refuse_copies(items, photos, read_table(job.input.patients))
    store = Store(job.params.store)
    rows, photo_ids = [], []
    for photo_id, place in sorted(items.items()):
        meta = json.loads(str(store.load("aligned", place["key"], "meta")["meta"]))
        meta |= {"reason": place["reason"]}
        rows.append({"photo_id": photo_id, "used": int(meta["reason"] is None)} | meta)
        if meta["reason"] is None:
            rows[-1]["covered"] = reason(meta)  # where the config keeps such photos
            photo_ids.append(photo_id)
            quad = store.load("aligned", place["key"], "quad")["quad"]
            rows[-1] |= {f"quad_{i}": round(float(v), 2) for i, v in enumerate(quad.ravel())}
    told = summary(rows)
    if not photo_ids:
        raise InputError(f"no photo could be aligned: {told}")
    print(told)
    if len(photo_ids) < len(rows):
        # Beside the log, for who watches the run.
        print(f"{told}\n        which ones: {job.output.table}", file=sys.__stderr__)
    pd.DataFrame(rows).to_csv(job.output.table, index=False)
    # Photos of patients whom the cohort left out stand for themselves.
    known = dict(zip(photos.photo_id, photos.patient_id, strict=True))
    patients = [known.get(photo, photo) for photo in photo_ids]
    images = (store.load("aligned", items[photo]["key"], "image")["image"] for photo in photo_ids)
    save_rows(
        job.output.photos,
        len(photo_ids),
        photo_ids=np.array(photo_ids),
        patient_ids=np.array(patients),
        images=images,
    )


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
