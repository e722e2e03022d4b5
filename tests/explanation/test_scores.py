"""Health scores by hand."""

import numpy as np
import pandas as pd
import pytest

from facies.explanation.direction import learn_direction, mean_cosine
from facies.explanation.scores import health_scores, in_sds, remaining_c, stability


def test_health_is_the_fall_of_the_risk_and_a_mean_over_repeats():
    rows = [("a", 1, "", 1.0), ("a", 2, "", 3.0), ("b", 1, "", -4.0), ("a", 1, "yaw", 0.5)]
    table = pd.DataFrame(rows, columns=["patient_id", "repeat", "adjusted", "risk"])
    health = health_scores(table, ["b", "a", "c"])
    assert health.index.tolist() == ["b", "a", "c"]
    assert health.health.tolist()[:2] == [4.0, -2.0] and np.isnan(health.health["c"])
    assert health["health, adjusted for yaw"]["a"] == -0.5


def test_score_in_sds_is_of_the_first_repeat_and_of_the_own_fold():
    table = pd.DataFrame({"patient_id": ["a", "b", "a"], "fold": [1, 2, 1], "repeat": [1, 1, 2]})
    table = table.assign(risk=[1.0, 1.0, 7.0], sd=[2.0, 0.5, 1.0])
    assert in_sds(table).score.tolist() == [-0.5, -2.0]


def test_remaining_c_is_the_mean_over_folds():
    patients = pd.DataFrame(
        {"time": [1.0, 2, 3, 1, 2, 3], "event": 1}, index=pd.Index(list("abcdef"))
    )
    table = pd.DataFrame({"patient_id": list("abcdef"), "fold": [1, 1, 1, 2, 2, 2], "repeat": 1})
    # All pairs of the first fold are in order, one of three of the second.
    table["risk"] = [3.0, 2, 1, 1, 3, 2]
    c = remaining_c(table, patients, 2)
    assert c["value"] == pytest.approx((1 + 1 / 3) / 2)
    assert c["low"] < c["value"] < c["high"]


def test_stability_is_the_cosine_between_folds():
    first = learn_direction(np.array([1.0, 0]), np.diag([1.0, 2]), 1.0)
    second = learn_direction(np.array([0.0, 1]), np.diag([1.0, 2]), 1.0)
    found = stability([first, second])
    assert found["beta"] == 0
    assert found["pattern"] == pytest.approx(mean_cosine(np.stack([first.pattern, second.pattern])))
