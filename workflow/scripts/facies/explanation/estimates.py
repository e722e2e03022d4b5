"""Estimates over faces with 95 % intervals: means, ratios of means, proportions."""

import numpy as np
from scipy.stats import binomtest

from facies.statistics.bootstrap import draw_patients, interval


def mean_estimate(values: np.ndarray, seed: int) -> dict | None:
    """Mean of values (n,) over faces, bootstrapping faces; None if there are none."""
    return _finite_interval(_bootstrap_means(values, seed)) if len(values) else None


def ratio_estimate(numerator: np.ndarray, denominator: np.ndarray, seed: int) -> dict | None:
    """Mean of one value per face (n,) over that of another, bootstrapping faces; None where the
    denominator is zero or there are no faces."""
    below = _bootstrap_means(denominator, seed) if len(denominator) else np.zeros(1)
    return _finite_interval(_bootstrap_means(numerator, seed) / below) if below.all() else None


def _finite_interval(estimates) -> dict | None:
    return interval(estimates) if np.isfinite(estimates).all() else None


def _bootstrap_means(values, seed) -> np.ndarray:
    """Mean over faces, and over those of each bootstrap sample, (1 + samples,)."""
    weights = draw_patients(np.arange(len(values)), np.zeros(len(values)), seed).weights
    return weights @ values / len(values)


def proportion(hits: np.ndarray) -> dict | None:
    """Proportion of hits (n,) with Wilson's interval, which also holds at 0 and 1; None if none."""
    if not len(hits):
        return None
    low, high = binomtest(int(np.sum(hits)), len(hits)).proportion_ci(method="wilson")
    return {"value": float(np.mean(hits)), "low": float(low), "high": float(high)}
