import numpy as np
import pytest

from facies.statistics.outcome import Outcome
from facies.survival.models import MODELS
from facies.survival.prediction import (
    CandidatePredictions,
    longer,
    step_values,
    survival_likelihood,
    time_grid,
)


def test_likelihood_counted_by_hand():
    # A hundred times to 10, ten intervals of length 1; survival falls evenly from 1 to 0.5.
    times = np.linspace(0.1, 10, 100)
    survival = np.tile(1 - times / 20, (5, 1))
    outcome = Outcome(np.array([0.35, 1.0, 4.0, 12.0, 12.0]), np.array([1, 1, 0, 0, 1]) == 1)
    # Both deaths fall into (0, 1], of probability 1/20; then two that lived to 4 and to 10 at
    # least; who died after the horizon lived until then.
    expected = 2 * np.log(1 / 20) + np.log(1 - 4 / 20) + 2 * np.log(0.5)
    assert survival_likelihood(survival[None], outcome, times) == pytest.approx(expected)


def test_likelihood_prefers_the_truth():
    rng = np.random.default_rng(0)
    time, limit = rng.exponential(size=2000), rng.exponential(size=2000)
    outcome = Outcome(np.minimum(time, limit), time <= limit)
    times = time_grid(outcome)
    rates = np.array([0.7, 0.9, 1.0, 1.1, 1.4])
    curves = np.exp(-rates[:, None] * times)[:, None].repeat(2000, axis=1)
    assert survival_likelihood(curves, outcome, times).argmax() == 2


def test_what_was_held_impossible_costs_a_bounded_sum():
    outcome, times = Outcome(np.array([0.5]), np.array([True])), np.linspace(0.01, 1, 100)
    assert survival_likelihood(np.ones((1, 1, 100)), outcome, times) == pytest.approx(np.log(1e-3))


def test_steps_hold_from_their_time_on():
    known, values = np.array([1.0, 3.0]), np.array([[0.8, 0.5]])
    assert step_values(known, values, [0.5, 1, 2.9, 3, 9]).tolist() == [[1, 0.8, 0.8, 0.5, 0.5]]


def test_risk_of_a_curve_is_time_lost_beyond_the_average():
    outcome = Outcome(np.arange(1.0, 11), np.zeros(10, bool))  # nobody died: all live on
    path = CandidatePredictions.curves(np.array([[[1.0] * 100, [0.75] * 100]]), outcome)
    assert path.held.tolist() == [[0.0, 0.25]]


def test_photos_are_averaged_per_patient():
    survival = np.array([[[0.8], [0.2], [0.4], [0.5]]])
    photos = CandidatePredictions(np.array([[1.0, 2, 6, 9]]), survival=survival)
    mean = photos.per_patient(np.array([0, 1, 1, 2]))
    assert mean.held.tolist() == [[1, 4, 9]]
    np.testing.assert_allclose(mean.survival, [[[0.8], [0.3], [0.5]]])


def test_training_goes_on_where_the_longest_is_best():
    tried = [{"decay": d, "epochs": e} for d in (1, 2) for e in (5, 10, 50)]
    assert longer(tried, 4, "epochs", 200) == []  # a shorter one is best
    more = longer(tried, 5, "epochs", 200)
    assert more == [{"decay": 2, "epochs": e} for e in (60, 70, 80, 90, 100)]
    assert longer(tried + more, 2, "epochs", 200)[-1] == {"decay": 1, "epochs": 100}
    assert longer(tried + more, 5, "epochs", 200) == []  # its kin went on, to no avail
    assert longer(tried + more, 10, "epochs", 100) == []


@pytest.mark.parametrize(
    ("name", "candidate"),
    [("deepsurv", "epochs"), ("coxtime", "epochs"), ("cnn", "epochs"), ("boosting", "stages")],
)
def test_no_grid_ends_where_the_best_lies(name, candidate):
    model = MODELS[name]
    tried = model.candidates(None, None, [1])
    most = max(c[candidate] for c in tried)
    while more := model.extend(tried, len(tried) - 1):
        tried += more
    assert tried[-1][candidate] == model.longest >= 2 * most
