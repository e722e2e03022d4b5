"""Health scores of held-out patients: what they are, and what is left of them when adjusted.

Tables have a row per patient, repeat and adjustment ("" is as fitted), see `score_fold`.
"""

import numpy as np
import pandas as pd

from facies.explanation.associations import associations
from facies.explanation.direction import Direction, mean_cosine
from facies.statistics.concordance import c_index
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.outcome import Outcome


def health_scores(table: pd.DataFrame, ids) -> pd.DataFrame:
    """The health score in log hazard, as fitted and adjusted, each the mean over repeats.

    Higher is healthier, 0 the training patients' mean; empty for patients of folds without a model.
    """
    wide = -table.pivot_table("risk", "patient_id", "adjusted")
    wide = wide.reindex(index=ids, columns=table.adjusted.unique())
    names = {name: f"health, adjusted for {name}" if name else "health" for name in wide}
    return wide.rename(columns=names).rename_axis("patient_id")


def in_sds(table: pd.DataFrame) -> pd.DataFrame:
    """Each patient's health score in the first repeat, in SDs of the own fold's training risks."""
    first = table[table.repeat == table.repeat.min()]
    return first[["patient_id", "fold"]].assign(score=-first.risk / first.sd)


def adjusted_rows(
    table: pd.DataFrame, patients: pd.DataFrame, traits: pd.DataFrame, folds: int, seed: int
) -> list[dict]:
    """For the score as fitted and each adjustment: C, and the correlations left with traits."""
    rows = []
    for name in table.adjusted.unique():
        adjusted = table[table.adjusted == name]
        score = in_sds(adjusted)
        left = associations(score, traits.loc[score.patient_id], seed)
        c = remaining_c(adjusted, patients, folds)
        rows.append({"adjusted": name, "c_index": c, "correlations": left})
    return rows


def remaining_c(table: pd.DataFrame, patients: pd.DataFrame, folds: int) -> dict:
    """C over ``folds`` folds with Nadeau and Bengio's interval."""
    scores = [
        c_index(Outcome.of(patients.loc[held.patient_id]), held.risk.to_numpy())
        for _, held in table.groupby(["repeat", "fold"])
    ]
    return within_unit(nadeau_bengio(scores, folds))


def stability(directions: list[Direction]) -> dict:
    """Mean cosine between folds, of coefficients and of the patterns that edits follow."""
    return {
        name: mean_cosine(np.stack([getattr(d, name) for d in directions]))
        for name in ("beta", "pattern")
    }
