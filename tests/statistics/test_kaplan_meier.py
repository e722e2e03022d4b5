import numpy as np
import pytest
from scipy.stats import norm
from sksurv.nonparametric import kaplan_meier_estimator

from facies.statistics.concordance import c_index
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.kaplan_meier import (
    kaplan_meier,
    kaplan_meier_at,
    log_rank,
    median_follow_up,
    survival_at,
    survival_with_interval,
)
from facies.statistics.outcome import Outcome


def outcome(time, event):
    return Outcome(np.array(time, float), np.array(event, bool))


def random_outcome(n, seed):
    rng = np.random.default_rng(seed)
    return outcome(np.ceil(rng.exponential(20, n)), rng.random(n) < 0.6)


def test_c_index_counted_by_hand():
    # Pairs that can be compared: (1, 2), (1, 3), (1, 4), (3, 4); the second was censored early.
    o = outcome([1, 2, 3, 4], [1, 0, 1, 0])
    assert c_index(o, np.array([4, 3, 2, 1])) == 1
    assert c_index(o, np.array([1, 2, 3, 4])) == 0
    assert c_index(o, np.array([2, 9, 1, 1])) == (0 + 1 + 1 + 0.5) / 4
    assert c_index(o, np.zeros(4)) == 0.5


def test_kaplan_meier_counted_by_hand():
    # Four at risk, one dies: 3/4. One censored. Two at risk, one dies: 3/8.
    curve = kaplan_meier(outcome([1, 2, 3, 4], [1, 0, 1, 0]))
    assert curve["times"].tolist() == [0, 1, 2, 3, 4]
    assert curve["survival"].tolist() == [1, 0.75, 0.75, 0.375, 0.375]
    assert curve["at_risk"].tolist() == [4, 4, 3, 2, 1]
    assert (curve["low"] <= curve["survival"]).all() and (curve["survival"] <= curve["high"]).all()
    at = kaplan_meier_at(outcome([1, 2, 3, 4], [1, 0, 1, 0]), [0.5, 1, 2.9, 9])
    assert at.tolist() == [1, 0.75, 0.75, 0.375]


def test_kaplan_meier_equals_scikit_survival():
    o = random_outcome(90, 3)
    times, survival = kaplan_meier_estimator(o.event, o.time)
    curve = kaplan_meier(o)
    np.testing.assert_array_equal(curve["times"][1:], times)
    np.testing.assert_array_equal(curve["survival"][1:], survival)


def test_log_rank_tells_groups_apart_and_bears_a_single_one():
    o = random_outcome(60, 4)
    late = o.time > np.median(o.time)
    assert log_rank(o, late, 1) < 1e-6
    assert np.isnan(log_rank(o, np.zeros(60), 1))
    # A normal deviate of 3 is one of 2 if its variance is 9 / 4 times as large.
    p = log_rank(o, np.arange(60) % 2, 1)
    assert norm.isf(log_rank(o, np.arange(60) % 2, 9 / 4) / 2) == pytest.approx(
        norm.isf(p / 2) / 1.5
    )


def ends(found):
    return found["value"], found["low"], found["high"]


def test_nadeau_bengio_by_hand():
    # Mean .7, s^2 = .01, variance (1/5 + 1/4) .01; t(.975, 4) = 2.776445.
    scores = [0.6, 0.6, 0.7, 0.8, 0.8]
    mean, low, high = ends(nadeau_bengio(scores, 5))
    assert mean == pytest.approx(0.7)
    assert high - mean == pytest.approx(2.776445 * 0.0045**0.5, abs=1e-6)
    assert mean - low == pytest.approx(high - mean)
    # A fold without a score: s^2 = .04 / 3, variance (1/4 + 1/4) s^2; t(.975, 3) = 3.182446.
    mean, _, high = ends(nadeau_bengio([0.6, 0.6, np.nan, 0.8, 0.8], 5))
    assert high - mean == pytest.approx(3.182446 * (0.04 / 3 / 2) ** 0.5, abs=1e-6)
    single = nadeau_bengio([0.6, np.nan], 2)
    assert single["value"] == 0.6 and np.isnan([single["low"], single["high"]]).all()
    assert np.isnan(ends(nadeau_bengio([np.nan, np.nan], 2))).all()


