"""Estimates over faces against published intervals and known means."""

import numpy as np
import pytest

from facies.explanation.estimates import mean_estimate, proportion, ratio_estimate


def test_proportion_has_wilson_s_interval():
    # Published: 81 of 263, .2553 to .3662 (Newcombe, Stat Med 17 (1998) 857-72, table I).
    part = proportion(np.arange(263) < 81)
    assert part["value"] == pytest.approx(0.3080, abs=5e-5)
    assert (part["low"], part["high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    whole = proportion(np.ones(24, bool))
    assert whole["high"] == pytest.approx(1) and 0.8 < whole["low"] < 0.9
    assert proportion(np.zeros(0)) is None


def test_means_and_ratios_over_faces():
    values = np.random.default_rng(0).normal(3, 1, 100)
    mean = mean_estimate(values, 1)
    assert mean["value"] == pytest.approx(values.mean())
    assert mean["low"] == pytest.approx(values.mean() - 0.196 * values.std(), abs=0.03)
    # A ratio of paired values is more precise than its parts.
    assert ratio_estimate(3 * values, values, 1) == pytest.approx({"value": 3, "low": 3, "high": 3})
    assert mean_estimate(np.zeros(0), 1) is None
    assert ratio_estimate(values, np.zeros(100), 1) is None
