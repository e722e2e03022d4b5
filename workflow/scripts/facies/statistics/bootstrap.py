"""Bootstrap of patients within folds: how far would the scores move with other test patients?

The fitted models stay as they are, so the intervals do not hold what other training patients
would have made of them; ``intervals.nadeau_bengio`` does, and so do draws whose variance is
``inflated`` because the folds share patients. Patients are drawn, not photos and not predictions:
one who is tested in every repeat has one weight in all of them.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

DRAWS = 1000


@dataclass(frozen=True)
class Draws:
    """Weights (1 + draws, n) of the patients ``ids`` (n,); the first row of ones is the cohort."""

    ids: pd.Index
    weights: np.ndarray

    def of(self, ids) -> np.ndarray:
        """The weights (1 + draws, len(ids)) of some patients."""
        return self.weights[:, self.ids.get_indexer(ids)]


def draw_patients(ids, folds, seed, draws=DRAWS) -> Draws:
    """Multinomial weights within each of ``folds`` (n,): how often every patient is resampled."""
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + draws, len(ids)))
    for fold in np.unique(folds):
        patients = np.flatnonzero(folds == fold)
        chances = np.full(len(patients), 1 / len(patients))
        weights[1:, patients] = rng.multinomial(len(patients), chances, draws)
    return Draws(pd.Index(ids), weights)


def average(rows) -> np.ndarray:
    """Mean over folds of scores (folds, 1 + draws, ...), NaN left out; NaN if nothing is left."""
    rows = np.asarray(rows, float)
    count = (~np.isnan(rows)).sum(0)
    sums = np.nansum(rows, axis=0)
    return np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)


def inflated(scores, factor: float, within=(-np.inf, np.inf)) -> np.ndarray:
    """``scores`` (1 + draws, ...), the draws' variance about the sample's value, which comes first,
    multiplied by ``factor``; what then leaves the range ``within`` of the score is cut."""
    return np.clip(scores[0] + np.sqrt(factor) * (scores - scores[0]), *within)


def interval(scores) -> dict:
    """``value`` of the sample, first in ``scores`` (1 + draws, ...), with the draws' 2.5 and 97.5 %
    points as ``low`` and ``high``: numbers, or lists along the further axis."""
    value = scores[0]
    drawn = np.where(np.isnan(value), np.nan, scores[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing but NaN
        low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return {"value": value.tolist(), "low": low.tolist(), "high": high.tolist()}


def centred(scores) -> np.ndarray:
    """``scores`` (1 + draws,) of a distance, the draws moved to have the sample's value as mean and
    cut at 0: drawing adds noise, and noise is distance, so that drawn distances lie too high."""
    moved = scores - (np.nanmean(scores[1:]) - scores[0])
    return np.concatenate([scores[:1], np.maximum(moved[1:], 0.0)])


def p_value(differences) -> float:
    """Two-sided p of no difference: twice the share of draws on the other side of 0 than most,
    the sample counted as one of them; NaN without draws."""
    draws = differences[1:][~np.isnan(differences[1:])]
    if not len(draws) or np.isnan(differences[0]):
        return np.nan
    least = min((draws <= 0).sum(), (draws >= 0).sum())
    return float(min(1.0, 2 * (1 + least) / (1 + len(draws))))
