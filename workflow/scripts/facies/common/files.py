"""Tables and JSON files of results."""

import json
from pathlib import Path

import numpy as np
import pandas as pd


def read_table(path) -> pd.DataFrame:
    """A CSV table of results: ids are text, and only an empty cell is missing."""
    ids = {"photo_id": str, "patient_id": str}
    return pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""])


def read_json(path):
    """The value in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path, value) -> None:
    """Write ``value`` as JSON; NaN and infinity, which JSON does not have, as null."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(_finite(value), file, indent=1, allow_nan=False)


def _finite(value):
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
