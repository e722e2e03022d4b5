"""Measure what each used photo shows besides the face."""

import json

import pandas as pd

from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.common.store import Store, read_manifests
from facies.photos.paths import photo_file
from facies.reliance import nuisance


def main(job):
    p, items = job.params, read_manifests(job.input.manifests)
    aligned = read_table(job.input.aligned)
    used = aligned.photo_id[aligned.used == 1]
    named = read_table(job.input.named).set_index("photo_id")
    store, rows = Store(p.store), []
    for photo in used:
        item = store.load("aligned", items[photo]["key"])
        size = photo_file(p.folder, named.path[photo]).stat().st_size
        measured = nuisance.measures(item, json.loads(str(item["meta"])), size)
        rows.append({"photo_id": photo} | measured)
    profiles = aligned.set_index("photo_id").colour_profile[used]
    categories = nuisance.categories(named[p.columns], profiles)
    table = pd.DataFrame(rows).merge(categories.reset_index())
    table.to_csv(job.output.table, index=False, float_format="%.6g")
    print(f"{len(table)} photos, {table.shape[1] - 1} nuisances")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
