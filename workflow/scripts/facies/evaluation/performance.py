"""One model in detail: curves over time, calibration, net benefit, hazards, subgroups.

Everything rests on out-of-fold predictions. Measures of order (C, AUC, hazard ratios) are taken
within folds; predicted probabilities stand side by side (``Pooled``), and repeats are averaged.
"""

import numpy as np

from facies.evaluation.inflation import fold_count, thirds_inflation
from facies.evaluation.pooled import Pooled, choose_horizons, last_horizon, pool, survival_of
from facies.evaluation.risk_groups import thirds
from facies.evaluation.subgroups import subgroup_rows
from facies.statistics import calibration, decision_curves, hazards, ipcw
from facies.statistics.bootstrap import DRAWS, Draws, average, centred, inflated, interval
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome
from facies.survival.fits import KEYS

TIMES = 20
GRID = 50
THRESHOLDS = np.arange(0.05, 0.951, 0.05)


def measure_all(fits: dict, risks: dict, draws: Draws, patients, settings: dict) -> dict:
    """The measures of every model, ``fits`` and ``patient_risks`` by key, at the horizons of the
    settings, as far as the folds reach. ``patients`` are those with folds."""
    end = last_horizon([fit for folds in fits.values() for fit in folds])
    horizons, shortened = choose_horizons(settings["horizons"], Outcome.of(patients), end)
    clinical = patients.set_index("patient_id")[settings["clinical"]]
    rows = []
    for key, folds in fits.items():
        row = dict(zip(KEYS, key, strict=True))
        row |= measure(folds, draws, horizons, end, risks[key])
        rows.append(row | {"subgroups": subgroup_rows(folds, draws, clinical, horizons[0])})
    ends = {"horizons": horizons, "shortened": shortened, "end": end}
    return {"draws": DRAWS, **ends, "models": rows}


def measure(fits, draws: Draws, horizons, end: float, risks) -> dict:
    """The measures of one model's folds as plain values; ``risks`` are ``patient_risks``."""
    sets = pool(fits, draws, horizons)
    if not sets:
        return {}
    return {
        **over_time(fits, np.linspace(0, end, TIMES + 1)[1:]),
        "calibration": [calibrate(sets, k, horizon) for k, horizon in enumerate(horizons)],
        "d_calibration": d_calibrate(sets),
        "decision": [decide(sets, k, horizon) for k, horizon in enumerate(horizons)],
        "hazard": hazard_per_sd(sets),
        "proportional": proportional(sets[0]),
        "group_hazards": group_hazards(risks, sets[0].inflation),
    }


def over_time(fits, times) -> dict:
    """AUC and Brier score at ``times``, means over folds with Nadeau and Bengio's intervals, and
    the Kaplan-Meier curve's score."""
    aucs, scores, references = [], [], []
    for fit in fits:
        ones = np.ones((1, len(fit.test_ids)))
        aucs.append(ipcw.auc(fit.train, fit.test, fit.test_risk, times, ones)[0])
        for terms, survival in (
            (scores, survival_of(fit, times)),
            (references, np.tile(kaplan_meier_at(fit.train, times), (len(fit.test_ids), 1))),
        ):
            terms.append(ipcw.brier_terms(fit.train, fit.test, survival, times).mean(0))
    auc, brier, reference = (
        nadeau_bengio(rows, fold_count(fits)) for rows in (aucs, scores, references)
    )
    return {
        "times": times.tolist(),
        "auc": within_unit(auc),
        "brier": within_unit(brier),
        "brier_km": reference["value"],
    }


def calibrate(sets: list[Pooled], k: int, horizon: float) -> dict:
    """Calibration at the ``k``-th horizon: smooth curve, groups, ICI, observed to expected."""
    predicted = np.concatenate([s.predicted[:, k] for s in sets])
    grid = np.linspace(*np.quantile(predicted, [0.01, 0.99]), GRID)
    curves, indices, ratios = [], [], []
    for s in sets:
        p, dead = s.predicted[:, k], s.outcome.event & (s.outcome.time <= horizon)
        curves.append(calibration.smooth(dead, p, s.horizon_weights[:, k], grid, s.weights))
        distance = calibration.distances(curves[-1], grid, p)
        indices.append(calibration.indices(distance, s.weights))
        ratios.append(calibration.observed_to_expected(s.outcome, p, horizon, s.weights))
    slopes = [calibration_slope(s, k, horizon) for s in sets]
    return {
        "horizon": horizon,
        "grid": grid.tolist(),
        "curve": interval(average(curves)),
        "groups": calibration.grouped(sets[0].outcome, sets[0].predicted[:, k], horizon),
        **{
            name: interval(centred(average([made[name] for made in indices])))
            for name in ("ici", "e50", "e90")
        },
        "observed_to_expected": interval(average(ratios)),
        "slope": average_wald(slopes, sets[0].inflation),
    }


