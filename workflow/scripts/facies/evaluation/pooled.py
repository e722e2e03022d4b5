"""The test patients of all folds side by side, one set for each repeat."""

from dataclasses import dataclass

import numpy as np

from facies.evaluation.inflation import variance_inflation
from facies.statistics import ipcw
from facies.statistics.bootstrap import Draws
from facies.statistics.outcome import Outcome


@dataclass(frozen=True)
class Pooled:
    """n test patients of one repeat, k of whose horizons are looked at.

    ``risk`` (n,) is in standard deviations of each fold's training risks, to be compared within
    ``fold`` (n,) only; ``predicted`` (n, k) is the probability of death by each horizon and
    ``horizon_weights`` (n, k) the IPCW weight then; ``censored`` is the outcome censored at the end
    of the fold's predictions, with the ``survival`` (n,) predicted for that time; ``weights``
    (1 + draws, n) are the draws of patients. ``inflation`` is the folds' ``variance_inflation``.
    """

    ids: np.ndarray
    fold: np.ndarray
    outcome: Outcome
    risk: np.ndarray
    predicted: np.ndarray
    horizon_weights: np.ndarray
    censored: Outcome
    survival: np.ndarray
    weights: np.ndarray
    inflation: float


def last_horizon(fits) -> float:
    """The last time that every fold predicts and weights: no horizon can lie beyond it."""
    return float(min(fit.times[fit.times < fit.train.time.max()].max() for fit in fits))


def choose_horizons(asked, outcome: Outcome, end: float) -> tuple[list[float], list[float]]:
    """Horizons to look at, and those of ``asked`` that lie beyond ``end`` and were shortened to it.
    Without ``asked`` they are the times by which half and four fifths of the deaths happened."""
    horizons = asked or np.quantile(outcome.time[outcome.event], [0.5, 0.8]).tolist()
    return sorted({min(float(t), end) for t in horizons}), [t for t in asked if t > end]


def survival_of(fit, times) -> np.ndarray:
    """Predicted survival (n, k) of a fold's patients at ``times``, (k,) or each patient's own
    (n, k), by straight lines between the fit's times."""
    grid = np.concatenate([[0.0], fit.times])
    curves = np.column_stack([np.ones(len(fit.test_ids)), fit.survival])
    times = np.broadcast_to(times, (len(curves), np.shape(times)[-1]))
    return np.array([np.interp(t, grid, curve) for t, curve in zip(times, curves, strict=True)])


def standard_risk(fit) -> np.ndarray:
    """Risks of the test patients in standard deviations of the training patients' out-of-fold
    risks; only shifted where those do not vary."""
    sd = fit.inner_oof_risk.std()
    return (fit.test_risk - fit.inner_oof_risk.mean()) / (sd if sd > 1e-9 else 1.0)


def pool(fits, draws: Draws, horizons) -> list[Pooled]:
    """A Pooled for each repeat, of the folds that have a model."""
    fits = [fit for fit in fits if not fit.reason]
    repeats = sorted({fit.repeat for fit in fits})
    return [_one_repeat([f for f in fits if f.repeat == r], draws, horizons) for r in repeats]


def _one_repeat(fits, draws, horizons):
    ids = np.concatenate([fit.test_ids for fit in fits])
    censored = [fit.test.censored_at(fit.times[-1]) for fit in fits]
    horizon_weights = [
        np.column_stack([ipcw.horizon_weights(fit.train, fit.test, h) for h in horizons])
        for fit in fits
    ]
    own_times = zip(fits, censored, strict=True)
    return Pooled(
        ids,
        np.repeat([fit.fold for fit in fits], [len(fit.test_ids) for fit in fits]),
        joined([fit.test for fit in fits]),
        np.concatenate([standard_risk(fit) for fit in fits]),
        1 - np.concatenate([survival_of(fit, horizons) for fit in fits]),
        np.concatenate(horizon_weights),
        joined(censored),
        np.concatenate([survival_of(fit, o.time[:, None])[:, 0] for fit, o in own_times]),
        draws.of(ids),
        variance_inflation(fits),
    )


def joined(outcomes) -> Outcome:
    """Outcomes one after the other."""
    time = np.concatenate([outcome.time for outcome in outcomes])
    return Outcome(time, np.concatenate([outcome.event for outcome in outcomes]))
