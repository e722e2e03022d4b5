"""How a score goes together with what is known of patients: with traits, and with a planted truth.

Patients are the unit, drawn within folds; scores are standardised by their own fold's training
patients, because raw risks of different folds share no scale.
"""

import numpy as np
import pandas as pd

from facies.statistics.bootstrap import DRAWS, centred, draw_patients, interval
from facies.survival.clinical import ClinicalEncoder

CATEGORIES = ("background", "clothing", "hair_style")


def columns_of(values: pd.Series) -> np.ndarray:
    """A variable as numbers (n, q): a hue as a point on its circle, categories as indicators."""
    if values.name.endswith("_hue"):
        angle = 2 * np.pi * values.to_numpy(float)
        return np.column_stack([np.cos(angle), np.sin(angle)])
    if values.name in CATEGORIES:
        values = values.map("kind {}".format)
    return ClinicalEncoder.learn(values.to_frame(), np.arange(len(values)))(values.to_frame())


def correlation(score: np.ndarray, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Multiple correlation (draws,) of score (n,) with x (n, q) in draws, weights (draws, n).

    It is never negative; with a single column it bears its sign, and is Pearson's.
    """
    weights = weights / weights.sum(axis=1, keepdims=True)
    both = np.column_stack([score, x])
    means = weights @ both
    products = (both[:, :, None] * both[:, None, :]).reshape(len(both), -1)
    covariance = (weights @ products).reshape(len(weights), *[both.shape[1]] * 2)
    covariance = covariance - means[:, :, None] * means[:, None, :]
    own, with_x, among_x = covariance[:, 0, 0], covariance[:, 0, 1:], covariance[:, 1:, 1:]
    slopes = np.einsum("dij,dj->di", np.linalg.pinv(among_x, hermitian=True), with_x)
    explained = np.clip((slopes * with_x).sum(axis=1), 0, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt(explained / own)
    return found * np.sign(with_x[:, 0]) if x.shape[1] == 1 else found


def associations(score: pd.DataFrame, known: pd.DataFrame, seed: int) -> list[dict]:
    """Correlation of scores (patient_id, fold, score) with each column of `known`, row by row.

    A patient may have several rows, and is drawn with all of them. Returns rows of name, value,
    low, high and `signed`.
    """
    patients = score.drop_duplicates("patient_id")
    draws = draw_patients(patients.patient_id, patients.fold.to_numpy(), seed)
    weights = draws.of(score.patient_id)
    rows = []
    for name in known:
        x = columns_of(known[name].reset_index(drop=True))
        found = correlation(score.score.to_numpy(), x, weights)
        signed = x.shape[1] == 1
        # Drawing adds noise, and noise is correlation where there is no sign to cancel it.
        found = interval(found if signed else centred(found))
        rows.append({"name": name, **found, "signed": signed})
    return rows


def largest_by_chance(score: pd.DataFrame, known: pd.DataFrame, seed: int) -> dict:
    """How large the largest correlation with the columns of `known` gets where nothing goes
    together: its `median` and 95 % point `high` over shuffles, and the `count` of columns.

    Scores (patient_id, fold, score), row by row with `known`, are dealt out anew among patients of
    one fold with equally many photos (Westfall and Young, *Resampling-Based Multiple Testing*,
    1993).
    """
    values, random = score.score.to_numpy(float), np.random.default_rng(seed)
    rows = score.reset_index(drop=True).groupby(["fold", "patient_id"]).indices
    alike = {}
    for (fold, _), own in rows.items():
        alike.setdefault((fold, len(own)), []).append(own)
    dealt = np.repeat(values[None], DRAWS, axis=0)
    for own in map(np.array, alike.values()):  # (patients, photos)
        orders = random.permuted(np.tile(np.arange(len(own)), (DRAWS, 1)), axis=1)
        dealt[:, own] = values[own[orders]]
    dealt -= dealt.mean(axis=1, keepdims=True)
    largest = np.zeros(DRAWS)
    for name in known:
        x = columns_of(known[name].reset_index(drop=True))
        u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
        explained = np.linalg.norm(dealt @ u[:, s > 1e-9], axis=1) / np.linalg.norm(dealt, axis=1)
        largest = np.maximum(largest, explained)
    median, high = np.quantile(largest, [0.5, 0.95])
    return {"median": float(median), "high": float(high), "count": known.shape[1]}
