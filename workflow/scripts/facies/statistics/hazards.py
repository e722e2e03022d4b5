"""Hazard ratios of a few columns within strata, their proportionality, and likelihood ratios.

Strata are test folds: risks are compared within a fold, never between two. The models behind the
risks are taken as given.

References
----------
Efron, "The efficiency of Cox's likelihood function for censored data", JASA 72 (1977) 557-65.
Grambsch and Therneau, "Proportional hazards tests and diagnostics based on weighted residuals",
Biometrika 81 (1994) 515-26.
Therneau, R package survival, version 3, ``cox.zph``: their score test with the exact information.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm, rankdata

from facies.statistics.outcome import Outcome

NORMAL = norm.ppf(0.975)
VOID = 1e-9  # share of the information at the start that fixes nothing any more


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios ``beta`` (p,), ``covariance`` (p, p), the log partial ``likelihood``, and
    of every one of the ``deaths`` int (d,), rows of the data, the Schoenfeld ``residuals`` (d, p)
    and the ``information`` (d, p, p)."""

    beta: np.ndarray
    covariance: np.ndarray
    likelihood: float
    deaths: np.ndarray
    residuals: np.ndarray
    information: np.ndarray


def fit_cox(x, outcome: Outcome, strata, max_steps=50) -> CoxFit | None:
    """Cox regression on the columns ``x`` (n, p) with a baseline per stratum (Efron's ties).

    None where the data fix no answer: no deaths, collinear columns, or perfect separation.
    """
    rows = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    rows = [index[outcome[index].order] for index in rows if outcome.event[index].any()]
    parts = [(x[index], outcome[index]) for index in rows]
    if not parts or np.isnan(x).any():
        return None
    beta = np.zeros(x.shape[1])
    value, residuals, information = _derivatives(parts, beta)
    least = VOID * np.trace(information.sum(0))
    for _ in range(max_steps):
        total = information.sum(0)
        # Under perfect separation coefficients grow and the information fades.
        if not np.isfinite(total).all() or np.linalg.eigvalsh(total)[0] <= least:
            return None
        step = np.linalg.solve(total, residuals.sum(0))
        length = 1.0
        new = _derivatives(parts, beta + step)
        while not new[0] >= value - 1e-9 and length > 1e-6:  # NaN is no rise either
            length /= 2
            new = _derivatives(parts, beta + length * step)
        beta = beta + length * step
        value, residuals, information = new
        if np.abs(length * step).max() < 1e-9:
            deaths = np.concatenate([index[outcome.event[index]] for index in rows])
            covariance = np.linalg.inv(information.sum(0))
            return CoxFit(beta, covariance, value, deaths, residuals, information)
    return None


def _derivatives(parts, beta):
    """Log-likelihood, and residuals (their sum is the gradient) and information of each death, of
    strata whose patients stand by falling time."""
    value, residuals, information = 0.0, [], []
    for x, outcome in parts:
        died, risk = outcome.event, x @ beta
        weight = np.exp(risk - risk.max())
        total = outcome.risk_sums(weight)
        mean = outcome.risk_sums(weight[:, None] * x) / total[:, None]
        squares = outcome.risk_sums(weight[:, None, None] * x[:, :, None] * x[:, None, :])
        variance = squares / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
        value += (risk - risk.max() - np.log(total))[died].sum()
        residuals.append((x - mean)[died])
        information.append(variance[died])
    return value, np.concatenate(residuals), np.concatenate(information)


def hazard_ratio(beta: float, variance: float) -> dict[str, float]:
    """Hazard ratio with its 95 % interval (Wald) and p value."""
    error = np.sqrt(variance)
    return {
        "value": float(np.exp(beta)),
        "low": float(np.exp(beta - NORMAL * error)),
        "high": float(np.exp(beta + NORMAL * error)),
        "p": float(2 * norm.sf(abs(beta) / error)),
    }


def proportionality(fit: CoxFit, outcome: Outcome) -> float:
    """P value of Grambsch and Therneau's test of all columns: do coefficients change with the rank
    of time? It is the score test of the columns times the centred rank, as R's ``cox.zph`` with
    ``transform = "rank"``; NaN where the deaths' ranks do not vary."""
    trend = rankdata(outcome.time)[fit.deaths]
    trend = trend - trend.mean()
    score = trend @ fit.residuals
    plain, crossed, squared = (np.tensordot(trend**k, fit.information, 1) for k in (0, 1, 2))
    variance = squared - crossed @ np.linalg.solve(plain, crossed)
    if np.linalg.eigvalsh(variance)[0] <= VOID * np.trace(squared):
        return np.nan
    return float(chi2.sf(score @ np.linalg.solve(variance, score), len(score)))


def likelihood_ratio(added, other, outcome: Outcome, strata) -> float:
    """Likelihood-ratio chi-squared (1 degree of freedom) of the risk ``added`` (n,) to the risk
    ``other`` (n,), both out of fold; NaN where it is not defined."""
    both = fit_cox(np.column_stack([other, added]), outcome, strata)
    alone = fit_cox(np.asarray(other)[:, None], outcome, strata)
    return 2 * (both.likelihood - alone.likelihood) if both and alone else np.nan
