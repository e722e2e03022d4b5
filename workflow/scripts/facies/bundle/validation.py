"""How well a bundle predicts patients of another hospital: discrimination and calibration.

Nothing is learned from them. Intervals are of 95 %, from a bootstrap of patients.

References
----------
Crowson, Atkinson and Therneau, "Assessing calibration of prognostic risk scores", Stat Methods Med
Res 25 (2016) 1692-706: observed over expected deaths, and the slope of the log-risk.
"""

import numpy as np
import pandas as pd

from facies.bundle.locked import Bundle, LinearModel
from facies.evaluation.risk_groups import GROUPS
from facies.statistics import bootstrap, hazards
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import survival_with_interval
from facies.statistics.outcome import Outcome

SAMPLES = 500


def validate_all(bundle: Bundle, table: pd.DataFrame, outcomes: pd.DataFrame, rng) -> dict:
    """Validation by features of log-risks (patients, features), of patients with known ``outcomes``
    (time, event); without those features of which none of the patients died."""
    result = {}
    for features in table:
        risk = table[features].reindex(outcomes.index).dropna()
        outcome = Outcome.of(outcomes.loc[risk.index])
        if outcome.event.any():
            result[features] = validate(bundle.model(features), risk.to_numpy(), outcome, rng)
    return result


def validate(model: LinearModel, risk, outcome: Outcome, rng) -> dict:
    """Discrimination and calibration of log-risks (n,), each with its interval.

    ``observed_to_expected`` are the deaths until the model's horizon over those it expects;
    ``slope`` is 1 where the variance of risks is right, less where it is too large.
    """
    horizon = model.times[-1]
    followed = outcome.censored_at(horizon)
    dead = followed.event
    expected = np.exp(risk) * np.interp(followed.time, [0, *model.times], [0, *model.hazard])
    samples = [np.arange(len(risk))]
    samples += [rng.integers(len(risk), size=len(risk)) for _ in range(SAMPLES)]
    scores = {
        "c_index": [c_index(outcome[rows], risk[rows]) for rows in samples],
        "observed_to_expected": [dead[rows].sum() / expected[rows].sum() for rows in samples],
        "slope": [slope(risk[rows], outcome[rows]) for rows in samples],
    }
    result = {"patients": len(risk), "deaths": int(outcome.event.sum()), "horizon": horizon}
    result |= {"observed": int(dead.sum()), "expected": expected.sum()}
    for name, values in scores.items():
        estimate = bootstrap.interval(np.array(values))
        result[name] = estimate["value"]
        result |= {f"{name}_{end}": estimate[end] for end in ("low", "high")}
    return result | {"groups": survival_by_group(model, risk, outcome)}


def slope(risk, outcome: Outcome) -> float:
    """Coefficient of the log-risk in a Cox model of the outcome; NaN where there is none."""
    fit = hazards.fit_cox(risk[:, None], outcome, np.zeros(len(risk)))
    return np.nan if fit is None else float(fit.beta[0])


def survival_by_group(model: LinearModel, risk, outcome: Outcome) -> list[dict]:
    """Predicted and Kaplan-Meier survival of each risk group at the half and the whole horizon."""
    group, rows = model.group(risk), []
    for number in np.unique(group):
        members = group == number
        for time in (model.times[-1] / 2, model.times[-1]):
            observed = survival_with_interval(outcome[members], time)
            predicted = np.exp(-model.cumulative_hazard(risk[members], [time])).mean()
            rows.append(
                {"group": GROUPS[number], "patients": int(members.sum()), "time": time}
                | {"predicted": predicted, "observed": observed["survival"]}
                | {end: observed[end] for end in ("low", "high")}
            )
    return rows
