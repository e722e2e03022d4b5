"""How a model performs in subgroups of the patients."""

import numpy as np
import pandas as pd

from facies.evaluation.pooled import pool
from facies.statistics import calibration
from facies.statistics.bootstrap import Draws, average, interval
from facies.statistics.concordance import count_pairs

FEWEST = 10  # patients; fewer could be identified, and give no estimate
LEVELS = 5


def groups_of(column: pd.Series) -> dict[str, np.ndarray]:
    """Names of the groups that a clinical column makes, each with its patients, bool (n,).

    Numbers (by the column's dtype) with more than five values are cut at their median; words that
    fewer than ten patients share are put together as ``other``.
    """
    missing, groups = column.isna(), {}
    numbers = pd.api.types.is_numeric_dtype(column)
    if numbers and column.nunique() > LEVELS:
        middle = column.median()
        groups = {f"up to {middle:g}": column <= middle, f"above {middle:g}": column > middle}
    else:
        words = column.map("{:g}".format if numbers else str).where(~missing)
        counts = words.value_counts()
        rare = words.isin(counts.index[counts < FEWEST])
        groups = {word: words == word for word in sorted(counts.index[counts >= FEWEST])}
        groups["other"] = rare
    groups["not known"] = missing
    return {name: members.to_numpy(bool) for name, members in groups.items() if members.any()}


def subgroup_rows(fits, draws: Draws, clinical: pd.DataFrame, horizon: float) -> list[dict]:
    """n, events, C and observed to expected deaths of every group of every column of ``clinical``
    (patient_id is its index).

    C counts the pairs within folds and adds them up over folds: a group has too few patients for a
    C of each fold. Groups under ten patients are counted, but not scored. ``reason`` says why a
    ratio of deaths has no value or no interval, else it is ''.
    """
    fits = [fit for fit in fits if not fit.reason]
    sets = pool(fits, draws, [horizon])
    rows = []
    for name in clinical:
        for group, members in groups_of(clinical[name]).items():
            ids = clinical.index[members]
            row = {"column": name, "group": group, "n": len(ids)}
            if len(ids) >= FEWEST and fits:
                row |= _scores(fits, sets, draws, ids, horizon)
            rows.append(row)
    return rows


def _scores(fits, sets, draws, ids, horizon):
    concordant, comparable = 0.0, 0.0
    for fit in fits:
        members = pd.Index(fit.test_ids).isin(ids)
        counts = count_pairs(
            fit.test[members], fit.test_risk[members], draws.of(fit.test_ids[members])
        )
        concordant, comparable = concordant + counts[0], comparable + counts[1]
    c_index = np.divide(
        concordant, comparable, out=np.full(len(draws.weights), np.nan), where=comparable > 0
    )
    ratios = []
    for s in sets:
        members = pd.Index(s.ids).isin(ids)
        ratios.append(
            calibration.observed_to_expected(
                s.outcome[members], s.predicted[members, 0], horizon, s.weights[:, members]
            )
        )
    events = int(sets[0].outcome.event[pd.Index(sets[0].ids).isin(ids)].sum())
    ratio, reason = interval(average(ratios)), ""
    if np.isnan(ratio["value"]):
        reason = f"nobody was followed to {horizon:g}"
    elif ratio["value"] == 0:  # in every draw as well, as if that were certain
        ratio, reason = ratio | {"low": np.nan, "high": np.nan}, f"no death by {horizon:g}"
    return {
        "events": events,
        "c_index": interval(c_index),
        "observed_to_expected": ratio,
        "reason": reason,
    }
