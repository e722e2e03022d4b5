"""Estimates over faces with 95 % intervals: means, ratios of means, proportions."""

import numpy as np

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
    """Proportion of hits (n,) with Wilson's interval, which also holds at 0 and 1; None if none.

    Wilson, J Am Stat Assoc 22 (1927) 209-12.
    """
    n, z = len(hits), 1.959964
    if not n:
        return None
    p, pull = float(np.mean(hits)), z * z / n
    half = z * np.sqrt(p * (1 - p) / n + pull / (4 * n))
    low, high = ((p + pull / 2 + side * half) / (1 + pull) for side in (-1, 1))
    return {"value": p, "low": float(max(low, 0)), "high": float(min(high, 1))}
