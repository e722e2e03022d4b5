"""Thirds of predicted risk: who is in them, their survival, and the test between them."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from facies.evaluation.inflation import thirds_inflation
from facies.statistics.kaplan_meier import kaplan_meier, log_rank
from facies.statistics.outcome import Outcome
from facies.survival.fits import KEYS

GROUPS = ("low risk", "medium risk", "high risk")


def patient_risks(fits) -> pd.DataFrame:
    """Table (patient_id, risk, time, event) of patients with at least one prediction.

    Raw risks of different folds share no scale. A patient's risk is the share of the training
    patients' out-of-fold risks that lie below the patient's own (ties count half), 0 to 1,
    averaged over repeats.
    """
    tables = []
    for fit in fits:
        train, risk = np.sort(fit.inner_oof_risk), fit.test_risk
        below = np.searchsorted(train, risk, "left") + np.searchsorted(train, risk, "right")
        tables.append(
            pd.DataFrame(
                {
                    "patient_id": fit.test_ids,
                    "risk": np.where(np.isnan(risk), np.nan, below / (2 * len(train))),
                    "time": fit.test.time,
                    "event": fit.test.event,
                }
            )
        )
    table = pd.concat(tables).dropna(subset="risk")
    return table.groupby("patient_id", as_index=False).mean()


def thirds(risks) -> np.ndarray:
    """Third of each of the ``risks`` (n,), 0 the lowest, ties together. They are ranked again,
    because means over repeats crowd in the middle."""
    ranks = (rankdata(risks) - 0.5) / max(len(risks), 1)
    return np.minimum((ranks * len(GROUPS)).astype(int), len(GROUPS) - 1)


def risk_groups(key, risks: pd.DataFrame, inflation: float) -> dict:
    """Kaplan-Meier curves of the thirds of ``patient_risks``, and the log-rank test between them,
    its variance times the ``thirds_inflation`` of the folds' ``inflation``."""
    outcome, group = Outcome.of(risks), thirds(risks.risk)
    curves = []
    for index in np.unique(group):
        members = outcome[group == index]
        curve = {name: np.round(v, 6).tolist() for name, v in kaplan_meier(members).items()}
        counts = {"n": len(members), "events": int(members.event.sum())}
        curves.append({"name": GROUPS[index], **curve, **counts})
    p = log_rank(outcome, group, thirds_inflation(inflation, "all")) if len(risks) else np.nan
    return {**dict(zip(KEYS, key, strict=True)), "groups": curves, "logrank_p": p}
