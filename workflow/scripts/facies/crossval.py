"""The nested protocol of one outer fold: tune on inner folds, refit on the training fold.

References
----------
Verweij and van Houwelingen, "Cross-validation in survival analysis", Stat Med 12 (1993) 2305-14.
"""

from dataclasses import dataclass

import numpy as np

from facies.cox import Outcome, log_likelihood
from facies.features import Split
from facies.folds import assign_folds


@dataclass(frozen=True)
class Fold:
    """Splits of one outer fold: ``whole`` (training against test) and those of the inner folds."""

    whole: Split
    inner: list[Split]


@dataclass(frozen=True)
class Fit:
    """One tuned model: log-risks of the training patients, out of the inner folds and as fitted,
    and of the test patients; ``coefficients`` (r,) of linear models, else None."""

    chosen: dict
    out_of_fold: np.ndarray
    fitted: np.ndarray
    test: np.ndarray
    coefficients: np.ndarray | None


def prepare(design, outcome: Outcome, train, test, inner_folds: int, seed) -> Fold:
    """Splits of ``design`` for the training patients ``train`` and test patients ``test``."""
    assigned = assign_folds(outcome[train], inner_folds, seed)
    inner = [
        design.split(train[assigned != k], train[assigned == k]) for k in range(1, inner_folds + 1)
    ]
    return Fold(design.split(train, test), inner)


def fit(fold: Fold, outcome: Outcome, model, seed) -> Fit:
    """Choose the candidate with the highest cross-validated likelihood, then refit it.

    Only ``outcome[fold.whole.rows]`` is read; ``outcome`` may hold anything for test patients.
    """
    whole, seed = fold.whole, list(np.atleast_1d(seed))
    candidates, scores, held = [], [], []
    more = model.candidates(whole, outcome[whole.rows], seed)
    while more:
        paths = [model.path(split, outcome[split.rows], more, seed) for split in fold.inner]
        scores.extend(cross_validated_likelihood(fold, paths, outcome))
        held.extend(np.concatenate([path.held for path in paths], axis=1))
        candidates.extend(more)
        best = int(np.argmax(scores))
        more = model.extend(candidates, best)
    path = model.path(whole, outcome[whole.rows], [candidates[best]], seed)
    # Inner folds come one after the other: put their patients back into the training order.
    order = np.argsort(np.concatenate([split.held for split in fold.inner]))
    rank = np.argsort(np.argsort(whole.rows))
    coefficients = None if path.coefficients is None else path.coefficients[0]
    return Fit(candidates[best], held[best][order][rank], path.train[0], path.held[0], coefficients)


def cross_validated_likelihood(fold: Fold, paths, outcome: Outcome) -> np.ndarray:
    """Verweij and van Houwelingen's sum over inner folds of l(all) - l(without the fold), (c,)."""
    total = 0.0
    for split, path in zip(fold.inner, paths, strict=True):
        everyone = np.concatenate([split.rows, split.held])
        risks = np.concatenate([path.train, path.held], axis=1)
        total = total + log_likelihood(risks, outcome[everyone])
        total = total - log_likelihood(path.train, outcome[split.rows])
    return total
