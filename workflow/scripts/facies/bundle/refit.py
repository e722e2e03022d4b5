"""The model of the bundle: refitted on all patients, its baseline hazard coarsened.

The baseline is that of the patients' inner out-of-fold risks, as in the folds (crossval.py): under
risks of the patients to whom the model was fitted it would predict too many deaths for others.
"""

import numpy as np

from facies.bundle.locked import LinearModel
from facies.bundle.schema import STEPS
from facies.common.errors import InputError
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.cox import baseline_hazard


def refit(design, held, columns, outcome: Outcome, model, inner_folds: int, seed):
    """Tune and fit a linear model on all n patients by the protocol of the folds.

    ``held`` are the rows of ``design`` at which they stand as outsiders would be seen, and
    ``columns`` (n, p), in the same order, what the coefficients are to multiply.
    Returns the LinearModel and the fit. Raises InputError when there are too few events.
    """
    if reason := crossval.too_few_events(outcome, inner_folds):
        raise InputError(f"no model can be bundled: {reason}")
    folds = crossval.prepare(design, outcome, np.arange(len(outcome)), held, inner_folds, seed)
    fit = crossval.fit(design, folds, outcome, model, seed)
    risk = fit.test_risk
    if fit.coefficients is not None:
        beta = fit.coefficients
    else:  # risks are linear in the columns; the least ones that give them are ridge's own
        beta = np.linalg.lstsq(columns - columns.mean(0), risk - risk.mean(), rcond=None)[0]
    intercept = float((risk - columns @ beta).mean())
    if not np.allclose(intercept + columns @ beta, risk, rtol=0, atol=1e-7):
        raise ArithmeticError("the refitted model is not linear in its columns")
    times, hazard = coarse_baseline(fit.inner_oof_risk, outcome)
    thresholds = np.quantile(fit.inner_oof_risk, [1 / 3, 2 / 3])
    return LinearModel(intercept, beta, thresholds, times, hazard), fit


def coarse_baseline(risk, outcome: Outcome):
    """Cumulative baseline hazard at the ends of STEPS equal intervals, up to the time (of two
    digits) for which at least a tenth of the patients were followed."""
    followed = np.quantile(outcome.time, 0.9)
    unit = 10.0 ** (np.floor(np.log10(followed)) - 1)
    horizon = np.floor(followed / unit) * unit
    times = np.linspace(0, horizon, STEPS + 1)[1:]
    event_times, hazard = baseline_hazard(risk, outcome)
    return times, np.concatenate([[0.0], hazard])[np.searchsorted(event_times, times, "right")]
