"""Do as many patients die as predicted?

Probabilities of different folds share one scale, unlike risks, so that here the folds' test
patients stand together. ``horizon_weights`` are IPCW weights at the horizon (ipcw.py), and
``weights`` (draws, n) draws of patients, the first row of ones.

References
----------
Austin, Harrell and van Klaveren, "Graphical calibration curves and the integrated calibration
index (ICI) for survival models", Stat Med 39 (2020) 2714-42.
Gerds, Andersen and Kattan, "Calibration plots for risk prediction models in the presence of
competing risks", Stat Med 33 (2014) 3191-203: smoothing under censoring.
Haider et al., "Effective ways to build and evaluate individual survival distributions",
JMLR 21 (2020) 85: D-calibration.
"""

import numpy as np
from scipy.stats import chi2

from facies.statistics.kaplan_meier import survival_at, survival_with_interval
from facies.statistics.outcome import Outcome

SPAN = 0.75  # share of the patients that a point of the curve looks at, the usual choice of loess
BINS = 10
INFORMATIVE = 0.5  # share of deaths; under it D-calibration rejects the truth once in 1000 at 0.05


def observed_to_expected(outcome: Outcome, predicted, horizon: float, weights) -> np.ndarray:
    """Deaths by ``horizon`` (Kaplan-Meier) over those predicted, in each draw: calibration in the
    large, 1 if right, more if too few were predicted; NaN where nobody is drawn, or the
    last was censored before the horizon."""
    expected = weights @ predicted
    observed = (1 - survival_at(outcome, horizon, weights)) * weights.sum(1)
    return np.divide(observed, expected, out=np.full(len(weights), np.nan), where=expected > 0)


def grouped(outcome: Outcome, predicted, horizon: float, groups=5) -> list[dict]:
    """Mean prediction and Kaplan-Meier estimate with interval in equal groups by prediction."""
    rows = []
    for group in np.array_split(np.argsort(predicted, kind="stable"), groups):
        if not len(group):
            continue
        survival = survival_with_interval(outcome[group], horizon)
        names = {"observed": "survival", "low": "high", "high": "low"}
        row = {"n": len(group), "predicted": float(predicted[group].mean())}
        rows.append(row | {name: 1 - survival[of] for name, of in names.items()})
    return rows


def smooth(dead, predicted, horizon_weights, grid, weights) -> np.ndarray:
    """Observed share of deaths (draws, len(grid)) where ``grid`` was predicted: loess, that is
    lines fitted to the nearest three quarters of the patients by their distance, ``dead`` (n,)
    weighted by ``horizon_weights``."""
    distance = predicted - grid[:, None]
    nearest = int(np.ceil(SPAN * len(predicted))) - 1
    width = np.partition(np.abs(distance), nearest, axis=1)[:, [nearest]]
    kernel = (1 - np.clip(np.abs(distance) / np.maximum(width, 1e-12), 0, 1) ** 3) ** 3
    kernel = kernel * horizon_weights
    n, x, xx, y, xy = (
        weights @ (kernel * factor).T
        for factor in (1.0, distance, distance**2, dead, distance * dead)
    )
    variance = n * xx - x**2
    # Where all predictions are the same there is no line, but there is a mean.
    flat = variance <= 1e-9 * n**2
    mean = np.divide(y, n, out=np.full(n.shape, np.nan), where=n > 0)
    line = np.divide(xx * y - x * xy, variance, out=mean.copy(), where=~flat)
    return np.clip(line, 0, 1)


def distances(curve, grid, predicted) -> np.ndarray:
    """Distance (draws, n) between the curve (draws, len(grid)) and the diagonal at each patient's
    prediction."""
    right = np.clip(np.searchsorted(grid, predicted), 1, len(grid) - 1)
    share = (predicted - grid[right - 1]) / np.maximum(grid[right] - grid[right - 1], 1e-12)
    share = np.clip(share, 0, 1)
    observed = curve[:, right - 1] * (1 - share) + curve[:, right] * share
    return np.abs(observed - predicted)


def indices(distance, weights) -> dict[str, np.ndarray]:
    """Mean (``ici``), median (``e50``) and 90th percentile (``e90``) of ``distance`` (draws, n) in
    each draw, (draws,)."""
    median, ninth = np.quantile(
        distance, [0.5, 0.9], axis=1, weights=weights, method="inverted_cdf"
    )
    return {"ici": (weights * distance).sum(1) / weights.sum(1), "e50": median, "e90": ninth}


def survival_bins(outcome: Outcome, survival) -> np.ndarray:
    """Patients in tenths of their predicted ``survival`` (n,) at their own last time, (10,), from
    0 up. A censored patient would have died at some lower survival, and is shared among those."""
    edges = np.linspace(0, 1, BINS + 1)
    survival = np.clip(survival, 1e-12, 1.0)
    tenth = np.minimum((survival * BINS).astype(int), BINS - 1)
    shares = np.clip(survival[:, None] - edges[:-1], 0, 1 / BINS) / survival[:, None]
    return np.where(outcome.event[:, None], np.eye(BINS)[tenth], shares).sum(0)


def d_calibration(bins) -> float:
    """P value of the chi-squared test that ``survival_bins`` are equally full: predicted survival
    at death should be any number between 0 and 1 as often as any other.

    The censored fill the bins as the model itself predicts, so that p grows towards 1 with their
    share: a small p speaks against the curves at any share, a large one for them only where at
    least ``INFORMATIVE`` of the patients died.
    """
    expected = bins.sum() / len(bins)
    return float(chi2.sf(((bins - expected) ** 2 / expected).sum(), len(bins) - 1))
