"""Render the missing portraits of one shard of the demo."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facies.cohort.ids import ID
from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError
from facies.common.jobs import run_job
from facies.common.store import digest, shard_of, write_manifest
from facies.demo.portraits import Portrait, render


def draw(parameters: dict, path: Path) -> None:
    """Write one JPEG atomically: under a temporary name, then renamed."""
    beside = path.with_suffix(".tmp")
    Image.fromarray(render(Portrait(**parameters))[0]).save(beside, "JPEG", quality=92)
    os.replace(beside, path)


def read_portraits(path: str) -> pd.DataFrame:
    """The sheet of parameters; InputError for ids that could lead out of the folder of photos."""
    portraits = pd.read_csv(path, dtype={"photo_id": str})
    bad = np.flatnonzero(~portraits.photo_id.fillna("").map(lambda i: bool(ID.fullmatch(i))))
    if len(bad):
        raise InputError(
            f"{path}: row {bad[0] + 2}: photo_id may hold letters, digits, - and _ only; change it"
        )
    return portraits


def refuse_real_cohort(sheet: str, portraits: pd.DataFrame) -> None:
    """InputError for a sheet with other photos, among which no demo must be rendered."""
    others = set(read_sheet(sheet, ["photo_id"]).photo_id) - set(portraits.photo_id)
    if others:
        raise InputError(
            f"{sheet}: {min(others)} is no photo of the demo; for your own photos "
            "set cohort.demo: null in your config"
        )


def main(job):
    shard = int(job.wildcards.shard)
    portraits = read_portraits(job.params.portraits)
    refuse_real_cohort(job.params.photos, portraits)
    folder = Path(job.params.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    items = {}
    for row in portraits.to_dict("records"):
        photo_id = row.pop("photo_id")
        if shard_of(photo_id, job.params.shards) != shard:
            continue
        items[photo_id] = digest(row, job.params.code)
        path, rendered = folder / f"{photo_id}.jpg", folder / f".{photo_id}.digest"
        if not (
            path.exists()
            and rendered.exists()
            and rendered.read_text(encoding="utf-8") == items[photo_id]
        ):
            draw(row, path)
            rendered.write_text(items[photo_id], encoding="utf-8")
    write_manifest(job.output.manifest, items)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
