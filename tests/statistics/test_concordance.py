import numpy as np
import pytest
from sksurv.metrics import concordance_index_censored, concordance_index_ipcw
from sksurv.util import Surv

from facies.statistics import compiled
from facies.statistics.concordance import TIED, concordance, count_pairs, tied_ranks
from facies.statistics.ipcw import uno_c
from facies.statistics.outcome import Outcome


def outcome(time, event):
    return Outcome(np.array(time, float), np.array(event, bool))


def random_cohort(n, seed, events=0.6, months=20, levels=6):
    """Ties in time and in risk, and a share of the patients censored."""
    rng = np.random.default_rng(seed)
    o = outcome(np.ceil(rng.exponential(months, n)), rng.random(n) < events)
    return o, rng.integers(0, levels, n) / 3


def test_pairs_counted_by_hand():
    # The dead of time 1 and the dead of time 3 against whoever outlived them, the censored of
    # time 3 included: (a, b) (a, c) (a, d) (c, d). Concordant are (a, c) and half of (a, d) ...
    o = outcome([1, 2, 3, 3], [1, 0, 1, 0])
    concordant, comparable = count_pairs(o, [2.0, 9.0, 1.0, 2.0])
    assert (concordant[0], comparable[0]) == (1.5, 4)
    # ... and here (c, d) and half of (a, d).
    concordant, comparable = count_pairs(o, [2.0, 9.0, 3.0, 2.0])
    assert (concordant[0], comparable[0]) == (1.5, 4)


def test_weights_of_a_pair_multiply():
    o = outcome([1, 2, 3], [1, 1, 0])
    weights = np.array([[1, 1, 1], [2, 3, 5], [0, 3, 5]])
    # (a, b) discordant, (a, c) concordant, (b, c) concordant.
    concordant, comparable = count_pairs(o, [2.0, 3.0, 1.0], weights)
    assert concordant.tolist() == [2, 2 * 5 + 3 * 5, 3 * 5]
    assert comparable.tolist() == [3, 2 * 3 + 2 * 5 + 3 * 5, 3 * 5]
    concordant, comparable = count_pairs(o, [2.0, 3.0, 1.0], weights, [10, 1, 1])
    assert comparable.tolist() == [21, 10 * (2 * 3 + 2 * 5) + 3 * 5, 3 * 5]


@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_survival_with_ties_and_censoring(seed):
    o, risk = random_cohort(
        30 + 10 * seed, seed, events=(0.05, 0.3, 0.9, 1)[seed % 4], months=(2, 20)[seed % 2]
    )
    if not o.event.any():
        o.event[0] = True
    expected = concordance_index_censored(o.event, o.time, risk)
    concordant, comparable = count_pairs(o, risk)
    assert concordant[0] == expected[1] + expected[3] / 2
    assert comparable[0] == sum(expected[1:4])
    assert concordance(o, risk)[0] == expected[0]


def test_risks_within_the_tolerance_are_tied_as_in_scikit_survival():
    o, _ = random_cohort(200, 1)
    risk = np.random.default_rng(2).integers(0, 30, 200) * (TIED / 2.5)
    expected = concordance_index_censored(o.event, o.time, risk)
    assert expected[3] > 500
    assert concordance(o, risk)[0] == pytest.approx(expected[0], abs=1e-15)


def test_multinomial_weights_equal_resampled_rows():
    o, risk = random_cohort(60, 3, events=0.4)
    rng = np.random.default_rng(4)
    rows = rng.integers(0, 60, (50, 60))
    weights = np.array([np.bincount(own, minlength=60) for own in rows])
    resampled = [
        concordance_index_censored(o.event[own], o.time[own], risk[own])[0] for own in rows
    ]
    np.testing.assert_allclose(concordance(o, risk, weights), resampled, rtol=1e-14)


def test_case_weights_give_uno_s_c():
    (train, _), (test, risk) = random_cohort(150, 5), random_cohort(80, 6)
    # Without ties of deaths and censoring, which the library weights after the death.
    train, test = (
        Outcome(o.time - np.random.default_rng(len(o)).random(len(o)), o.event)
        for o in (train, test)
    )
    surv = [Surv.from_arrays(o.event, o.time) for o in (train, test)]
    tau = np.quantile(train.time, 0.8)
    expected = concordance_index_ipcw(*surv, risk, tau)[0]
    assert uno_c(train, test, risk, tau)[0] == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    "time, event, risk",
    [
        ([1, 2], [0, 0], [0, 0]),
        ([1, 2], [0, 1], [0, 0]),
        ([2, 2], [1, 1], [0, 1]),
        ([1, 2], [1, 1], [np.nan, 0]),
    ],
)
def test_nothing_comparable_is_nan(time, event, risk):
    assert np.isnan(concordance(outcome(time, event), risk)[0])


def test_a_draw_without_pairs_is_nan_alone():
    o = outcome([1, 2], [1, 0])
    assert np.isnan(concordance(o, [1.0, 0.0], [[1, 1], [0, 2], [2, 0]])).tolist() == [
        False,
        True,
        True,
    ]


def test_order_of_the_patients_and_scale_of_the_risk_do_not_matter():
    o, risk = random_cohort(90, 7)
    shuffled = np.random.default_rng(8).permutation(90)
    assert concordance(o[shuffled], np.exp(3 * risk[shuffled]))[0] == concordance(o, risk)[0]
    assert concordance(o, -risk)[0] == pytest.approx(1 - concordance(o, risk)[0])


def test_places_among_tied_risks():
    lower, upper, rank = tied_ranks(np.array([5.0, 1.0, 5.0, 9.0]))
    assert lower.tolist() == [1, 0, 1, 3]
    assert upper.tolist() == [3, 1, 3, 4]
    assert rank.tolist() == [1, 0, 2, 3]


def test_compiles_where_no_cache_can_be_written(monkeypatch):
    asked = []

    def njit(function=None, cache=False):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(compiled, "njit", njit)
    assert compiled.compiled(abs) is abs
    assert asked == [True, False]
