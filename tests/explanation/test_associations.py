import numpy as np
import pandas as pd
import pytest

from facies.explanation.associations import (
    associations,
    columns_of,
    correlation,
    largest_by_chance,
)


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
        known["x0"] = table.score  # a real association must not count
        found = largest_by_chance(table, known, seed=1)
        assert found["high"] == pytest.approx(high, abs=0.012) and found["count"] == count
        assert found["median"] < found["high"]
    # A score that is one per fold, or one per number of photos, has nothing to permute.
    fixed = table.assign(score=table.fold)
    found = largest_by_chance(fixed, pd.DataFrame({"x": table.fold}), seed=1)
    assert found["median"] == pytest.approx(1)
