import numpy as np
import pandas as pd
import pytest

from facies.common.errors import InputError
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.folds import assign_folds, repeated_folds


def patients(n=103, deaths=0.4, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient_id": [f"p{i:03d}" for i in range(n)],
            "time": rng.exponential(30, n).round(1),
            "event": (rng.random(n) < deaths).astype(int),
        }
    )


@pytest.mark.parametrize("folds", [3, 5, 10])
@pytest.mark.parametrize("deaths", [0.1, 0.4, 0.9])
def test_folds_are_alike_in_size_and_events(folds, deaths):
    for seed in range(20):
        table = patients(deaths=deaths, seed=seed)
        fold = assign_folds(Outcome.of(table), folds, seed)
        for weights in (table.event, 1 - table.event, np.ones(len(table))):
            counts = np.bincount(fold, weights, minlength=folds + 1)[1:]
            assert counts.max() - counts.min() <= 1


def test_neighbours_in_time_meet_in_a_fold_as_often_as_any_two():
    # Of a dead patient's 59 companions in death, 11 are in the same of five folds.
    outcome = Outcome(np.arange(1.0, 121), np.arange(120) % 2 == 0)
    met = []
    for seed in range(300):
        fold = assign_folds(outcome, 5, seed)[outcome.event]
        met.append(np.mean(fold[1:] == fold[:-1]))
    assert np.mean(met) == pytest.approx(11 / 59, abs=0.01)


def test_the_true_risk_scores_in_folds_what_it_scores_in_the_cohort():
    rng, gaps = np.random.default_rng(0), []
    for seed in range(300):
        risk = rng.normal(0, 0.8, 100)
        death, limit = rng.exponential(np.exp(-risk)), rng.exponential(1.5, 100)
        outcome = Outcome(np.minimum(death, limit), death <= limit)
        fold = assign_folds(outcome, 5, seed)
        scores = [c_index(outcome[fold == k], risk[fold == k]) for k in range(1, 6)]
        gaps.append(np.mean(scores) - c_index(outcome, risk))
    # Stratified by time as well it is .007.
    assert np.mean(gaps) < 0.004


def test_every_repeat_assigns_each_patient_once_and_anew():
    table = repeated_folds(patients(), 5, 3, seed=1)
    assert table.groupby("repeat").patient_id.nunique().tolist() == [103] * 3
    assert len(table) == 3 * 103
    first, second = (table.fold[table.repeat == r].to_numpy() for r in (1, 2))
    assert (first != second).any()


def test_folds_follow_the_seed_not_the_order_of_the_rows():
    table = patients()
    again = repeated_folds(table.sample(frac=1, random_state=0), 5, 2, seed=1)
    pd.testing.assert_frame_equal(repeated_folds(table, 5, 2, seed=1), again)
    assert not repeated_folds(table, 5, 2, seed=2).equals(again)


@pytest.mark.parametrize(
    "table, message", [(patients(n=7), "too few"), (patients(deaths=0.0), "0 deaths")]
)
def test_cohorts_that_cannot_be_split_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        repeated_folds(table, 5, 1, seed=1)
