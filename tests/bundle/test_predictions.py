"""Predictions by hand."""

import numpy as np
import pandas as pd
import pytest

from facies.bundle.locked import Bundle
from facies.bundle.predictions import predictions, risks
from facies.bundle.validation import validate_all
from facies.common.errors import InputError


@pytest.fixture
def bundle():
    """A model of the face with hazard 0.1 per unit of time, known until 20."""
    times = np.arange(1.0, 21)
    arrays = {"intercept": np.array([0.5]), "coefficients": np.array([1.0, -1])}
    arrays |= {"thresholds": np.array([0.0, 1]), "times": times, "hazard": 0.1 * times}
    arrays = {f"face.{name}": value for name, value in arrays.items()}
    return Bundle({"models": {"face": {}}, "encoders": {}}, arrays)


CODES = np.array([[0.0, 0], [2, 1], [np.nan, np.nan]])
PATIENTS = pd.DataFrame(index=pd.Index(["a", "b", "c"]))


def test_risk_group_and_survival(bundle):
    table = risks(bundle, CODES, PATIENTS)
    assert table.face.tolist()[:2] == [0.5, 1.5] and np.isnan(table.face["c"])
    rows = predictions(bundle, table)
    assert rows.patient_id.tolist() == ["a", "b"] and rows.group.tolist() == [
        "medium risk",
        "high risk",
    ]
    assert list(rows)[4:] == [f"survival_at_{time}" for time in (5, 10, 15, 20)]
    assert rows.survival_at_10[0] == pytest.approx(np.exp(-np.exp(0.5)))


def test_an_infinite_risk_is_refused(bundle):
    table = risks(bundle, CODES * [[np.inf], [1], [1]] + 0, PATIENTS).assign(face=[np.inf, 1, 0])
    with pytest.raises(InputError, match="1 risks of face are infinite"):
        predictions(bundle, table)


def test_only_patients_with_an_outcome_and_a_photo_are_validated(bundle):
    table = risks(bundle, CODES, PATIENTS)
    outcomes = pd.DataFrame({"time": [5.0, 6, 7], "event": [1, 0, 1]}, index=["a", "b", "c"])
    rng = np.random.default_rng(0)
    found = validate_all(bundle, table, outcomes, rng)
    assert found["face"]["patients"] == 2 and found["face"]["deaths"] == 1
    assert validate_all(bundle, table, outcomes.assign(event=0), rng) == {}
