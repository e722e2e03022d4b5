"""What the generator of all photos gives away, counted by hand."""

import numpy as np
import pytest
from fits import fold_fit

from facies.evaluation import comparison
from facies.statistics.outcome import Outcome
from facies.survival.cox import fit_ridge
from facies.survival.folds import assign_folds


def fit(generator, repeat, fold):
    two, eight = (Outcome(np.arange(1.0, n + 1), np.ones(n, bool)) for n in (2, 8))
    return fold_fit(
        generator=generator,
        repeat=repeat,
        fold=fold,
        test_ids=np.array(["a", "b"]),
        test=two,
        train=eight,
    )


def score(value):
    """C in the sample and in two draws; the other scores are as wide."""
    return {name: value + np.array([0.0, -0.1, 0.1]) for name in comparison.SCORES}


def test_leakage_pairs_the_folds_that_have_both_generators():
    places = [(1, 1), (1, 2), (2, 1), (2, 2)]
    fits = {
        ("face", "full", "cohort", "coxph"): [fit("cohort", *place) for place in places],
        ("face", "full", "fold", "coxph"): [fit("fold", *place) for place in places[:2]],
        ("pixels", "full", "cohort", "coxph"): [fit("cohort", *place) for place in places],
    }
    scores = dict(
        zip(
            fits,
            [
                [score(c) for c in (0.70, 0.80, 0.1, 0.1)],  # of the second repeat there is no pair
                [score(c) for c in (0.68, 0.72)],
                [score(0.5)] * 4,
            ],
            strict=True,
        )
    )
    (row,) = comparison.leakage(scores, fits)
    assert (row["features"], row["view"], row["model"]) == ("face", "full", "coxph")
    assert (row["cohort"], row["fold"]) == pytest.approx((0.75, 0.70))
    # The differences are .02 and .08, and the same in all draws.
    gap = row["c_index"]
    assert [gap[name] for name in ("value", "low", "high")] == pytest.approx([0.05] * 3)
    # Nadeau and Bengio: variance .0018 x (1 / 2 + 1 / 1), t of one degree of freedom 12.7062.
    half = 12.7062 * (0.0018 * 1.5) ** 0.5
    assert gap["folds_low"] == pytest.approx(0.05 - half, abs=1e-5)
    assert gap["folds_high"] == pytest.approx(0.05 + half, abs=1e-5)


def test_the_variance_of_a_difference_is_inflated_for_folds_that_train_each_other():
    # Two folds, tested by models of eight: 1 + 2 x 2 / 8 times the variance of draws, SD .01.
    draws = np.array([0.0, *np.random.default_rng(0).normal(0, 0.01, 4000)])
    found = comparison.difference([0.05 + draws] * 2, [fit("cohort", 1, 1), fit("cohort", 1, 2)])
    assert found["value"] == pytest.approx(0.05)
    half = 1.96 * 0.01 * 1.5**0.5
    assert found["low"] == pytest.approx(0.05 - half, abs=2e-3)
    assert found["high"] == pytest.approx(0.05 + half, abs=2e-3)


def test_without_generators_per_fold_there_is_no_leakage():
    key = ("face", "full", "cohort", "coxph")
    assert comparison.leakage({key: [score(0.7)]}, {key: [fit("cohort", 1, 1)]}) == []


def test_whom_a_model_is_compared_with():
    rest = ("full", "cohort")
    assert comparison.counterparts(("fused", *rest, "coxph")) == [("clinical", *rest, "coxph")]
    assert comparison.counterparts(("face", *rest, "coxph")) == [
        ("pixels", *rest, "coxph"),
        ("discriminator", *rest, "coxph"),
        ("pixels", *rest, "cnn"),
    ]


def out_of_fold(seed, n=100, columns=20):
    """Fits of ridge Cox of a covariate that matters and of noise, in five folds."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(n, 1)), rng.normal(size=(n, columns))
    death, limit = rng.exponential(np.exp(-0.5 * x[:, 0])), rng.exponential(2, n)
    outcome = Outcome(np.minimum(death, limit), death <= limit)
    fold, ids = assign_folds(outcome, 5, seed), np.arange(n)
    fits = []
    for name, columns in (("clinical", x), ("face", noise)):
        for k in range(1, 6):
            train, test = fold != k, fold == k
            beta = fit_ridge(columns[train], outcome[train], 20.0)
            risk = columns @ beta
            made = {"test_ids": ids[test], "test": outcome[test], "train": outcome[train]}
            made |= {"test_risk": risk[test], "inner_oof_risk": risk[train]}
            fits.append(fold_fit(features=name, fold=k, **made))
    return fits[:5], fits[5:]


def test_noise_beside_a_risk_is_found_no_more_often_than_said():
    """Taken as given, the folds' models of noise look like news far too often: who is tested in one
    fold has trained the others."""
    found = []
    for seed in range(200):
        clinical, face = out_of_fold(seed)
        found.append(comparison.likelihood_ratio_test(face, clinical))
    assert np.mean([row["p"] < 0.05 for row in found]) < 0.06
    # Folds without anything in common would have a variance 9 / 4 as small.
    given = np.array([row["chi2"] for row in found]) * (1 + 5 * 20 / 80)
    assert np.mean(given > 3.84) > 0.09
