"""Gather the codes of all shards into one table, in the order of the photo ids."""

import numpy as np

from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.common.rows import save_rows
from facies.common.store import Store, read_manifests
from facies.projection.gate import MEASURES

LARGE = {"codes": "codes", "images": "image"}


def column(store: Store, keys: list[str], name: str):
    """One array of each item, item after item."""
    for key in keys:
        yield store.load("latents", key, name)[name]


def main(job):
    items, store = read_manifests(job.input.manifests), Store(job.params.store)
    aligned = read_table(job.input.aligned)
    photo_ids = sorted(aligned.photo_id[aligned.used == 1])
    keys = [items[photo]["key"] for photo in photo_ids]
    large = {name: column(store, keys, own) for name, own in LARGE.items()}
    loaded = [store.load("latents", key, *MEASURES) for key in keys]
    small = {name: np.stack([item[name] for item in loaded]) for name in MEASURES}
    ids = np.array(photo_ids)
    save_rows(job.output.latents, len(ids), photo_ids=ids, **large, **small)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
