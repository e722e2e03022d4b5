from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fits import fold_fit

from facies.evaluation import pooled, subgroups
from facies.statistics.bootstrap import draw_patients
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome

TIMES = np.linspace(1, 10, 10)


def fold(number, ids, seed, reason=""):
    rng = np.random.default_rng(seed)
    n = len(ids)
    test = Outcome(rng.exponential(8, n).clip(0.1, 30), rng.random(n) < 0.7)
    train = Outcome(np.linspace(0.5, 20, 40), np.arange(40) % 2 == 0)
    survival = np.exp(-np.outer(rng.uniform(0.05, 0.2, n), TIMES))
    risk = -np.log(survival[:, 0]) + 100 * number  # each fold has its own scale
    return fold_fit(
        fold=number,
        test_ids=np.array(ids),
        test=test,
        train=train,
        test_risk=risk,
        inner_oof_risk=np.linspace(0, 2, 40),
        times=TIMES,
        survival=survival,
        reason=reason,
    )


@pytest.fixture(scope="module")
def folds():
    return [
        fold(1, [f"a{i:02d}" for i in range(30)], 0),
        fold(2, [f"b{i:02d}" for i in range(30)], 1),
    ]


def draws_of(folds, number=50):
    ids = np.concatenate([fit.test_ids for fit in folds])
    return draw_patients(ids, np.repeat([1, 2], 30), 3, number)


def test_columns_part_patients_without_rest():
    numbers = pd.Series([1, 2, 3, 4, 5, 6, np.nan])
    found = subgroups.groups_of(numbers)
    assert list(found) == ["up to 3.5", "above 3.5", "not known"]
    words = pd.Series(["I"] * 12 + ["II"] * 10 + ["odd", "rare"] + [None])
    found = subgroups.groups_of(words)
    assert {name: int(own.sum()) for name, own in found.items()} == {
        "I": 12,
        "II": 10,
        "other": 2,
        "not known": 1,
    }
    assert sum(own.astype(int) for own in found.values()).tolist() == [1] * 25


def test_few_different_numbers_are_categories():
    found = subgroups.groups_of(pd.Series([0] * 10 + [1] * 11))
    assert {name: int(own.sum()) for name, own in found.items()} == {"0": 10, "1": 11}


def test_the_group_of_everybody_has_the_folds_pairs_and_never_compares_them(folds):
    clinical = pd.DataFrame(
        {"all": "x", "half": ["x"] * 30 + ["y"] * 30},
        index=np.concatenate([fit.test_ids for fit in folds]),
    )
    rows = subgroups.subgroup_rows(folds, draws_of(folds), clinical, 5.0)
    first, second = (c_index(fit.test, fit.test_risk) for fit in folds)
    assert [row["c_index"]["value"] for row in rows[1:]] == pytest.approx([first, second])
    assert min(first, second) <= rows[0]["c_index"]["value"] <= max(first, second)
    assert rows[0]["n"] == 60 and rows[0]["events"] == rows[1]["events"] + rows[2]["events"]
    whole = pooled.joined([fit.test for fit in folds])
    expected = 1 - np.concatenate([pooled.survival_of(fit, [5.0])[:, 0] for fit in folds])
    ratio = (1 - kaplan_meier_at(whole, [5.0])[0]) / expected.mean()
    assert rows[0]["observed_to_expected"]["value"] == pytest.approx(ratio)
    assert rows[0]["c_index"]["low"] < rows[0]["c_index"]["value"] < rows[0]["c_index"]["high"]


def test_deaths_that_cannot_be_seen_or_did_not_happen_are_no_certain_zero(folds):
    ids = np.concatenate([fit.test_ids for fit in folds])
    whole = pooled.joined([fit.test for fit in folds])
    last = whole.time[(whole.time < 5.0) & ~whole.event].max()
    early = ids[whole.time <= last]  # the last of them was censored
    alive = ids[whole.time > 5.0][:12]
    kind = pd.Series("rest", ids)
    kind[early], kind[alive] = "early", "alive"
    rows = subgroups.subgroup_rows(folds, draws_of(folds), kind.to_frame("kind"), 5.0)
    found = {row["group"]: row for row in rows}
    assert found["early"]["reason"] == "nobody was followed to 5"
    assert np.isnan(list(found["early"]["observed_to_expected"].values())).all()
    none = found["alive"]["observed_to_expected"]
    assert found["alive"]["reason"] == "no death by 5" and none["value"] == 0
    assert np.isnan([none["low"], none["high"]]).all()
    rest = found["rest"]["observed_to_expected"]
    assert found["rest"]["reason"] == "" and rest["low"] < rest["value"] < rest["high"]


def test_small_groups_are_counted_only(folds):
    clinical = pd.DataFrame(
        {"site": [None] * 5 + ["x"] * 55}, index=np.concatenate([fit.test_ids for fit in folds])
    )
    rows = subgroups.subgroup_rows(folds, draws_of(folds), clinical, 5.0)
    assert rows[1] == {"column": "site", "group": "not known", "n": 5}


def test_horizons_are_the_deaths_or_the_asked_ones_within_the_follow_up():
    o = Outcome(np.arange(1.0, 12), np.ones(11, bool))
    assert pooled.choose_horizons([], o, 100.0) == ([6.0, 9.0], [])
    assert pooled.choose_horizons([3, 50], o, 8.5) == ([3.0, 8.5], [50])
    assert pooled.choose_horizons([], o, 5.0) == ([5.0], [])


def test_last_horizon_lies_within_every_fold(folds):
    assert pooled.last_horizon(folds) == 10
    short = fold(3, ["c"], 2)
    short = replace(short, train=Outcome(np.full(9, 4.0), np.ones(9, bool)))
    assert pooled.last_horizon([*folds, short]) == 3


def test_pooled_patients_stand_side_by_side(folds):
    (one,) = pooled.pool(
        [*folds, fold(3, ["c"], 4, reason="no events")], draws_of(folds), [2.0, 5.5]
    )
    assert one.ids.tolist() == [*folds[0].test_ids, *folds[1].test_ids] and set(one.fold) == {1, 2}
    own = folds[0].survival[0]
    assert one.predicted[0].tolist() == pytest.approx([1 - own[1], 1 - (own[4] + own[5]) / 2])
    assert one.censored.time.max() <= 10 and not one.censored.event[one.outcome.time > 10].any()
    assert abs(one.risk[one.fold == 2] - one.risk[one.fold == 1]).min() > 50  # scales differ
    assert one.weights.shape == (51, 60)
