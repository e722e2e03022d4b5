"""The health direction: where in W+ the fitted hazard falls, learned fold by fold.

A Cox model says log hazard = beta . code. Its gradient beta is the shortest way to change the
hazard, but codes of one coordinate rarely move alone: a step along beta leaves the faces that
exist. Of all codes of a target risk, the closest in the Mahalanobis metric of the training
patients' codes lies along the pattern Sigma beta (by Lagrange): the pattern is also what a face
shows, on average, when its hazard differs (Haufe et al. 2014, NeuroImage 87:96).

Each fold has a direction of its own, so that a patient is scored and edited only by models that
were fitted to others.
"""

import dataclasses
from itertools import combinations

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.survival.clinical import ClinicalEncoder
from facies.survival.fits import FoldFit


@dataclasses.dataclass(frozen=True)
class FoldModel:
    """One fold's coefficients (p,) of W+ columns; `sd`, of the training patients' risks out of the
    inner folds, is the unit of risk."""

    repeat: int
    fold: int
    beta: np.ndarray
    sd: float
    train_ids: np.ndarray
    test_ids: np.ndarray


def read_models(paths: list[str]) -> list[FoldModel]:
    """The linear models among fits; a fold without one is left out. InputError if none has one."""
    models = []
    for fit in map(FoldFit.load, paths):
        if fit.coefficients is not None and np.abs(fit.coefficients).max() > 0:
            sd, ids = float(fit.inner_oof_risk.std()), (fit.train_ids, fit.test_ids)
            models.append(FoldModel(fit.repeat, fit.fold, fit.coefficients, sd, *ids))
    if not models:
        raise InputError("no fold has a model with coefficients: too few events to explain a face")
    return models


@dataclasses.dataclass(frozen=True)
class Direction:
    """A fold's risk as a function of codes: coefficients, pattern and mean code, (p,) each.

    The health direction is -beta. `sd` is the unit of risk, in log hazard.
    """

    beta: np.ndarray
    pattern: np.ndarray
    mean: np.ndarray
    sd: float

    def risk(self, codes: np.ndarray) -> np.ndarray:
        """Log hazard of codes (n, p) over that of the training patients' mean code."""
        return (codes - self.mean) @ self.beta

    @property
    def step(self) -> np.ndarray:
        """The shortest change of a code, in the codes' metric, that raises its risk by one SD."""
        return self.pattern * (self.sd / (self.beta @ self.pattern))

    @property
    def length(self) -> float:
        """Mahalanobis length of the step: how far a code moves for one SD of risk."""
        return float(self.sd / np.sqrt(self.beta @ self.pattern))


def learn_direction(beta: np.ndarray, codes: np.ndarray, sd: float) -> Direction:
    """From coefficients (p,) and the training patients' codes (n, p)."""
    mean = codes.mean(axis=0)
    centred = codes - mean
    # Sigma beta without the (p, p) covariance.
    return Direction(beta, centred.T @ (centred @ beta) / len(codes), mean, sd)


def mean_direction(directions: list[Direction]) -> Direction:
    """The folds' mean, for synthetic faces, which belong to no fold."""
    parts = ("beta", "pattern", "mean", "sd")
    return Direction(*(np.mean([getattr(d, part) for d in directions], axis=0) for part in parts))


def random_steps(codes: np.ndarray, length: float, count: int, random) -> np.ndarray:
    """Random changes (count, p) as the codes (n, p) have them, of one Mahalanobis `length`."""
    centred = codes - codes.mean(axis=0)
    weights = random.standard_normal((count, len(codes)))
    # Only the part of the weights in the column space of the codes has a length.
    q = np.linalg.svd(centred, full_matrices=False)[0][:, : np.linalg.matrix_rank(centred)]
    weights = weights @ q
    weights *= length / np.linalg.norm(weights, axis=1, keepdims=True)
    return weights @ q.T @ centred / np.sqrt(len(codes))


def ledoit_wolf(centred: np.ndarray) -> float:
    """Shrinkage of the covariance of centred rows (n, p) towards a sphere, 0 to 1.

    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    J Multivariate Anal 88 (2004) 365-411, lemmas 3.2 to 3.4, by the (n, n) Gram matrix.
    """
    n, p = centred.shape
    gram = centred @ centred.T / n
    square = (gram**2).sum()  # squared Frobenius norm of the covariance
    dispersion = square - np.trace(gram) ** 2 / p
    noise = (np.diag(gram) ** 2).sum() - square / n
    return float(np.clip(noise / dispersion, 0, 1)) if dispersion > 0 else 1.0


@dataclasses.dataclass(frozen=True)
class Reading:
    """Linear relation of columns (q) and codes (p) in training patients, arrays (p, q).

    `pattern` is their covariance A, `weights` W = M^-1 A the coefficients that predict the
    columns from codes, M being the codes' covariance shrunk by Ledoit and Wolf's share.
    """

    pattern: np.ndarray
    weights: np.ndarray


