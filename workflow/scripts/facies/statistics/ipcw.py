"""Scores that weight patients by the inverse probability of not being censored (IPCW).

The point estimates are those of scikit-survival where no one of the training patients is censored
at the time of a death, and riskRegression's everywhere: a death at T has the weight 1 / G(T-),
because who dies at T need not have lived on without censoring through T. scikit-survival gives it
1 / G(T), so that with times in months or years the weights add up to more than all patients.
Every score takes draws of patients: ``weights`` (draws, n), one row of ones for the sample itself.
The training fold's censoring distribution gives the weights. Nothing can be weighted beyond its
follow-up: where the library raises, these scores end there (NaN at later times).

References
----------
Uno et al., "On the C-statistics for evaluating overall adequacy of risk prediction procedures
with censored survival data", Stat Med 30 (2011) 1105-17.
Uno et al., "Evaluating prediction rules for t-year survivors with censored regression models",
JASA 102 (2007) 527-37: the time-dependent AUC.
Gerds and Schumacher, "Consistent estimation of the expected Brier score in general survival models
with right-censored event times", Biom J 48 (2006) 1029-40: weights just before a death.
Graf et al., "Assessment and comparison of prognostic classification schemes for survival data",
Stat Med 18 (1999) 2529-45: the Brier score.
"""

import numpy as np
from sksurv.nonparametric import kaplan_meier_estimator

from facies.statistics.compiled import compiled
from facies.statistics.concordance import concordance, tied_ranks
from facies.statistics.outcome import Outcome


def inverse_censoring(train: Outcome, times, before=False) -> np.ndarray:
    """1 / P(not censored by ``times``), or ``before`` them, by Kaplan-Meier with deaths and
    censoring exchanged: at one time deaths come first. NaN from the end of the training follow-up
    on."""
    times = np.asarray(times, float)
    steps, uncensored = kaplan_meier_estimator(train.event, train.time, reverse=True)
    index = np.searchsorted(steps, times, side="left" if before else "right")
    uncensored = np.concatenate([[1.0], uncensored])[index]
    inside = times < train.time.max()
    return np.divide(1.0, uncensored, out=np.full(times.shape, np.nan), where=inside)


def horizon_weights(train: Outcome, test: Outcome, horizon: float) -> np.ndarray:
    """IPCW weights (n,) at ``horizon``: 1 / G(time-) for the dead, 1 / G(horizon) for
    those still there, 0 for whoever was censored before; NaN beyond the training follow-up."""
    if not horizon < train.time.max():
        return np.full(len(test), np.nan)
    dead = test.event * inverse_censoring(train, test.time, before=True)
    return np.where(test.time > horizon, inverse_censoring(train, horizon), dead)


def uno_c(train: Outcome, test: Outcome, risk, end: float, weights=None) -> np.ndarray:
    """Uno's C of each draw, (draws,), over deaths before ``end``."""
    end = min(end, train.time.max())
    case = test.event & (test.time < end)
    squares = np.zeros(len(test))
    squares[case] = inverse_censoring(train, test.time[case], before=True) ** 2
    return concordance(test, risk, weights, squares)


def auc(train: Outcome, test: Outcome, risk, times, weights) -> np.ndarray:
    """Cumulative/dynamic AUC (draws, len(times)): does the risk part those who died by a time from
    those who lived on? NaN where either are missing."""
    risk = np.asarray(risk, float)
    scores = np.full((len(weights), len(times)), np.nan)
    if np.isnan(risk).any():
        return scores
    rising = np.argsort(risk, kind="stable")
    lower, upper, _ = tied_ranks(risk[rising])
    test = test[rising]
    # A death that no time covers needs no weight.
    cases = test.event * np.nan_to_num(inverse_censoring(train, test.time, before=True))
    followed = np.flatnonzero(np.asarray(times) < train.time.max())
    scores[:, followed] = _auc(
        np.asarray(times, float)[followed],
        test.time,
        cases,
        lower,
        upper,
        np.ascontiguousarray(weights[:, rising]),
    )
    return scores


@compiled
def _auc(times, follow_up, cases, lower, upper, weights):
    """Share of the pairs of a case and a control in which the case has the higher risk, for
    patients by rising risk; ``cases`` are the weights of those who died."""
    draws, n = weights.shape
    scores = np.full((draws, len(times)), np.nan)
    below = np.zeros(n + 1)
    for draw in range(draws):
        for k in range(len(times)):
            for i in range(n):
                below[i + 1] = below[i] + weights[draw, i] * (follow_up[i] > times[k])
            won, total = 0.0, 0.0
            for i in range(n):
                if follow_up[i] <= times[k]:
                    case = weights[draw, i] * cases[i]
                    won += case * (below[lower[i]] + below[upper[i]]) / 2
                    total += case
            if total * below[n] > 0:
                scores[draw, k] = won / (total * below[n])
    return scores


def mean_auc(scores, survival) -> np.ndarray:
    """Mean over time of ``scores`` (draws, times), weighted by the fall of the Kaplan-Meier
    ``survival`` (times,): by how many died since the time before. Times without a score are out."""
    falls = -np.diff(survival, prepend=1.0)
    scored = ~np.isnan(scores)
    total = (scored * falls).sum(1)
    sums = np.where(scored, scores, 0.0) @ falls
    return np.divide(sums, total, out=np.full(len(scores), np.nan), where=total > 0)


def brier_terms(train: Outcome, test: Outcome, survival, times) -> np.ndarray:
    """Every patient's part (n, len(times)) in the Brier score of ``survival`` (n, len(times)): its
    mean over patients is the score. NaN at times beyond the training or the test follow-up."""
    times = np.asarray(times, float)
    dead = test.event[:, None] & (test.time[:, None] <= times)
    there = test.time[:, None] > times
    ends = times >= min(train.time.max(), test.time.max())
    # A death that no time covers needs no weight.
    at_death = np.nan_to_num(inverse_censoring(train, test.time, before=True))[:, None]
    terms = survival**2 * dead * at_death + (1 - survival) ** 2 * there * inverse_censoring(
        train, np.where(ends, 0.0, times)
    )
    return np.where(ends, np.nan, terms)


def integrated_brier(terms, times) -> np.ndarray:
    """Every patient's part (n,) in the integrated Brier score: the mean of ``terms`` over the
    times that are not beyond the follow-up. NaN with fewer than two such times."""
    followed = ~np.isnan(terms).all(axis=0)
    if followed.sum() < 2:
        return np.full(len(terms), np.nan)
    span = times[followed][-1] - times[followed][0]
    return np.trapezoid(terms[:, followed], times[followed], axis=1) / span


def weighted_mean(values, weights) -> np.ndarray:
    """Means of ``values`` (n, ...) in each draw, (draws, ...); NaN in a draw of nobody."""
    total = weights.sum(1).reshape(-1, *[1] * (np.ndim(values) - 1))
    with np.errstate(invalid="ignore"):
        return weights @ values / total