def test_repeats_hold_no_new_patients():
    # Four times the same five scores: s^2 = .16 / 19, variance (1/5 + 1/4) s^2; t(.975, 19).
    scores = [0.6, 0.6, 0.7, 0.8, 0.8] * 4
    mean, low, high = ends(nadeau_bengio(scores, 5))
    assert high - mean == pytest.approx(2.093024 * (0.45 * 0.16 / 19) ** 0.5, abs=1e-6)
    # Scores along further axes are taken one by one.
    both = nadeau_bengio(np.column_stack([scores, np.full(20, np.nan)]), 5)
    assert both["high"][0] == pytest.approx(high) and np.isnan(both["value"][1])


def test_scores_between_zero_and_one_have_intervals_between_them():
    found = within_unit({"value": 0.7, "low": 0.2, "high": 1.2})
    # The logit of .7 is .847298, the delta method's half width .5 / .21 = 2.380952.
    low, high = 1 / (1 + np.exp([1.533655, -3.228250]))
    assert ends(found) == pytest.approx((0.7, low, high), abs=1e-6)
    # Narrow intervals hardly move, and a half is the middle of its own.
    narrow = within_unit({"value": 0.6, "low": 0.58, "high": 0.62})
    assert ends(narrow) == pytest.approx((0.6, 0.58, 0.62), abs=2e-4)
    even = within_unit({"value": [0.5, np.nan], "low": [0.1, np.nan], "high": [0.9, np.nan]})
    assert even["low"][0] + even["high"][0] == pytest.approx(1) and np.isnan(even["low"][1])
    # Where all folds put everybody in order, there is no width to move.
    assert ends(within_unit({"value": 1.0, "low": 1.0, "high": 1.0})) == (1, 1, 1)


def test_survival_of_draws_equals_the_curve_of_resampled_rows():
    o = random_outcome(70, 5)
    rows = np.random.default_rng(6).integers(0, 70, (30, 70))
    weights = np.array([np.bincount(own, minlength=70) for own in rows], float)
    for horizon in (5.0, 12.5, 30.0):
        expected = [kaplan_meier_at(o[own], [horizon])[0] for own in rows]
        found = survival_at(o, horizon, weights)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_survival_at_a_horizon_counted_by_hand():
    o = outcome([1, 2, 3, 4], [1, 0, 1, 0])
    assert survival_at(o, 3.0, np.ones((1, 4))).tolist() == [0.375]
    # The second patient stands for three: 5/6, then 1/2 of what is left.
    weights = np.array([[1.0, 3, 1, 1]])
    assert survival_at(o, 3.0, weights)[0] == pytest.approx(5 / 12)
    assert survival_at(o, 0.5, weights).tolist() == [1]


def test_median_follow_up_counted_by_hand():
    # Deaths at 1 and 4. Not yet censored: 4/5 after 2, 3/5 after 3, 3/10 after 5, none after 6.
    o = outcome([1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 0, 0])
    found = median_follow_up(o)
    assert found["value"] == 5
    assert found["low"] <= 5 <= found["high"]
    # With everybody dead, nobody's follow-up ended.
    everybody = median_follow_up(outcome(o.time, np.ones(6)))
    assert np.isnan([*everybody.values()]).all()


def test_median_follow_up_is_that_of_the_censoring_times():
    rng = np.random.default_rng(0)
    death, limit = rng.exponential(5, 4000), rng.exponential(10, 4000)
    found = median_follow_up(outcome(np.minimum(death, limit), death <= limit))
    assert found["low"] < 10 * np.log(2) < found["high"]
    assert found["high"] - found["low"] < 1.5


def test_survival_is_told_with_an_interval_where_there_is_one():
    o = outcome([1, 2, 3, 4], [0, 1, 1, 0])
    found = survival_with_interval(o, 2.5)
    assert found["survival"] == pytest.approx(2 / 3)
    assert 0 < found["low"] < 2 / 3 < found["high"] < 1
    # Nobody died yet: one, but not for certain. Beyond the last time nobody knows.
    early, late = survival_with_interval(o, 1.5), survival_with_interval(o, 5.0)
    assert early["survival"] == 1 and np.isnan([early["low"], early["high"]]).all()
    assert np.isnan([*late.values()]).all()
