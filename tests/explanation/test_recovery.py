import numpy as np
import pandas as pd
import pytest

import explain
from facies.explanation.recovery import associations, columns_of, correlation, largest_by_chance


def test_correlation_of_one_column_is_pearson_s_also_in_draws():
    random = np.random.default_rng(0)
    score, x = random.normal(size=(2, 50))
    draw = random.multinomial(50, np.full(50, 1 / 50))
    found = correlation(score, x[:, None], np.stack([np.ones(50), draw]))
    rows = np.repeat(np.arange(50), draw)
    assert found[0] == pytest.approx(np.corrcoef(score, x)[0, 1])
    assert found[1] == pytest.approx(np.corrcoef(score[rows], x[rows])[0, 1])


def test_multiple_correlation_is_that_of_the_least_squares_fit():
    random = np.random.default_rng(1)
    x = random.normal(size=(80, 3))
    score = x @ [1.0, -0.5, 0.0] + random.normal(size=80)
    design = np.column_stack([np.ones(80), x])
    fit = design @ np.linalg.lstsq(design, score, rcond=None)[0]
    found = correlation(score, x, np.ones((1, 80)))[0]
    assert found == pytest.approx(np.corrcoef(score, fit)[0, 1])
    assert correlation(score, np.zeros((80, 1)), np.ones((1, 80)))[0] == 0


def test_a_hue_lies_on_a_circle_and_kinds_have_no_order():
    hue = np.linspace(0, 1, 101)[:-1]
    # A score that peaks at red, hue 0 and 1: no straight line sees it.
    score = np.cos(2 * np.pi * hue)
    x = columns_of(pd.Series(hue, name="background_hue"))
    assert correlation(score, x, np.ones((1, 100)))[0] == pytest.approx(1)
    kinds = pd.Series([0, 1, 2] * 10, name="background")
    score = np.array([1.0, -1, 1] * 10)
    assert correlation(score, columns_of(kinds), np.ones((1, 30)))[0] == pytest.approx(1)
    assert np.corrcoef(score, kinds)[0, 1] == 0


def test_intervals_hold_the_truth_and_photos_of_a_patient_go_together():
    random = np.random.default_rng(2)
    traits = random.normal(size=200)
    table = pd.DataFrame({"patient_id": [f"p{i}" for i in range(200)], "fold": np.arange(200) % 5})
    table["score"] = 0.6 * traits + 0.8 * random.normal(size=200)
    known = pd.DataFrame({"trait": traits, "camera_hue": random.random(200)})
    rows = associations(table, known, seed=1)
    assert [row["name"] for row in rows] == ["trait", "camera_hue"]
    assert rows[0]["low"] < 0.6 < rows[0]["high"] and rows[0]["signed"]
    assert rows[1]["low"] <= rows[1]["value"] < 0.2 and not rows[1]["signed"]
    assert rows == associations(table, known, seed=1)
    # Every photo twice adds nothing: the interval is as wide as before.
    twice = associations(pd.concat([table, table]), pd.concat([known, known]), seed=1)[0]
    assert twice["low"] == pytest.approx(rows[0]["low"])


def test_the_largest_correlation_by_chance_is_that_of_independent_columns():
    random = np.random.default_rng(3)
    table = pd.DataFrame({"patient_id": [f"p{i}" for i in range(400)], "fold": np.arange(400) % 5})
    table["score"] = random.normal(size=400)
    # Of one column the 95 % point is 1.96 standard errors of 1/20, of twenty 3.02 by Sidak.
    for count, high in ((1, 1.96 / 20), (20, 3.02 / 20)):
        known = pd.DataFrame(random.normal(size=(400, count))).rename(columns="x{}".format)
        known["x0"] = table.score  # what really goes with the score must not count
        found = largest_by_chance(table, known, seed=1)
        assert found["high"] == pytest.approx(high, abs=0.012) and found["count"] == count
        assert found["median"] < found["high"]
    # A score that is one per fold, or one per number of photos, has nothing to be dealt out.
    fixed = table.assign(score=table.fold)
    found = largest_by_chance(fixed, pd.DataFrame({"x": table.fold}), seed=1)
    assert found["median"] == pytest.approx(1)


PHOTOS = pd.DataFrame({"photo_id": ["a1", "a2", "a3", "b1"], "patient_id": ["a", "a", "a", "b"]})
ALIGNED = pd.DataFrame(
    {
        "photo_id": ["a1", "a2", "a3", "b1"],
        "used": [1, 1, 0, 1],
        "reason": ["", "", "no face found", ""],
        "yaw": [0.1, 0.3, 9.0, -0.2],
        "quad_0": [1.0, 2, 3, 4],
    }
)
CLINICAL = pd.DataFrame({"sex": ["F", "M"]}, index=pd.Index(["b", "a"], name="patient_id"))


def test_traits_are_clinical_measured_or_of_the_sheet_and_of_usable_photos():
    named = pd.DataFrame({"photo_id": ["a1", "a2", "a3", "b1"], "yaw": 7.0})
    named = named.assign(ward=[None, "north", "south", "south"], glasses=[1.0, 0, 1, 1])
    names = ["yaw", "sex", "ward", "glasses"]
    found = explain.chosen_traits(names, CLINICAL, PHOTOS, ALIGNED, named)
    assert list(found) == names
    assert found.loc["a"].tolist() == [pytest.approx(0.2), "M", "north", 0.5]
    assert found.loc["b"].tolist() == [-0.2, "F", "south", 1]


def test_health_is_the_fall_of_the_risk_and_a_mean_over_repeats():
    rows = [("a", 1, "", 1.0), ("a", 2, "", 3.0), ("b", 1, "", -4.0), ("a", 1, "yaw", 0.5)]
    table = pd.DataFrame(rows, columns=["patient_id", "repeat", "adjusted", "risk"])
    found = explain.health_scores(table, ["b", "a", "c"])
    assert found.index.tolist() == ["b", "a", "c"]
    assert found.health.tolist()[:2] == [4.0, -2.0] and np.isnan(found.health["c"])
    assert found["health, adjusted for yaw"]["a"] == -0.5


def test_score_in_sds_is_of_the_first_repeat_and_of_the_own_fold():
    table = pd.DataFrame({"patient_id": ["a", "b", "a"], "fold": [1, 2, 1], "repeat": [1, 1, 2]})
    table = table.assign(risk=[1.0, 1.0, 7.0], sd=[2.0, 0.5, 1.0])
    assert explain.in_sds(table).score.tolist() == [-0.5, -2.0]
