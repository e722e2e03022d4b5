"""Refitted models, and their baseline."""

import numpy as np
from exponential import simulate

from facies.bundle.refit import coarse_baseline, refit
from facies.survival.cox import baseline_hazard
from facies.survival.designs import PhotoDesign
from facies.survival.models import MODELS


def test_the_baseline_of_a_bundle_is_that_of_risks_out_of_fold():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(150, 60))
    _, outcome = simulate(150)
    rows = np.arange(150)
    model, fit = refit(PhotoDesign(x, rows), rows, x, outcome, MODELS["coxph"], 4, [1])
    times, hazard = coarse_baseline(fit.inner_oof_risk, outcome)
    np.testing.assert_array_equal(model.times, times)
    np.testing.assert_array_equal(model.hazard, hazard)
    np.testing.assert_allclose(model.intercept + x @ model.coefficients, fit.test_risk, atol=1e-9)


def test_coarse_baseline_is_the_fine_one_at_its_ends():
    risk, outcome = simulate(300)
    times, hazard = coarse_baseline(risk, outcome)
    event_times, fine = baseline_hazard(risk, outcome)
    assert len(times) == 20 and times[-1] <= np.quantile(outcome.time, 0.9)
    assert f"{times[-1]:.2g}" == f"{times[-1]:g}"
    for time, value in zip(times, hazard, strict=True):
        assert value == fine[event_times <= time].max(initial=0)
