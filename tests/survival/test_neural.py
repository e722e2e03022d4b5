"""Networks against pycox, whose own predictions have traps for the unwary."""

import numpy as np
import pytest
import torch

from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.cox import survival_function
from facies.survival.designs import Split
from facies.survival.neural import MTLR, CoxCC, CoxTime, DeepHit, DeepSurv, LogisticHazard, PCHazard
from facies.survival.prediction import state, time_grid


def cohort(n=120, columns=5, seed=0):
    """Skewed times with ties, and a first column that matters."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    time = np.ceil(20 * rng.exponential(size=n) ** 2 * np.exp(-x[:, 0])) / 2
    limit = 40 * rng.exponential(size=n)
    return x, Outcome(np.minimum(time, limit), time <= limit)


def trained(kind, x, outcome, steps=20):
    torch.manual_seed(0)
    np.random.seed(0)
    model, target = kind.build(x.shape[1], outcome, 0.3)
    model.fit(x, target, len(x), steps, verbose=False, shuffle=False)
    return model


@pytest.mark.parametrize("kind", [LogisticHazard(), MTLR(), DeepHit(), PCHazard()])
def test_curves_equal_pycox_interpolated(kind):
    x, outcome = cohort()
    model = trained(kind, x, outcome)
    own = np.array(kind.read(model, x, x[:9], outcome))
    finer = model if isinstance(kind, PCHazard) else model.interpolate(10)
    reference = finer.predict_surv_df(x[:9])
    times = time_grid(outcome)
    expected = [np.interp(times, reference.index, curve) for curve in reference.to_numpy().T]
    # Before the first of its times a reference with mass at zero starts below one.
    later = times > reference.index[1]
    np.testing.assert_allclose(own[:, later], np.array(expected)[:, later], atol=1e-6)


@pytest.mark.parametrize("kind", [LogisticHazard(), MTLR(), DeepHit(), PCHazard()])
def test_intervals_hold_deaths_alike_though_times_are_skewed(kind):
    x, outcome = cohort(n=400)
    model, _ = kind.build(x.shape[1], outcome, 0.3)
    deaths = outcome.time[outcome.event]
    counts = np.histogram(deaths, model.duration_index)[0]
    assert len(counts) >= 8 and counts.max() < 0.4 * len(deaths)
    # Ten intervals of equal length would hold nearly all of them in the first.
    assert np.histogram(deaths, 10, (0, outcome.time.max()))[0].max() > 0.8 * len(deaths)


def test_coxtime_equals_pycox():
    x, outcome = cohort()
    outcome = outcome.ranked(0)  # pycox's baseline knows no ties
    model, kind = trained(CoxTime(), x, outcome), CoxTime()
    own = kind.read(model, x, x[:9], outcome)
    model.compute_baseline_hazards()
    reference = model.predict_surv_df(x[:9])
    place = np.searchsorted(reference.index, time_grid(outcome).astype(np.float32), "right") - 1
    np.testing.assert_allclose(own, reference.to_numpy().T[:, place], atol=1e-4)


def test_coxtime_counts_ties_as_efron_does(monkeypatch):
    x, outcome = cohort()
    coarse, kind = Outcome(np.ceil(outcome.time / 5), outcome.event), CoxTime()
    model = trained(kind, x, coarse)
    risk = np.linspace(-1, 1, len(x) + 9)
    monkeypatch.setattr(
        CoxTime, "_log_risks", lambda _, model, x, times: np.tile(risk[:, None], len(times))
    )
    own = kind.read(model, x, x[:9], coarse)
    expected = survival_function(risk[: len(x)], coarse, risk[len(x) :], time_grid(coarse))
    np.testing.assert_allclose(own, expected, rtol=1e-12)


def test_coxcc_curves_equal_pycox():
    x, outcome = cohort()
    outcome = outcome.ranked(0)  # pycox's baseline knows no ties
    kind = CoxCC()
    model = trained(kind, x, outcome)
    risk = kind.read(model, x, x[:9], outcome)
    times = time_grid(outcome)
    own = survival_function(risk[: len(x)], outcome, risk[len(x) :], times)
    model.compute_baseline_hazards()
    reference = model.predict_surv_df(x[:9])
    place = np.searchsorted(reference.index, times.astype(np.float32), "right") - 1
    np.testing.assert_allclose(own, reference.to_numpy().T[:, place], atol=1e-4)


def test_seed_of_a_network_is_its_own():
    assert state([1, 2, 0]) != state([1, 2, 1]) and state([1, 2]) == state([1, 2])


def test_log_risks_share_their_zero_and_know_no_order_among_the_tied():
    x, outcome = cohort()
    split = Split(np.arange(100), np.arange(100, 120), x[:100], x[100:])
    coarse = Outcome(np.ceil(outcome.time[:100] / 5), outcome.event[:100])
    model, candidates = DeepSurv(), [{"decay": 0.3, "epochs": 5}]
    path = model.predict(split, coarse, candidates, [1])
    assert path.train.mean() == pytest.approx(0, abs=1e-6)
    same = model.predict(split, coarse.ranked([1]), candidates, [1])
    np.testing.assert_array_equal(path.held, same.held)


def test_many_patients_are_learned_from_in_batches():
    x, outcome = cohort(n=300)
    split = Split(np.arange(200), np.arange(200, 300), x[:200], x[200:])
    model = DeepSurv()
    model.batch, model.members = 80, 1
    candidates = [{"decay": 0.3, "epochs": 10}]
    first, again = (model.predict(split, outcome[:200], candidates, [1]).held[0] for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert c_index(outcome[200:], first) > 0.7
