"""Tables and JSON files of the workflow."""

import json

import numpy as np
import pandas as pd


def read_table(path) -> pd.DataFrame:
    """A CSV table of the workflow: ids are text and only an empty cell is missing."""
    ids = {"photo_id": str, "patient_id": str}
    return pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""])


def write_json(path, value):
    """Write ``value`` as JSON, NaN as null."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(_plain(value), file, indent=1)


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
