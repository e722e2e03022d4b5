"""Correlations of a score with what is known of patients.

Patients are the unit, bootstrapped within folds; scores are standardised by their own fold's
training patients, because raw risks of different folds share no scale.
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
    """Multiple correlation (samples,) of score (n,) with x (n, q), weights (samples, n).

    It is never negative; with a single column it has its sign, and is Pearson's.
    """
    weights = weights / weights.sum(axis=1, keepdims=True)
    both = np.column_stack([score, x])
    means = weights @ both
    products = (both[:, :, None] * both[:, None, :]).reshape(len(both), -1)
    covariance = (weights @ products).reshape(len(weights), *[both.shape[1]] * 2)
    covariance = covariance - means[:, :, None] * means[:, None, :]
    variance, with_x, among_x = covariance[:, 0, 0], covariance[:, 0, 1:], covariance[:, 1:, 1:]
    slopes = np.einsum("dij,dj->di", np.linalg.pinv(among_x, hermitian=True), with_x)
    explained = np.clip((slopes * with_x).sum(axis=1), 0, None)
    with np.errstate(invalid="ignore", divide="ignore"):
        multiple = np.sqrt(explained / variance)
    return multiple * np.sign(with_x[:, 0]) if x.shape[1] == 1 else multiple


def associations(score: pd.DataFrame, traits: pd.DataFrame, seed: int) -> list[dict]:
    """Correlation of scores (patient_id, fold, score) with each column of `traits`, row by row.

    A patient may have several rows, and is bootstrapped with all of them. Returns rows of name,
    value, low, high and `signed`.
    """
    patients = score.drop_duplicates("patient_id")
    draws = draw_patients(patients.patient_id, patients.fold.to_numpy(), seed)
    weights = draws.of(score.patient_id)
    rows = []
    for name in traits:
        x = columns_of(traits[name].reset_index(drop=True))
        values = correlation(score.score.to_numpy(), x, weights)
        signed = x.shape[1] == 1
        # The bootstrap adds noise, which is correlation where there is no sign to cancel it.
        estimate = interval(values if signed else centred(values))
        rows.append({"name": name, **estimate, "signed": signed})
    return rows


def largest_by_chance(score: pd.DataFrame, traits: pd.DataFrame, seed: int) -> dict:
    """How large the largest correlation with the columns of `traits` gets under independence: its
    `median` and 95 % point `high` over permutations, and the `count` of columns.

    Scores (patient_id, fold, score), row by row with `traits`, are permuted among patients of one
    fold with equally many photos (Westfall and Young, *Resampling-Based Multiple Testing*, 1993).
    """
    values, random = score.score.to_numpy(float), np.random.default_rng(seed)
    rows = score.reset_index(drop=True).groupby(["fold", "patient_id"]).indices
    alike = {}
    for (fold, _), photos in rows.items():
        alike.setdefault((fold, len(photos)), []).append(photos)
    permuted = np.repeat(values[None], DRAWS, axis=0)
    for group in map(np.array, alike.values()):  # (patients, photos)
        orders = random.permuted(np.tile(np.arange(len(group)), (DRAWS, 1)), axis=1)
        permuted[:, group] = values[group[orders]]
    permuted -= permuted.mean(axis=1, keepdims=True)
    lengths, largest = np.linalg.norm(permuted, axis=1), np.zeros(DRAWS)
    for name in traits:
        x = columns_of(traits[name].reset_index(drop=True))
        u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
        explained = np.linalg.norm(permuted @ u[:, s > 1e-9], axis=1) / lengths
        largest = np.maximum(largest, explained)
    median, high = np.quantile(largest, [0.5, 0.95])
    return {"median": float(median), "high": float(high), "count": traits.shape[1]}
