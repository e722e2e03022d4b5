"""Drift of patients who were moved."""

import numpy as np
import pandas as pd

from facies.bundle.drift import drift
from facies.bundle.locked import (
    Bundle,
    moments,
)
from facies.bundle.schema import MEASURES

N_MEASURES = sum(len(names) for names in MEASURES.values())


def bundle_of(n=200, p=40, seed=2):
    """A bundle of patients whose codes and measures are standard normal."""
    values = np.random.default_rng(seed).normal(size=(n, p))
    arrays = {f"codes.{k}": v for k, v in moments(values).items()}
    arrays |= {f"measures.{k}": v for k, v in moments(values[:, :N_MEASURES]).items()}
    arrays |= {f"face.risk.{k}": v for k, v in moments(values[:, :1]).items()}
    return Bundle({"cohort": {"patients": n}, "encoders": {}}, arrays)


def test_drift_finds_what_was_moved_and_nothing_else():
    rng = np.random.default_rng(3)
    codes = rng.normal(size=(150, 40))
    measures = rng.normal(size=(150, N_MEASURES))
    measures[:, 2] -= 1.0
    table = pd.DataFrame({"face": rng.normal(size=150) + 1.0})
    found = drift(bundle_of(), codes, measures, table, rng)
    moved = {row["measure"] for row in found["measures"] if abs(row["difference"]) > 0.5}
    assert moved == {"crop_sharpness", "log-risk, face"}
    sharpness = found["measures"][2]
    assert sharpness["low"] < -1.0 < sharpness["high"]
    assert found["codes"]["shift"] < found["codes"]["by_chance"]
    again = drift(bundle_of(), codes + 0.3, measures, table, rng)
    assert again["codes"]["shift"] > again["codes"]["by_chance"]
