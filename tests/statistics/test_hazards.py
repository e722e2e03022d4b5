import numpy as np
import pytest
from scipy.stats import chi2
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from facies.statistics import hazards
from facies.statistics.outcome import Outcome
from facies.survival.cox import log_likelihood


def cohort(n, seed, effect=0.7):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    death, limit = rng.exponential(20 * np.exp(-effect * x[:, 0])), rng.exponential(30, n)
    return x, Outcome(np.ceil(np.minimum(death, limit)), death <= limit)


def test_coefficients_equal_scikit_survival_s():
    x, o = cohort(150, 0)
    fit = hazards.fit_cox(x, o, np.zeros(150))
    model = CoxPHSurvivalAnalysis(ties="efron", tol=1e-12).fit(x, Surv.from_arrays(o.event, o.time))
    np.testing.assert_allclose(fit.beta, model.coef_, atol=1e-7)
    assert fit.likelihood == pytest.approx(log_likelihood(x @ fit.beta, o))


def test_log_hazard_ratio_counted_by_hand():
    # Deaths of 1, 0 and 1 with 2:1, 1:1 and 1:0 at risk: two informative ones give
    # beta - log(2 e^b + 1) - log(e^b + 1), whose slope is nil at 2 e^(2b) = 1.
    o = Outcome(np.array([1.0, 2, 3]), np.ones(3, bool))
    fit = hazards.fit_cox(np.array([[1.0], [0], [1]]), o, np.zeros(3))
    assert np.exp(fit.beta[0]) == pytest.approx(1 / np.sqrt(2))
    assert fit.deaths.tolist() == [2, 1, 0]


def test_strata_add_their_likelihoods_and_never_compare_across():
    x, o = cohort(120, 1)
    strata = np.arange(120) % 3
    fit = hazards.fit_cox(x[:, :1], o, strata)
    alone = [log_likelihood(x[strata == k, 0] * fit.beta[0], o[strata == k]) for k in range(3)]
    assert fit.likelihood == pytest.approx(sum(alone))
    # A shift and nothing else parts the strata: the answer does not move.
    shifted = hazards.fit_cox(x[:, :1] + 50.0 * strata[:, None], o, strata)
    np.testing.assert_allclose(shifted.beta, fit.beta, atol=1e-8)


def test_what_fixes_no_answer_is_none():
    x, o = cohort(40, 2)
    nobody = Outcome(o.time, np.zeros(40, bool))
    assert hazards.fit_cox(x, nobody, np.zeros(40)) is None
    assert hazards.fit_cox(np.ones((40, 1)), o, np.zeros(40)) is None
    assert hazards.fit_cox(np.full((40, 1), np.nan), o, np.zeros(40)) is None
    perfect = -np.argsort(np.argsort(o.time))[:, None].astype(float)
    alone = Outcome(np.arange(40.0), np.ones(40, bool))
    assert hazards.fit_cox(perfect[np.argsort(o.time)], alone, np.zeros(40)) is None


def test_interval_and_p_value_are_wald_s():
    found = hazards.hazard_ratio(np.log(2), 0.04)
    assert found["value"] == pytest.approx(2)
    assert found["low"] == pytest.approx(2 * np.exp(-1.959964 * 0.2), rel=1e-6)
    assert found["p"] == pytest.approx(chi2.sf(np.log(2) ** 2 / 0.04, 1))


def test_intervals_hold_the_planted_hazard_ratio():
    held = 0
    for seed in range(200):
        x, o = cohort(80, seed)
        fit = hazards.fit_cox(x[:, :1], o, np.arange(80) % 4)
        found = hazards.hazard_ratio(fit.beta[0], fit.covariance[0, 0])
        held += found["low"] <= np.exp(0.7) <= found["high"]
    assert held / 200 > 0.9


def test_proportionality_tells_a_constant_hazard_ratio_from_a_vanishing_one():
    p_values = []
    for seed in range(150):
        x, o = cohort(100, seed)
        fit = hazards.fit_cox(x[:, :1], o, np.zeros(100))
        p_values.append(hazards.proportionality(fit, o))
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.05)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 400).astype(float)
    # Five times the hazard in the first ten months, the same hazard from then on.
    early = rng.exponential(20 / np.where(x, 5, 1))
    time = np.where(early < 10, early, 10 + rng.exponential(20, 400))
    o = Outcome(time, np.ones(400, bool))
    fit = hazards.fit_cox(x[:, None], o, np.zeros(400))
    assert hazards.proportionality(fit, o) < 1e-4


def test_deaths_at_one_time_alone_show_no_trend():
    x, o = cohort(40, 3)
    same = Outcome(np.where(o.event, 5.0, 9.0), o.event)
    fit = hazards.fit_cox(x[:, :1], same, np.zeros(40))
    assert np.isnan(hazards.proportionality(fit, same))


def test_added_likelihood_is_chi_squared_of_noise_and_large_for_what_is_new():
    found = []
    for seed in range(150):
        x, o = cohort(60, seed)
        found.append(hazards.likelihood_ratio(x[:, 1], x[:, 0], o, np.arange(60) % 3))
    assert min(found) > -1e-9
    assert np.mean(np.array(found) > chi2.isf(0.05, 1)) == pytest.approx(0.05, abs=0.05)
    x, o = cohort(200, 9)
    assert hazards.likelihood_ratio(x[:, 0], x[:, 1], o, np.zeros(200)) > 15
    assert np.isnan(hazards.likelihood_ratio(x[:, 0], x[:, 0], o, np.zeros(200)))
