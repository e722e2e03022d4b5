"""How much of a planted truth the health scores recover, in the demo."""

import numpy as np
import pandas as pd

from facies.demo.portraits import HEALTH
from facies.explanation.associations import associations, largest_by_chance
from facies.explanation.direction import Direction, FoldModel, mean_cosine


def recovery(
    truth: pd.DataFrame,
    portraits: pd.DataFrame,
    models: list[FoldModel],
    directions: list[Direction],
    codes: pd.DataFrame,
    seed: int,
) -> dict:
    """Correlations of photos' health scores with what was planted (`truth`, by patient_id) and with
    what else was rendered (`portraits`, by photo_id), and the cosine of the folds' patterns with
    the planted one.

    The planted pattern is the covariance of codes with the true log hazard of the face, over all
    patients: how, in W+, faces of higher planted hazard differ on average.
    """
    means = codes.groupby("patient_id").mean()
    hazard = truth.log_hazard_face.loc[means.index]
    planted = (means - means.mean()).to_numpy().T @ (hazard - hazard.mean())
    cosines = [mean_cosine(np.stack([planted, d.pattern])) for d in directions]
    scores = _held_out_scores(models, directions, codes)
    rendered = portraits.loc[scores.photo_id]
    others = rendered[[name for name in rendered if name not in (*HEALTH, "seed")]]
    signs = truth[["log_hazard_face", *HEALTH]].loc[scores.patient_id]
    return {
        "cosine": {"value": np.mean(cosines), "low": min(cosines), "high": max(cosines)},
        "planted": associations(scores, signs, seed),
        "nuisance": associations(scores, others, seed),
        "chance": largest_by_chance(scores, others, seed),
    }


def _held_out_scores(models, directions, codes) -> pd.DataFrame:
    """Health scores of the photos of held-out patients (patient_id, photo_id, fold, score), in SDs
    of risk, in the first repeat that has models."""
    tables = []
    for model, direction in zip(models, directions, strict=True):
        if model.repeat == models[0].repeat:
            held = codes.loc[model.test_ids]
            table = held.index.to_frame(index=False).assign(fold=model.fold)
            tables.append(table.assign(score=-direction.risk(held.to_numpy()) / direction.sd))
    return pd.concat(tables, ignore_index=True)
