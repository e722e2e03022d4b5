"""Measure what each used photo tells besides the face."""

import json
from pathlib import Path

import pandas as pd

from facies import nuisance
from facies.cohort import read_sheet
from facies.columns import named_columns
from facies.features import read_table
from facies.jobs import run_job
from facies.store import Store, read_manifests


def main(job):
    p, items = job.params, read_manifests(job.input.manifests)
    aligned = read_table(job.input.aligned)
    used = aligned.photo_id[aligned.used == 1]
    sheet = read_sheet(job.input.photos, list(dict.fromkeys(["photo_id", "path", *p.columns])))
    own = named_columns(sheet, p.columns).add_prefix("own_")
    path_of = dict(zip(sheet.photo_id, sheet.path, strict=True))
    store, rows = Store(p.store), []
    for photo in used:
        item = store.load("aligned", items[photo]["key"])
        size = Path(p.folder, path_of[photo]).stat().st_size
        measured = nuisance.measures(item, json.loads(str(item["meta"])), size)
        rows.append({"photo_id": photo} | measured)
    profile = nuisance.profiles(aligned.set_index("photo_id").colour_profile[used])
    if profile.nunique() > 1:
        own["colour_profile"] = sheet.photo_id.map(profile)
    table = pd.DataFrame(rows).merge(own.assign(photo_id=sheet.photo_id))
    table.to_csv(job.output.table, index=False, float_format="%.6g")
    print(f"{len(table)} photos, {table.shape[1] - 1} nuisances")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
