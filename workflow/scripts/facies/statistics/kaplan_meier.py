"""Kaplan-Meier curves, follow-up and the log-rank test.

What cannot be computed is NaN, never an exception.
"""

import numpy as np
from scipy.stats import chi2
from sksurv.compare import compare_survival
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from facies.statistics.compiled import compiled
from facies.statistics.outcome import Outcome


def kaplan_meier(outcome: Outcome) -> dict[str, np.ndarray]:
    """Kaplan-Meier curve from time 0 with its log-log 95 % band, and the numbers at risk."""
    times, survival, (low, high) = kaplan_meier_estimator(
        outcome.event, outcome.time, conf_type="log-log"
    )
    at_risk = (outcome.time[:, None] >= times).sum(0)
    return {
        "times": np.concatenate([[0.0], times]),
        "survival": np.concatenate([[1.0], survival]),
        "low": np.concatenate([[1.0], low]),
        "high": np.concatenate([[1.0], high]),
        "at_risk": np.concatenate([[len(outcome)], at_risk]),
    }


def median_follow_up(outcome: Outcome) -> dict[str, float]:
    """Median time to censoring (``value``), with the 95 % interval that the log-log band cuts out
    of a half: Kaplan-Meier's with deaths and censoring exchanged. NaN what is never reached.

    Schemper and Smith, "A note on quantifying follow-up in studies of failure time", Control Clin
    Trials 17 (1996) 343-6.
    """
    curve = kaplan_meier(Outcome(outcome.time, ~outcome.event))

    def halved(part):
        reached = curve["times"][curve[part] <= 0.5]
        return float(reached[0]) if len(reached) else np.nan

    return {"value": halved("survival"), "low": halved("low"), "high": halved("high")}


def kaplan_meier_at(outcome: Outcome, times) -> np.ndarray:
    """Kaplan-Meier survival at ``times``: the prediction that knows no features."""
    curve = kaplan_meier(outcome)
    return curve["survival"][np.searchsorted(curve["times"], times, side="right") - 1]


def survival_with_interval(outcome: Outcome, time: float) -> dict[str, float]:
    """Kaplan-Meier ``survival`` at ``time`` with its log-log interval ``low`` to ``high``.

    NaN beyond the follow-up, and for the interval where nobody or everybody has died: it would be a
    point, as if that were certain.
    """
    curve = kaplan_meier(outcome)
    last = np.searchsorted(curve["times"], time, side="right") - 1
    estimate = {name: float(curve[name][last]) for name in ("survival", "low", "high")}
    if outcome.time.max() < time:
        return dict.fromkeys(estimate, np.nan)
    certain = estimate["survival"] in (0, 1)
    return estimate | {"low": np.nan, "high": np.nan} if certain else estimate


def survival_at(outcome: Outcome, horizon: float, weights) -> np.ndarray:
    """Kaplan-Meier survival at ``horizon`` in each draw of patients, ``weights`` (draws, n); NaN
    where the last of them was censored before."""
    by_time = outcome.order
    dies = outcome.event & (outcome.time <= horizon)
    survival = _product_limit(
        dies[by_time], outcome.risk_set_end + 1, np.ascontiguousarray(weights[:, by_time])
    )
    followed = weights @ (outcome.time >= horizon) > 0
    return np.where(followed | (survival == 0), survival, np.nan)


@compiled
def _product_limit(dies, tied_end, weights):
    """Product of 1 - deaths / at risk over times, for patients by falling time."""
    draws, n = weights.shape
    survival = np.ones(draws)
    for draw in range(draws):
        at_risk = 0.0
        start = 0
        while start < n:
            end, deaths = tied_end[start], 0.0
            for i in range(start, end):
                at_risk += weights[draw, i]
                if dies[i]:
                    deaths += weights[draw, i]
            if deaths > 0:
                survival[draw] *= 1.0 - deaths / at_risk
            start = end
    return survival


def log_rank(outcome: Outcome, groups, inflation: float) -> float:
    """P value of the log-rank test between ``groups`` (n,), its variance times ``inflation``; NaN
    when there is only one."""
    count = len(np.unique(groups))
    if count < 2 or not outcome.event.any():
        return np.nan
    surv = Surv.from_arrays(outcome.event, outcome.time)
    return float(chi2.sf(compare_survival(surv, np.asarray(groups))[0] / inflation, count - 1))
