"""Hazard ratios of a few columns within strata, their proportionality, and what one adds.

Strata are test folds: risks are compared within a fold, never between two. The models behind the
risks are taken as given.

References
----------
Breslow, "Covariance analysis of censored survival data", Biometrics 30 (1974) 89-99.
Grambsch and Therneau, "Proportional hazards tests and diagnostics based on weighted residuals",
Biometrika 81 (1994) 515-26.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm, rankdata

from facies.cox import Outcome

NORMAL = norm.ppf(0.975)
VOID = 1e-9  # share of the information at the start that fixes nothing any more


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios ``beta`` (p,), ``covariance`` (p, p), the log partial ``likelihood``, and
    the Schoenfeld ``residuals`` (deaths, p) with the deaths' ``times``."""

    beta: np.ndarray
    covariance: np.ndarray
    likelihood: float
    residuals: np.ndarray
    times: np.ndarray


def fit_cox(x, outcome: Outcome, strata, max_steps=50) -> CoxFit | None:
    """Cox regression on the columns ``x`` (n, p) with a baseline per stratum (Breslow's ties).

    None where the data fix no answer: no deaths, collinear columns, or perfect separation.
    """
    rows = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    parts = [(x[own], outcome[own]) for own in rows if outcome.event[own].any()]
    if not parts or np.isnan(x).any():
        return None
    beta = np.zeros(x.shape[1])
    value, residuals, information = _derivatives(parts, beta)
    least = VOID * np.trace(information)
    for _ in range(max_steps):
        # Under perfect separation coefficients grow and the information fades.
        if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= least:
            return None
        step = np.linalg.solve(information, residuals.sum(0))
        length = 1.0
        new = _derivatives(parts, beta + step)
        while not new[0] >= value - 1e-9 and length > 1e-6:  # NaN is no rise either
            length /= 2
            new = _derivatives(parts, beta + length * step)
        beta = beta + length * step
        value, residuals, information = new
        if np.abs(length * step).max() < 1e-9:
            times = np.concatenate([_falling_deaths(own) for _, own in parts])
            return CoxFit(beta, np.linalg.inv(information), value, residuals, times)
    return None


def _falling_deaths(outcome: Outcome):
    return outcome.time[outcome.order][outcome.event[outcome.order]]


def _derivatives(parts, beta):
    """Log-likelihood, residuals of the deaths (their sum is the gradient), and information."""
    value, residuals, information = 0.0, [], np.zeros((len(beta), len(beta)))
    for x, outcome in parts:
        x, died, end = x[outcome.order], outcome.event[outcome.order], outcome.risk_set_end
        risk = x @ beta
        weight = np.exp(risk - risk.max())
        total = np.cumsum(weight)[end]
        mean = np.cumsum(weight[:, None] * x, axis=0)[end] / total[:, None]
        squares = np.cumsum(weight[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)[end]
        spread = squares / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
        value += (risk - risk.max() - np.log(total))[died].sum()
        residuals.append((x - mean)[died])
        information += spread[died].sum(0)
    return value, np.concatenate(residuals), information


def hazard_ratio(beta: float, variance: float) -> dict[str, float]:
    """Hazard ratio with its 95 % interval (Wald) and p value."""
    error = np.sqrt(variance)
    return {
        "value": float(np.exp(beta)),
        "low": float(np.exp(beta - NORMAL * error)),
        "high": float(np.exp(beta + NORMAL * error)),
        "p": float(2 * norm.sf(abs(beta) / error)),
    }


def proportionality(fit: CoxFit) -> float:
    """P value of Grambsch and Therneau's test for one column: do its scaled Schoenfeld residuals
    follow the rank of time?"""
    trend = rankdata(fit.times) - (len(fit.times) + 1) / 2
    moment = trend @ fit.residuals[:, 0]
    variance = (trend**2).sum() / (fit.covariance[0, 0] * len(fit.times))
    return float(chi2.sf(moment**2 / variance, 1)) if variance > 0 else np.nan


def added_likelihood(own, other, outcome: Outcome, strata) -> float:
    """Likelihood ratio chi-squared (1 degree of freedom) of the risk ``own`` (n,) beside the risk
    ``other`` (n,), both out of fold; NaN where it is not defined."""
    both = fit_cox(np.column_stack([other, own]), outcome, strata)
    alone = fit_cox(np.asarray(other)[:, None], outcome, strata)
    return 2 * (both.likelihood - alone.likelihood) if both and alone else np.nan
