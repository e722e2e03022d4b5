"""Quality control of reconstructions: list the photos that fail, and which go on."""

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.projection.gate import MEASURES, Gate, quality_control


def main(job):
    with np.load(job.input.latents, allow_pickle=False) as file:
        measures = pd.DataFrame({name: file[name] for name in ("photo_ids", *MEASURES)})
    gate = Gate(**job.params.gate)
    table = quality_control(measures.rename(columns={"photo_ids": "photo_id"}), gate)
    failed = table.reason.dropna()
    if not table.used.any():
        raise InputError(
            f"none of {len(table)} photos passes projection.gate, most of them: "
            f"{failed.mode()[0]}; let projection run longer, or set gate.action to keep"
        )
    photos, folds = read_table(job.input.photos), read_table(job.input.folds)
    passed = photos[photos.photo_id.isin(table.photo_id[table.used == 1])]
    table.to_csv(job.output.table, index=False, float_format="%.6g")
    passed.to_csv(job.output.photos, index=False)
    folds[folds.patient_id.isin(passed.patient_id)].to_csv(job.output.folds, index=False)
    left_out = (table.used == 0).sum()
    print(f"{len(failed)} of {len(table)} photos fail quality control, {left_out} left out")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
