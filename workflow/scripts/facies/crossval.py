"""The nested protocol of one outer fold: tune on inner folds, refit on the training fold.

References
----------
Verweij and van Houwelingen, "Cross-validation in survival analysis", Stat Med 12 (1993) 2305-14.
"""

import json
from dataclasses import dataclass

import numpy as np

from facies.cox import Outcome, log_likelihood, survival_function
from facies.features import Split
from facies.folds import assign_folds


@dataclass(frozen=True)
class Fold:
    """Splits of one outer fold in one metric: ``whole`` (training patients against test patients)
    and those of the inner folds."""

    metric: str
    whole: Split
    inner: list[Split]


@dataclass(frozen=True)
class Fit:
    """One tuned model: log-risks of the training patients, out of the inner folds and as fitted,
    and of the test patients; ``coefficients`` (p,) of linear models of a matrix, else None."""

    chosen: dict
    out_of_fold: np.ndarray
    fitted: np.ndarray
    test: np.ndarray
    coefficients: np.ndarray | None


def prepare(design, outcome: Outcome, train, test, inner_folds: int, seed) -> list[Fold]:
    """Splits of ``design`` for patients ``train`` and ``test``, one Fold for each metric."""
    assigned = assign_folds(outcome[train], inner_folds, seed)
    inner = [(train[assigned != k], train[assigned == k]) for k in range(1, inner_folds + 1)]
    return [
        Fold(m, design.split(train, test, m), [design.split(*pair, m) for pair in inner])
        for m in design.metrics
    ]


def fit(design, folds: list[Fold], outcome: Outcome, model, seed) -> Fit:
    """Choose metric and candidate by the highest cross-validated likelihood, then refit.

    Only the outcomes of training patients are read; the others may hold anything.
    """
    seed = list(np.atleast_1d(seed))
    score, fold, chosen, held = max(
        (tune(fold, outcome, model, seed) for fold in folds), key=lambda tuned: tuned[0]
    )
    rows = fold.whole.rows
    path = model.path(fold.whole, outcome[rows], [chosen], seed)
    # Inner folds come one after the other: put their patients back into the training order.
    place = np.argsort(np.concatenate([split.held for split in fold.inner]))
    out_of_fold = held[place][np.argsort(np.argsort(rows))]
    coefficients = None
    if path.coefficients is not None and fold.whole.axes is not None:
        coefficients = design.coefficients(fold.whole, path.coefficients[0])
    chosen = {"metric": fold.metric, **chosen, "likelihood": round(float(score), 6)}
    return Fit(chosen, out_of_fold, path.train[0], path.held[0], coefficients)


def tune(fold: Fold, outcome: Outcome, model, seed):
    """The best score of the model's candidates, with the fold, the candidate and its log-risks of
    the inner folds' held-out patients."""
    candidates, scores, held = [], [], []
    more = model.candidates(fold.whole, outcome[fold.whole.rows], seed)
    while more:
        paths = [model.path(split, outcome[split.rows], more, seed) for split in fold.inner]
        scores.extend(cross_validated_likelihood(fold, paths, outcome))
        held.extend(np.concatenate([path.held for path in paths], axis=1))
        candidates.extend(more)
        best = int(np.argmax(scores))
        more = model.extend(candidates, best)
    return scores[best], fold, candidates[best], held[best]


def permuted_scores(design, outcome: Outcome, orders, folds, model, score, settings) -> np.ndarray:
    """Scores (orders, folds) of the nested protocol under each order of the outcomes.

    ``folds`` (n,) stay as they are, so each fold's rotations are made once for all orders.
    ``score(outcome, risk)`` rates a test fold; ``settings`` has seed and inner_folds.
    """
    scores = []
    for number in np.unique(folds):
        train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        seed = [settings["seed"], 1, int(number)]
        ready = prepare(design, outcome, train, test, settings["inner_folds"], seed)
        fits = [fit(design, ready, outcome[order], model, seed) for order in orders]
        scores.append(
            [
                score(outcome[order][test], made.test)
                for order, made in zip(orders, fits, strict=True)
            ]
        )
    return np.array(scores).T


def cross_validated_likelihood(fold: Fold, paths, outcome: Outcome) -> np.ndarray:
    """Verweij and van Houwelingen's sum over inner folds of l(all) - l(without the fold), (c,)."""
    total = 0.0
    for split, path in zip(fold.inner, paths, strict=True):
        everyone = np.concatenate([split.rows, split.held])
        risks = np.concatenate([path.train, path.held], axis=1)
        total = total + log_likelihood(risks, outcome[everyone])
        total = total - log_likelihood(path.train, outcome[split.rows])
    return total


def too_few_events(outcome: Outcome, inner_folds: int) -> str:
    """Why the training patients cannot be fitted, or ''."""
    events = int(outcome.event.sum())
    if events >= inner_folds:
        return ""
    return f"{events} events among the training patients are too few for {inner_folds} inner folds"


def result(fit: Fit, rows, outcome: Outcome) -> dict[str, np.ndarray]:
    """The arrays of a fit's file: risks, survival until the horizon, choice and coefficients.
    ``rows`` are the training patients."""
    times = time_grid(outcome[rows])
    survival = survival_function(fit.fitted, outcome[rows], fit.test, times)
    arrays = {
        "test_risk": fit.test,
        "train_risk": fit.out_of_fold,
        "times": times,
        "survival": survival,
        "chosen": json.dumps(fit.chosen),
    }
    if fit.coefficients is not None:
        arrays["coefficients"] = fit.coefficients
    return arrays


def no_result(train, held, outcome: Outcome) -> dict[str, np.ndarray]:
    """The same arrays of a fold without a model: NaN."""
    times = time_grid(outcome[train])
    return {
        "test_risk": np.full(len(held), np.nan),
        "train_risk": np.full(len(train), np.nan),
        "times": times,
        "survival": np.full((len(held), len(times)), np.nan),
        "chosen": "{}",
    }


def time_grid(train: Outcome, steps=100) -> np.ndarray:
    """Rising times from 0 (left out) to the horizon: a tenth of the training patients were
    followed for longer, so that censoring weights stay bounded."""
    return np.linspace(0, np.quantile(train.time, 0.9), steps + 1)[1:]
