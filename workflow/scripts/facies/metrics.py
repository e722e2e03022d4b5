"""Scores of predicted risk: scikit-survival's metrics, guarded, and intervals over folds.

The IPCW metrics raise on patients beyond the training follow-up; here all of them end at a
horizon set by the training fold. A score that cannot be computed is NaN, never an exception.
"""

import numpy as np
from scipy.stats import t as student
from sksurv.compare import compare_survival
from sksurv.exceptions import NoComparablePairException
from sksurv.metrics import (
    concordance_index_censored,
    concordance_index_ipcw,
    integrated_brier_score,
)
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from facies.cox import Outcome


def c_index(outcome: Outcome, risk) -> float:
    """Harrell's C: the share of comparable pairs in which the higher risk died first."""
    if not outcome.event.any() or np.isnan(risk).any():
        return np.nan
    try:
        return float(concordance_index_censored(outcome.event, outcome.time, risk)[0])
    except NoComparablePairException:
        return np.nan


def uno_c(train: Outcome, test: Outcome, risk, end: float) -> float:
    """Uno's C until ``end``, pairs weighted by the training fold's censoring distribution."""
    if not test.event[test.time < end].any() or np.isnan(risk).any():
        return np.nan
    try:
        return float(concordance_index_ipcw(_surv(train), _surv(test), risk, end)[0])
    except NoComparablePairException:
        return np.nan


def integrated_brier(train: Outcome, test: Outcome, survival, times) -> float:
    """Integrated Brier score of ``survival`` (n, len(times)) on rising ``times`` up to the horizon.

    Times outside the test patients' follow-up are left out: no patient informs them.
    """
    # The weights end where the training follow-up does.
    times = times[times < train.time.max()]
    survival = survival[:, : len(times)]
    if len(times) < 2:
        return np.nan
    end = times[-1]
    # Whoever is followed beyond the horizon is a survivor at every time that is scored.
    beyond = test.time > end
    clipped = Outcome(np.where(beyond, end * (1 + 1e-9), test.time), test.event & ~beyond)
    informed = (times >= clipped.time.min()) & (times < clipped.time.max())
    if informed.sum() < 2 or np.isnan(survival).any():
        return np.nan
    return float(
        integrated_brier_score(_surv(train), _surv(clipped), survival[:, informed], times[informed])
    )


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


def kaplan_meier_at(outcome: Outcome, times) -> np.ndarray:
    """Kaplan-Meier survival at ``times``: the prediction that knows no features."""
    curve = kaplan_meier(outcome)
    return curve["survival"][np.searchsorted(curve["times"], times, side="right") - 1]


def log_rank(outcome: Outcome, groups) -> float:
    """P value of the log-rank test between ``groups`` (n,); NaN when there is only one."""
    if len(np.unique(groups)) < 2 or not outcome.event.any():
        return np.nan
    return float(compare_survival(_surv(outcome), np.asarray(groups))[1])


def nadeau_bengio(scores, test_to_train: float) -> tuple[float, float, float]:
    """Mean of the folds' scores with a 95 % interval that knows their training sets overlap.

    ``test_to_train`` is the size of a test fold over that of its training fold. The variance of
    the mean is (1/J + test_to_train) s^2 over J folds: Nadeau and Bengio, "Inference for the
    generalization error", Machine Learning 52 (2003) 239-81. NaN scores are left out.
    """
    scores = np.asarray(scores, float)
    scores = scores[~np.isnan(scores)]
    if len(scores) < 2:
        return (float(scores.mean()) if len(scores) else np.nan), np.nan, np.nan
    error = np.sqrt((1 / len(scores) + test_to_train) * scores.var(ddof=1))
    half = student.ppf(0.975, len(scores) - 1) * error
    return float(scores.mean()), float(scores.mean() - half), float(scores.mean() + half)


def _surv(outcome):
    return Surv.from_arrays(outcome.event, outcome.time)
