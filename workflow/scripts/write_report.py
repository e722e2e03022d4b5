"""Write the report: one HTML file."""

from pathlib import Path

import numpy as np
import pandas as pd

from facies.common.files import read_json
from facies.common.jobs import run_job
from facies.common.rows import Rows
from facies.report.pages import build

LARGE = {"images", "codes"}
PICTURES = ("before", "samples", "strip", "walks", "moving", "maps")
PICTURES += ("examples", "edited", "edited_moving", "mapped")  # of patients, where they may be


def arrays(path: str) -> dict:
    """The arrays of a file; the large ones stay there until rows of them are asked for."""
    with np.load(path, allow_pickle=False) as file:
        return {name: Rows(path, name) if name in LARGE else file[name] for name in file.files}


def main(job):
    paths = job.input
    words = ("summary", "measures", "curves", "permutation", "quality", "reliance")
    words += ("direction", "edits", "attribution")
    data = {name: read_json(paths[name]) for name in words}
    data |= {name: arrays(paths[name]) for name in ("aligned", "latents", "closest")}
    data |= {name: paths.get(name) for name in PICTURES}
    data["columns"] = pd.read_csv(paths.columns, dtype=str, keep_default_na=False)
    data["table"] = pd.read_csv(paths.table, dtype={"photo_id": str})
    data["gate"] = pd.read_csv(paths.gate, dtype={"photo_id": str})
    data["log"] = pd.read_csv(paths.log)
    html = build(data, job.params.config, job.params.benchmarks, Path(paths.template))
    Path(job.output.report).write_text(html, encoding="utf-8")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
