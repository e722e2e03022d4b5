"""Gather the codes of all shards into one table, in the order of the photo ids."""

import json

import numpy as np

from facies.features import read_table
from facies.gate import MEASURES
from facies.jobs import run_job
from facies.store import Store

COLUMNS = {"codes": "codes", "image": "images"} | {name: name for name in (*MEASURES, "steps")}


def main(job):
    items = {}
    for path in job.input.manifests:
        with open(path) as file:
            items |= json.load(file)["items"]
    store = Store(job.params.store)
    aligned = read_table(job.input.aligned)
    photo_ids = sorted(aligned.photo_id[aligned.used == 1])
    loaded = [store.load("latents", items[photo]["key"]) for photo in photo_ids]
    columns = {name: np.stack([row[key] for row in loaded]) for key, name in COLUMNS.items()}
    np.savez(job.output.latents, photo_ids=np.array(photo_ids), **columns)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
