import numpy as np
import pytest
from sksurv.metrics import (
    concordance_index_censored,
    concordance_index_ipcw,
    integrated_brier_score,
)
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from facies import metrics
from facies.cox import Outcome


def outcome(time, event):
    return Outcome(np.array(time, float), np.array(event, bool))


def random_outcome(n, seed):
    rng = np.random.default_rng(seed)
    return outcome(np.ceil(rng.exponential(20, n)), rng.random(n) < 0.6)


def surv(o):
    return Surv.from_arrays(o.event, o.time)


def test_c_index_counted_by_hand():
    # Pairs that can be compared: (1, 2), (1, 3), (1, 4), (3, 4); the second was censored early.
    o = outcome([1, 2, 3, 4], [1, 0, 1, 0])
    assert metrics.c_index(o, np.array([4, 3, 2, 1])) == 1
    assert metrics.c_index(o, np.array([1, 2, 3, 4])) == 0
    assert metrics.c_index(o, np.array([2, 9, 1, 1])) == (0 + 1 + 1 + 0.5) / 4
    assert metrics.c_index(o, np.zeros(4)) == 0.5


def test_c_index_equals_scikit_survival_with_ties():
    o = random_outcome(80, 0)
    risk = np.random.default_rng(1).integers(0, 5, 80).astype(float)
    assert metrics.c_index(o, risk) == concordance_index_censored(o.event, o.time, risk)[0]


@pytest.mark.parametrize(
    "o, risk",
    [
        (outcome([1, 2], [0, 0]), np.zeros(2)),
        (outcome([1, 2], [0, 1]), np.zeros(2)),
        (outcome([1, 2], [1, 1]), np.array([np.nan, 0])),
    ],
)
def test_folds_without_a_comparable_pair_score_nan(o, risk):
    assert np.isnan(metrics.c_index(o, risk))
    assert np.isnan(metrics.uno_c(o, o, risk, 5.0))


def test_uno_c_truncates_where_the_reference_would_raise():
    train, test = random_outcome(200, 0), random_outcome(60, 1)
    risk = np.random.default_rng(2).normal(size=60)
    end = float(np.quantile(train.time, 0.9))
    expected = concordance_index_ipcw(surv(train), surv(test), risk, end)[0]
    assert metrics.uno_c(train, test, risk, end) == expected
    longer = Outcome(np.append(test.time, 1e6), np.append(test.event, True))
    assert 0 < metrics.uno_c(train, longer, np.append(risk, 0.0), end) < 1


def test_integrated_brier_equals_scikit_survival_and_survives_long_follow_up():
    train, test = random_outcome(200, 0), random_outcome(60, 1)
    times = np.linspace(test.time.min(), np.quantile(train.time, 0.9), 30)
    survival = np.exp(-np.outer(np.random.default_rng(2).gamma(2, 0.02, 60), times))
    beyond = test.time > times[-1]
    assert beyond.any()
    expected = integrated_brier_score(surv(train), surv(test), survival, times)
    assert metrics.integrated_brier(train, test, survival, times) == pytest.approx(expected)
    late = Outcome(np.where(beyond, 1e6, test.time), test.event)
    assert metrics.integrated_brier(train, late, survival, times) == pytest.approx(expected)


def test_integrated_brier_of_perfect_foresight_is_nil():
    o = outcome(np.arange(1, 21), np.ones(20))
    times = np.linspace(1, 19.5, 38)
    assert metrics.integrated_brier(o, o, (o.time[:, None] > times).astype(float), times) == 0


def test_kaplan_meier_counted_by_hand():
    # Four at risk, one dies: 3/4. One censored. Two at risk, one dies: 3/8.
    curve = metrics.kaplan_meier(outcome([1, 2, 3, 4], [1, 0, 1, 0]))
    assert curve["times"].tolist() == [0, 1, 2, 3, 4]
    assert curve["survival"].tolist() == [1, 0.75, 0.75, 0.375, 0.375]
    assert curve["at_risk"].tolist() == [4, 4, 3, 2, 1]
    assert (curve["low"] <= curve["survival"]).all() and (curve["survival"] <= curve["high"]).all()
    at = metrics.kaplan_meier_at(outcome([1, 2, 3, 4], [1, 0, 1, 0]), [0.5, 1, 2.9, 9])
    assert at.tolist() == [1, 0.75, 0.75, 0.375]


def test_kaplan_meier_equals_scikit_survival():
    o = random_outcome(90, 3)
    times, survival = kaplan_meier_estimator(o.event, o.time)
    curve = metrics.kaplan_meier(o)
    np.testing.assert_array_equal(curve["times"][1:], times)
    np.testing.assert_array_equal(curve["survival"][1:], survival)


def test_log_rank_tells_groups_apart_and_bears_a_single_one():
    o = random_outcome(60, 4)
    late = o.time > np.median(o.time)
    assert metrics.log_rank(o, late) < 1e-6
    assert np.isnan(metrics.log_rank(o, np.zeros(60)))


def test_nadeau_bengio_by_hand():
    # Mean .7, s^2 = .01, variance (1/5 + 1/4) .01; t(.975, 4) = 2.776445.
    scores = [0.6, 0.6, 0.7, 0.8, 0.8]
    mean, low, high = metrics.nadeau_bengio(scores, 1 / 4)
    assert mean == pytest.approx(0.7)
    assert high - mean == pytest.approx(2.776445 * 0.0045**0.5, abs=1e-6)
    assert mean - low == pytest.approx(high - mean)
    assert metrics.nadeau_bengio([*scores, np.nan], 1 / 4) == (mean, low, high)
    assert metrics.nadeau_bengio([0.6], 1 / 4)[0] == 0.6


def test_integrated_brier_ends_with_the_training_follow_up():
    """Whole months: many training patients share the longest time, a test patient lived longer."""
    train = outcome([1, 2, 3, 4, 5, 6, 6, 6], [1, 1, 1, 1, 1, 1, 1, 1])
    test = outcome([1, 3, 5, 9], [1, 1, 1, 0])
    times = np.linspace(0, 6, 13)[1:]
    survival = np.tile(np.linspace(1, 0, len(times)), (4, 1))
    assert 0 < metrics.integrated_brier(train, test, survival, times) < 0.5
