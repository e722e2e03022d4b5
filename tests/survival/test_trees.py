"""Anchors are the numbers that scikit-survival's user guide prints."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sksurv.datasets import load_breast_cancer, load_gbsg2
from sksurv.preprocessing import OneHotEncoder

from facies.statistics.outcome import Outcome
from facies.survival.cox import survival_function
from facies.survival.designs import Split
from facies.survival.prediction import state, time_grid
from facies.survival.trees import Boosting, Forest


def outcome_of(y):
    event, time = y.dtype.names
    return Outcome(y[time].astype(float), y[event])


def raw_split(train, held):
    """Columns as they are."""
    n = len(train)
    return Split(np.arange(n), np.arange(n, n + len(held)), np.asarray(train), np.asarray(held))


@pytest.fixture(scope="module")
def german():
    x, y = load_gbsg2()
    grade = x.tgrade.astype(str).map({"I": 0, "II": 1, "III": 2}).astype(float)
    x = OneHotEncoder().fit_transform(x.drop(columns="tgrade")).assign(tgrade=grade)
    return train_test_split(x, y, test_size=0.25, random_state=20)


def test_forest_as_published(german):
    train, held, y_train, y_held = german
    model = Forest()
    model.trees = 1000
    forest = model.grow(train.to_numpy(), outcome_of(y_train), 15, 20)
    assert forest.score(held.to_numpy(), y_held) == pytest.approx(0.67453, abs=5e-6)


def test_forest_predicts_its_own_risk_and_curves(german):
    train, held, y_train, _ = german
    model, outcome = Forest(), outcome_of(y_train)
    model.trees = 20
    path = model.predict(raw_split(train, held), outcome, [{"leaf": 15}], [3])
    forest = model.grow(train.to_numpy(), outcome, 15, state([3]))
    np.testing.assert_array_equal(path.held[0], forest.predict(held.to_numpy()))
    times = time_grid(outcome)
    for own, curve in zip(
        path.survival[0][:5], forest.predict_survival_function(held.to_numpy()[:5]), strict=True
    ):
        np.testing.assert_allclose(own, curve(times))


def test_boosting_as_published():
    x, y = load_breast_cancer()
    train, held, y_train, y_held = train_test_split(
        OneHotEncoder().fit_transform(x), y, test_size=0.25, random_state=0
    )
    model = Boosting()
    model.settings = {"learning_rate": 1.0}
    ensemble = model.grow(train.to_numpy(), outcome_of(y_train), 1, 100, 0)
    assert ensemble.score(held.to_numpy(), y_held) == pytest.approx(0.765, abs=5e-4)


def test_boosting_is_read_at_its_stages(german):
    train, held, y_train, _ = german
    model, outcome = Boosting(), outcome_of(y_train)
    candidates = [{"depth": 2, "stages": stages} for stages in (10, 30)]
    path = model.predict(raw_split(train, held), outcome, candidates, [3])
    ranked = outcome.ranked([3])
    for row, stages in enumerate((10, 30)):
        ensemble = model.grow(train.to_numpy(), ranked, 2, stages, state([3]))
        mean = ensemble.predict(train.to_numpy()).mean()
        np.testing.assert_allclose(path.held[row], ensemble.predict(held.to_numpy()) - mean)
    # The library's own curves are Breslow's, which are Efron's where no times are tied.
    times = np.quantile(ranked.time, [0.2, 0.5, 0.8])
    own = survival_function(path.train[1], ranked, path.held[1], times)
    curves = ensemble.predict_survival_function(held.to_numpy())
    np.testing.assert_allclose(own, [curve(times) for curve in curves])