def read_columns(codes: np.ndarray, columns: np.ndarray) -> Reading:
    """Learned from training patients: codes (n, p), columns (n, q)."""
    centred, targets = codes - codes.mean(axis=0), columns - columns.mean(axis=0)
    share = ledoit_wolf(centred)
    u, s, axes = np.linalg.svd(centred, full_matrices=False)
    variances = s**2 / len(codes)
    seen = (s[:, None] * (u.T @ targets)) / len(codes)  # A on the principal axes
    shrunk = (1 - share) * variances + share * variances.sum() / codes.shape[1]
    return Reading(axes.T @ seen, axes.T @ (seen / np.maximum(shrunk, 1e-12)[:, None]))


def orthogonalise(beta: np.ndarray, reading: Reading, columns=slice(None)) -> np.ndarray:
    """beta (p,), changed as little as possible so that the training patients' risk does not vary
    with some `columns` of the reading.

    The least (b - beta)' M (b - beta) under A' b = 0 is b = beta - W (A' W)^-1 A' beta.
    """
    pattern, weights = reading.pattern[:, columns], reading.weights[:, columns]
    return beta - weights @ (np.linalg.pinv(pattern.T @ weights) @ (pattern.T @ beta))


def adjustments(frame: pd.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, dict[str, slice]]:
    """Columns of a patients' table as numbers (n, q), scaled by the training patients `rows`.

    With them which ones encode each of the table's columns, and, of several, all.
    """
    blocks, slices, start = [], {}, 0
    for name in frame:
        blocks.append(ClinicalEncoder.learn(frame[[name]], rows)(frame))
        slices[name] = slice(start, start := start + blocks[-1].shape[1])
    if len(slices) > 1:
        slices["all of them"] = slice(0, start)
    return np.hstack(blocks) if blocks else np.zeros((len(frame), 0)), slices


def score_fold(
    model: FoldModel, codes: pd.DataFrame, traits: pd.DataFrame
) -> tuple[dict[str, Direction], pd.DataFrame]:
    """Directions of one fold, as fitted ("") and by adjustment, and its test patients' risks.

    `codes` and `traits` have a row per patient; the table holds patient_id, repeat, fold,
    adjusted, risk (log hazard, out of fold) and sd. All is learned from the training patients.
    """
    train = codes.index.get_indexer(model.train_ids)
    train_codes = codes.to_numpy()[train]
    columns, slices = adjustments(traits, train)
    reading = read_columns(train_codes, columns[train])
    betas = {"": model.beta}
    betas |= {name: orthogonalise(model.beta, reading, some) for name, some in slices.items()}
    fitted_sd = (train_codes @ model.beta).std()
    directions = {
        name: learn_direction(beta, train_codes, model.sd * (train_codes @ beta).std() / fitted_sd)
        for name, beta in betas.items()
    }
    held = codes.loc[model.test_ids].to_numpy()
    tables = [
        pd.DataFrame(
            {
                "patient_id": model.test_ids,
                "repeat": model.repeat,
                "fold": model.fold,
                "adjusted": name,
                "risk": direction.risk(held),
                "sd": direction.sd,
            }
        )
        for name, direction in directions.items()
    ]
    return directions, pd.concat(tables, ignore_index=True)


def mean_cosine(vectors) -> float:
    """Over pairs of rows (k, p); NaN for a single one."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [float(a @ b) for a, b in combinations(unit, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")


def save_directions(path, models: list[FoldModel], shape, **kinds: list[Direction]) -> None:
    """Write the folds' directions of each kind (fitted, adjusted); `shape` is that of a code."""
    arrays = {name: [getattr(m, name) for m in models] for name in ("repeat", "fold")}
    for kind, directions in kinds.items():
        for part in dataclasses.fields(Direction):
            arrays[f"{kind}_{part.name}"] = np.stack([getattr(d, part.name) for d in directions])
    np.savez(path, shape=shape, **arrays)


@dataclasses.dataclass(frozen=True)
class FoldDirections:
    """Directions of one kind, those of the first repeat by fold; `mean` is that of all.

    `shape` is that of a code, (num_ws, w_dim).
    """

    shape: tuple[int, int]
    repeat: int
    by_fold: dict[int, Direction]
    mean: Direction


def load_directions(path, kind: str) -> FoldDirections:
    """What `save_directions` wrote, of one kind."""
    with np.load(path, allow_pickle=False) as file:
        parts = [file[f"{kind}_{part.name}"] for part in dataclasses.fields(Direction)]
        repeats, folds, shape = file["repeat"], file["fold"], tuple(file["shape"])
    directions = [Direction(*row) for row in zip(*parts, strict=True)]
    first = np.flatnonzero(repeats == repeats.min())
    by_fold = {int(folds[i]): directions[i] for i in first}
    return FoldDirections(shape, int(repeats.min()), by_fold, mean_direction(directions))
