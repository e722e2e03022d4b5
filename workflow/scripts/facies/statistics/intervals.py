"""Intervals of a score over the folds of a cross-validation."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

TOO_WIDE = 0.25  # interval of C: half the way from chance to a perfect order


def nadeau_bengio(scores, folds: int) -> dict:
    """Mean ``value`` over folds with a 95 % interval, ``low`` to ``high``, that knows their
    training sets overlap.

    ``scores`` (folds x repeats, ...) are of all repeats of ``folds`` folds. The variance of the
    mean is (1 / K + test / train) s^2 over K folds, where a test fold is 1 / (K - 1) of its
    training fold: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52
    (2003) 239-81. Repeats make s^2 surer and add degrees of freedom; they hold no new patients, so
    that they do not divide it. NaN scores are left out; fewer than two have no interval.
    """
    scores = np.asarray(scores, float)
    scored = ~np.isnan(scores)
    count, repeats = scored.sum(0), max(len(scores) / folds, 1)
    divided = np.where(count > 0, count, np.nan)
    mean = np.nansum(scores, axis=0) / divided
    freedom = np.where(count > 1, count - 1, np.nan)
    variance = np.where(scored, (scores - mean) ** 2, 0).sum(0) / freedom
    error = np.sqrt((repeats / divided + 1 / max(folds - 1, 1)) * variance)
    half = student.ppf(0.975, freedom) * error
    ends = {"value": mean, "low": mean - half, "high": mean + half}
    return {name: end.tolist() for name, end in ends.items()}


def within_unit(symmetric: dict) -> dict:
    """The symmetric interval of a score between 0 and 1, taken to the logit scale by the delta
    method and back, so that it stays between them."""
    value = np.asarray(symmetric["value"], float)
    half = np.subtract(symmetric["high"], symmetric["value"])
    inside = (value > 0) & (value < 1)  # at the ends all folds score alike, and half is 0
    middle = np.where(inside, value, 0.5)
    steps = half / (middle * (1 - middle))
    ends = (np.where(inside, expit(logit(middle) + s * steps), value) for s in (-1, 1))
    return symmetric | dict(zip(("low", "high"), (end.tolist() for end in ends), strict=True))
