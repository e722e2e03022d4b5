import numpy as np
import pandas as pd
import pytest

from facies.cox import Outcome
from facies.errors import InputError
from facies.folds import assign_folds, repeated_folds


def patients(n=103, deaths=0.4, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient_id": [f"p{i:03d}" for i in range(n)],
            "time": rng.exponential(30, n).round(1),
            "event": (rng.random(n) < deaths).astype(int),
        }
    )


def test_folds_are_alike_in_size_and_events():
    table = patients()
    fold = assign_folds(Outcome.of(table), 5, 1)
    assert sorted(np.bincount(fold)[1:]) == [20, 20, 21, 21, 21]
    events = np.bincount(fold, table.event)[1:]
    assert events.max() - events.min() <= 1


def test_folds_are_alike_in_times():
    # Ten deaths at times 1..10 in two folds: each pair (1, 2), (3, 4)... is split.
    fold = assign_folds(Outcome(np.arange(1.0, 11), np.ones(10, bool)), 2, 3)
    assert (fold.reshape(5, 2).sum(1) == 3).all()


def test_every_repeat_deals_each_patient_once_and_anew():
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
