"""Validation against planted truths."""

import numpy as np
import pytest
from exponential import RATE, exponential_model, simulate

from facies.bundle.validation import validate
from facies.statistics.outcome import Outcome


def test_a_true_model_is_calibrated():
    risk, outcome = simulate(300)
    found = validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    for name in ("slope", "observed_to_expected"):
        assert found[f"{name}_low"] < 1 < found[f"{name}_high"]
        assert found[f"{name}_high"] - found[f"{name}_low"] < 0.6
    for row in found["groups"]:
        assert row["low"] - 0.01 < row["predicted"] < row["high"] + 0.01


def test_wrong_models_are_detected():
    risk, outcome = simulate(300, rate=2 * RATE)
    found = validate(exponential_model(), 2 * risk, outcome, np.random.default_rng(1))
    assert found["slope"] == pytest.approx(0.5, abs=0.12)
    right = validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    assert right["observed_to_expected_low"] > 1.2


def test_expected_deaths_can_be_counted_by_hand():
    outcome = Outcome(np.array([5.0, 20.0]), np.array([True, True]))
    risk = np.log([1.0, 2.0])
    found = validate(exponential_model(), risk, outcome, np.random.default_rng(1))
    assert found["observed"] == 1  # the second dies after the horizon of 10
    assert found["expected"] == pytest.approx(0.1 * 5 + 2 * 0.1 * 10)
