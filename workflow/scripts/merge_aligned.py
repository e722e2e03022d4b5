"""Gather all shards: one table with a row for every photo, one file with the usable crops."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from facies.errors import InputError
from facies.jobs import run_job
from facies.store import Store

ARRAYS = {"image": "images", "regions": "regions", "landmarks": "landmarks"}


def main(job):
    items = {}
    for path in job.input.manifests:
        items |= json.loads(Path(path).read_text())["items"]
    store = Store(job.params.store)
    rows, used = [], []
    for photo_id in sorted(items):
        item = store.load("aligned", items[photo_id]["key"])
        meta = json.loads(str(item["meta"]))
        rows.append({"photo_id": photo_id, "used": int(meta["reason"] is None)} | meta)
        if meta["reason"] is None:
            used.append((photo_id, item))
            rows[-1] |= {
                f"quad_{i}": round(float(v), 2) for i, v in enumerate(item["quad"].ravel())
            }
    pd.DataFrame(rows).to_csv(job.output.table, index=False)
    if not used:
        raise InputError("no photo of the cohort could be aligned; see the reasons in its table")
    arrays = {name: np.stack([item[key] for _, item in used]) for key, name in ARRAYS.items()}
    np.savez(job.output.photos, photo_ids=np.array([photo for photo, _ in used]), **arrays)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