def calibration_slope(s: Pooled, k: int, horizon: float):
    """Cox regression, until the horizon, on the predictions' complementary log-log; folds are
    strata, because patients left out of a late-dying training fold die early."""
    p = np.clip(s.predicted[:, k], 1e-6, 1 - 1e-6)
    return hazards.fit_cox(np.log(-np.log1p(-p))[:, None], s.outcome.censored_at(horizon), s.fold)


def average_wald(made, inflation: float) -> dict:
    """The mean over repeats of one coefficient with its Wald interval."""
    beta, variance = averaged(made, inflation) or (np.nan, np.nan)
    half = float(hazards.NORMAL * np.sqrt(variance))
    return {"value": beta, "low": beta - half, "high": beta + half}


def averaged(made, inflation: float) -> tuple[float, float] | None:
    """The mean over repeats of a one-column model's coefficient, and its variance: ``inflation``
    times that of one repeat, because the same patients stand behind all of them. None where no
    repeat has one."""
    made = [fit for fit in made if fit is not None]
    if not made:
        return None
    variance = inflation * np.mean([fit.covariance[0, 0] for fit in made])
    return float(np.mean([fit.beta[0] for fit in made])), float(variance)


def averaged_ratio(made, inflation: float) -> dict | None:
    """The hazard ratio of what ``averaged`` gives."""
    estimate = averaged(made, inflation)
    return estimate and hazards.hazard_ratio(*estimate)


def d_calibrate(sets: list[Pooled]) -> dict:
    """D-calibration until the end of the predictions, the bins averaged over repeats, with the
    share of the patients that died by then, and whether with it a large p is informative."""
    bins = np.mean([calibration.survival_bins(s.censored, s.survival) for s in sets], axis=0)
    died = float(np.mean([s.censored.event.mean() for s in sets]))
    p = calibration.d_calibration(bins)
    informative = died >= calibration.INFORMATIVE
    return {"bins": bins.tolist(), "p": p, "died": died, "informative": informative}


def decide(sets: list[Pooled], k: int, horizon: float) -> dict:
    """Net benefit at the ``k``-th horizon of treating by the model, and of treating everybody."""
    curves, everybody = [], []
    for s in sets:
        p = s.predicted[:, k]
        curves.append(decision_curves.net_benefit(s.outcome, p, horizon, THRESHOLDS, s.weights))
        ones = np.ones((1, len(p)))
        everybody.append(
            decision_curves.net_benefit(s.outcome, np.ones(len(p)), horizon, THRESHOLDS, ones)[0]
        )
    return {
        "horizon": horizon,
        "thresholds": THRESHOLDS.tolist(),
        "model": interval(inflated(average(curves), sets[0].inflation)),
        "everybody": np.mean(everybody, axis=0).tolist(),
    }


def hazard_per_sd(sets: list[Pooled]) -> dict | None:
    """Hazard ratio per standard deviation of risk, folds as strata, a mean over repeats."""
    made = [hazards.fit_cox(s.risk[:, None], s.outcome, s.fold) for s in sets]
    return averaged_ratio(made, sets[0].inflation)


def proportional(s: Pooled) -> dict | None:
    """Is the hazard ratio of the risk the same all along? In the first repeat: the test by
    Schoenfeld residuals, and the hazard ratios before and after the deaths' median time."""
    fit = hazards.fit_cox(s.risk[:, None], s.outcome, s.fold)
    if fit is None:
        return None
    middle = float(np.median(s.outcome.time[s.outcome.event]))
    late = s.outcome.time > middle
    halves = {
        "before": hazards.fit_cox(s.risk[:, None], s.outcome.censored_at(middle), s.fold),
        "after": hazards.fit_cox(s.risk[late, None], s.outcome[late], s.fold[late]),
    }
    return {
        "p": hazards.proportionality(fit, s.outcome),
        "middle": middle,
        **{name: averaged_ratio([half], s.inflation) for name, half in halves.items()},
    }


def group_hazards(risks, inflation: float) -> list[dict]:
    """Hazard ratios of the medium and the high third of risk against the low one."""
    group, outcome = thirds(risks.risk), Outcome.of(risks)
    rows = []
    for number, name in ((1, "medium"), (2, "high")):
        compared = np.isin(group, [0, number])
        high = (group[compared] == number).astype(float)
        fit = hazards.fit_cox(high[:, None], outcome[compared], np.zeros(compared.sum()))
        if ratio := averaged_ratio([fit], thirds_inflation(inflation, name)):
            rows.append({"group": name, **ratio})
    return rows
