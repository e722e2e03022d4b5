"""The demo's planted log hazards: what the true model scores, and how much of them photos show."""

import numpy as np
import pandas as pd

from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.designs import PhotoDesign


def true_model(truth: pd.DataFrame, patients: pd.DataFrame, folds: pd.DataFrame) -> dict:
    """C of the planted log hazards (oracle), of the ``face`` and of ``all``: means over the folds,
    as the models'. ``truth`` and ``patients`` go by patient_id."""
    table = patients.join(truth[["log_hazard_face", "log_hazard"]])
    tests = [table.loc[fold.patient_id] for _, fold in folds.groupby(["repeat", "fold"])]
    return {
        name: float(np.nanmean([c_index(Outcome.of(t), t[hazard].to_numpy()) for t in tests]))
        for name, hazard in (("face", "log_hazard_face"), ("all", "log_hazard"))
    }


def probe(design: PhotoDesign, target, folds) -> float:
    """Correlation between ``target`` (n,) and what ridge regression reads of it from ``design``
    in held-out folds (n,); the penalty is chosen by leave-one-out in the training fold."""
    from sklearn.linear_model import RidgeCV

    predicted = np.empty(len(target))
    for fold in np.unique(folds):
        split = design.split(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
        penalties = np.linalg.norm(split.x, 2) ** 2 * np.logspace(0, -6, 25)
        ridge = RidgeCV(alphas=penalties).fit(split.x, target[split.rows])
        predicted[split.held] = ridge.predict(split.x_held)
    return float(np.corrcoef(predicted, target)[0, 1])
