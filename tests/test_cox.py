import numpy as np
import pytest
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.util import Surv

from facies.cox import (
    Outcome,
    baseline_hazard,
    fit_ridge,
    log_likelihood,
    ridge_path,
    survival_function,
)
from facies.features import Matrix, Table


def cohort(n, p, seed=0):
    """Columns of unequal spread and outcomes with many tied times."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * rng.gamma(1, 0.5, size=p)
    time = np.ceil(10 * rng.exponential(size=n) * np.exp(-x[:, 0]))
    return x, Outcome(time, rng.random(n) < 0.6)


def test_likelihood_counted_by_hand_with_ties():
    # Two deaths at time 1 with three at risk, none after: 2 log(1/3); then one doubled hazard.
    outcome = Outcome(np.array([1.0, 1, 2]), np.array([True, True, False]))
    assert log_likelihood(np.zeros(3), outcome) == pytest.approx(-2 * np.log(3))
    risks = np.array([[0, 0, 0], [np.log(2), 0, 0]])
    expected = [-2 * np.log(3), np.log(2) - 2 * np.log(4)]
    assert log_likelihood(risks, outcome) == pytest.approx(expected)


@pytest.mark.parametrize(
    "n, p, penalty", [(150, 8, 0.0), (150, 8, 2.0), (60, 150, 3.0), (60, 150, 0.1)]
)
def test_coefficients_equal_scikit_survival(n, p, penalty):
    x, outcome = cohort(n, p)
    reference = CoxPHSurvivalAnalysis(alpha=penalty, ties="breslow", tol=1e-14, n_iter=200)
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
    design = Matrix(x, np.arange(60))
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
    # C of the training data in scikit-survival's user guide.
    frame, y = load_veterans_lung_cancer()
    outcome = Outcome(y["Survival_in_days"], y["Status"])
    rows = np.arange(len(frame))
    split = Table(frame.astype(object)).split(rows, rows[:0])
    risk = split.x @ fit_ridge(split.x, outcome, 0.0)
    c_index = concordance_index_censored(outcome.event, outcome.time, risk)[0]
    assert c_index == pytest.approx(0.73626, abs=5e-6)


def test_baseline_hazard_counted_by_hand():
    # Deaths at 1 (two of four at risk) and 3 (one of one); the second counts exp(log 2) = 2.
    outcome = Outcome(np.array([1.0, 1, 2, 3]), np.array([True, True, False, True]))
    times, hazard = baseline_hazard(np.log([1, 2, 1, 1]), outcome)
    assert times.tolist() == [1, 3]
    assert hazard == pytest.approx([2 / 5, 2 / 5 + 1])


def test_survival_equals_scikit_survival():
    x, outcome = cohort(80, 4)
    model = CoxPHSurvivalAnalysis(alpha=1.0, tol=1e-14)
    model.fit(x, Surv.from_arrays(outcome.event, outcome.time))
    times = model.unique_times_
    expected = model.predict_survival_function(x, return_array=True)
    risk = x @ fit_ridge(x, outcome, 1.0)
    np.testing.assert_allclose(survival_function(risk, outcome, risk, times), expected, atol=1e-8)
    assert (survival_function(risk, outcome, risk, [0.0]) == 1).all()


def test_follow_up_until_a_time_counted_by_hand():
    outcome = Outcome(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, True, False]))
    until = outcome.until(2.0)
    assert until.time.tolist() == [1, 2, 2, 2]
    assert until.event.tolist() == [True, True, False, False]
