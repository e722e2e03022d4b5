import numpy as np
import pytest
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.util import Surv

from facies.statistics.outcome import Outcome
from facies.survival.cox import (
    baseline_hazard,
    fit_ridge,
    log_likelihood,
    ridge_path,
    survival_function,
)
from facies.survival.designs import ClinicalDesign, PhotoDesign


def cohort(n, p, seed=0):
    """Columns of unequal spread and outcomes with many tied times."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * rng.gamma(1, 0.5, size=p)
    time = np.ceil(10 * rng.exponential(size=n) * np.exp(-x[:, 0]))
    return x, Outcome(time, rng.random(n) < 0.6)


def test_likelihood_counted_by_hand_with_ties():
    # Two deaths at time 1 with three at risk, none after: the second meets one death less. Then one
    # doubled hazard: of the deaths' weight of 3 half is gone.
    outcome = Outcome(np.array([1.0, 1, 2]), np.array([True, True, False]))
    assert log_likelihood(np.zeros(3), outcome) == pytest.approx(-np.log(3) - np.log(2))
    risks = np.array([[0, 0, 0], [np.log(2), 0, 0]])
    expected = [-np.log(6), np.log(2) - np.log(4) - np.log(2.5)]
    assert log_likelihood(risks, outcome) == pytest.approx(expected)


@pytest.mark.parametrize(
    "n, p, penalty", [(150, 8, 0.0), (150, 8, 2.0), (60, 150, 3.0), (60, 150, 0.1)]
)
def test_coefficients_equal_scikit_survival(n, p, penalty):
    x, outcome = cohort(n, p)
    reference = CoxPHSurvivalAnalysis(alpha=penalty, ties="efron", tol=1e-14, n_iter=200)
    reference.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    np.testing.assert_allclose(fit_ridge(x, outcome, penalty), reference.coef_, atol=1e-8)


def test_gradient_vanishes_at_the_optimum():
    x, outcome = cohort(80, 40)
    penalty = np.linspace(0.5, 5, 40)
    beta = fit_ridge(x, outcome, penalty)

    def objective(b):
        return -log_likelihood(x @ b, outcome) + penalty @ b**2 / 2

    step = 1e-5 * np.eye(40)
    gradient = [(objective(beta + s) - objective(beta - s)) / 2e-5 for s in step]
    assert np.abs(gradient).max() < 1e-6


@pytest.mark.parametrize("p", [30, 300])
def test_rotation_leaves_the_model_as_it_is(p):
    x, outcome = cohort(60, p)
    rows, held = np.arange(50), np.arange(50, 60)
    design = PhotoDesign(x, np.arange(60))
    split = design.split(rows, held)
    gamma = fit_ridge(split.x, outcome[rows], 1.5)
    direct = fit_ridge(x[rows] - x[rows].mean(0), outcome[rows], 1.5)
    np.testing.assert_allclose(design.coefficients(split, gamma), direct, atol=1e-9)
    np.testing.assert_allclose(split.x_held @ gamma, (x[held] - x[rows].mean(0)) @ direct)


def test_path_equals_single_fits():
    x, outcome = cohort(60, 20)
    penalties = [100.0, 1.0, 0.01]
    single = [fit_ridge(x, outcome, penalty) for penalty in penalties]
    np.testing.assert_allclose(ridge_path(x, outcome, penalties), single, atol=1e-6)


def test_nobody_dead_gives_no_effect():
    x, outcome = cohort(20, 5)
    alive = Outcome(outcome.time, np.zeros(20, bool))
    assert not fit_ridge(x, alive, 1.0).any()


def test_veterans_lung_cancer_as_published():
    # As R prints coxph(Surv(time, status) ~ ., veteran): likelihood ratio test and C.
    frame, y = load_veterans_lung_cancer()
    outcome = Outcome(y["Survival_in_days"], y["Status"])
    rows = np.arange(len(frame))
    split = ClinicalDesign(frame).split(rows, rows[:0])
    risk = split.x @ fit_ridge(split.x, outcome, 0.0)
    c_index = concordance_index_censored(outcome.event, outcome.time, risk)[0]
    assert c_index == pytest.approx(0.736, abs=5e-4)
    ratio = 2 * (log_likelihood(risk, outcome) - log_likelihood(0 * risk, outcome))
    assert ratio == pytest.approx(62.1, abs=0.05)


def test_baseline_hazard_counted_by_hand():
    # Deaths at 1 (two of four at risk) and 3 (one of one); the second counts exp(log 2) = 2. At 1
    # a weight of 5 is at risk, for the second death less half of the deaths' 3.
    outcome = Outcome(np.array([1.0, 1, 2, 3]), np.array([True, True, False, True]))
    times, hazard = baseline_hazard(np.log([1, 2, 1, 1]), outcome)
    assert times.tolist() == [1, 3]
    assert hazard == pytest.approx([1 / 5 + 1 / 3.5, 1 / 5 + 1 / 3.5 + 1])


def test_survival_equals_scikit_survival():
    x, outcome = cohort(80, 4)
    outcome = outcome.ranked(0)  # the library's baseline knows no ties
    model = CoxPHSurvivalAnalysis(alpha=1.0, tol=1e-14)
    model.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    times = model.unique_times_
    expected = model.predict_survival_function(x, return_array=True)
    risk = x @ fit_ridge(x, outcome, 1.0)
    np.testing.assert_allclose(survival_function(risk, outcome, risk, times), expected, atol=1e-8)
    assert (survival_function(risk, outcome, risk, [0.0]) == 1).all()


def test_follow_up_until_a_time_counted_by_hand():
    outcome = Outcome(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, True, False]))
    censored = outcome.censored_at(2.0)
    assert censored.time.tolist() == [1, 2, 2, 2]
    assert censored.event.tolist() == [True, True, False, False]


def test_sums_over_risk_sets_and_their_transpose():
    """As matrices: rows are deaths, columns patients, both by falling time."""
    _, outcome = cohort(40, 1, seed=2)
    outcome = outcome[outcome.order]
    assert len(outcome.ties.position) > 10
    matrix = outcome.risk_sums(np.eye(40)) * outcome.event[:, None]
    values = np.random.default_rng(0).random(40) * outcome.event
    for power in (1, 2):
        expected = (matrix**power).T @ values
        np.testing.assert_allclose(outcome.sums_while_at_risk(values, power), expected)
    # Of three deaths at one time, each counts as 1, 2/3 and 1/3 in the three risk sets.
    three = Outcome(np.array([2.0, 1, 1, 1]), np.array([False, True, True, True]))
    sums = three.risk_sums(np.ones(4))[1:]
    np.testing.assert_allclose(sums, [4, 3, 2])


def test_ranks_keep_the_order_and_put_deaths_first():
    time = np.array([3.0, 1, 1, 1, 2, 1])
    outcome = Outcome(time, np.array([True, False, True, True, False, False]))
    made = [outcome.ranked(seed).time for seed in range(30)]
    for ranks in made:
        assert sorted(ranks) == [1, 2, 3, 4, 5, 6]
        assert ranks[0] == 6 and ranks[4] == 5  # times of their own
        assert set(ranks[[2, 3]]) == {1, 2} and set(ranks[[1, 5]]) == {3, 4}
    assert len({tuple(ranks) for ranks in made}) == 4
    np.testing.assert_array_equal(outcome.ranked([1, 2]).time, outcome.ranked([1, 2]).time)


def test_random_orders_of_ties_give_efron_s_coefficients_on_average():
    x, outcome = cohort(400, 3, seed=5)
    coarse = Outcome(np.ceil(outcome.time / 8), outcome.event)
    efron = fit_ridge(x, coarse, 1.0)
    orders = np.mean([fit_ridge(x, coarse.ranked(seed), 1.0) for seed in range(40)], axis=0)
    surv = Surv.from_arrays(coarse.event, coarse.time)
    breslow = CoxPHSurvivalAnalysis(alpha=1.0, ties="breslow", tol=1e-12).fit(x, surv).coef_
    strongest = np.abs(efron).argmax()
    assert orders[strongest] == pytest.approx(efron[strongest], rel=0.03)
    assert breslow[strongest] / efron[strongest] < 0.9
