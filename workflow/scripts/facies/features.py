"""Design matrices per patient, learned from the training patients of a split alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.errors import InputError

PIXEL_COMPONENTS = 60


@dataclass(frozen=True)
class Split:
    """What a model sees of one training set and of the patients held out from it.

    ``rows`` and ``held`` index the cohort; ``x`` (n, r) and ``x_held`` (m, r) are centred on the
    training patients; ``axes`` (r, p) leads coefficients of x back to columns, None if they are
    the columns.
    """

    rows: np.ndarray
    held: np.ndarray
    x: np.ndarray
    x_held: np.ndarray
    axes: np.ndarray | None = None


def read_table(path) -> pd.DataFrame:
    """A CSV table of the workflow: ids are text and only an empty cell is missing."""
    ids = {"photo_id": str, "patient_id": str}
    return pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""])


def load_design(features, path, photos, clinical: pd.DataFrame, rows, held):
    """Design of one feature set for the patients of ``clinical`` (patient_id is its index).

    ``path`` leads to the latents (face), the aligned photos (pixels), the fit of the face in the
    same fold (fused) or nowhere (clinical). In a fused design the face is one more column: its
    out-of-fold risk for the training patients ``rows``, and for the patients ``held`` out the
    risk under the model of the whole training fold.
    """
    if features == "clinical":
        return Table(clinical)
    with np.load(path, allow_pickle=False) as file:
        if features == "fused":
            risk = np.empty(len(clinical))
            risk[rows], risk[held] = file["train_risk"], file["test_risk"]
            return Table(clinical.assign(face_risk=risk))
        if features == "face":
            return Matrix(patient_means(file["photo_ids"], file["codes"], photos, clinical.index))
        pixels = small_images(file["images"])
        means = patient_means(file["photo_ids"], pixels, photos, clinical.index)
        return Matrix(means, rank=PIXEL_COMPONENTS)


def patient_means(photo_ids, values, photos: pd.DataFrame, patient_ids) -> np.ndarray:
    """Mean of ``values`` (photos, ...) over each patient's photos, float64 (patients, columns).

    ``photos`` joins photo_id to patient_id. Raises InputError for a patient without any value.
    """
    patient_of = photos.set_index("photo_id").patient_id
    row = pd.Index(patient_ids).get_indexer(patient_of.loc[list(photo_ids)])
    sums = np.zeros((len(patient_ids), int(np.prod(values.shape[1:]))))
    np.add.at(sums, row[row >= 0], values.reshape(len(values), -1)[row >= 0].astype(float))
    counts = np.bincount(row[row >= 0], minlength=len(patient_ids))
    if not counts.all():
        raise InputError(
            f"{(counts == 0).sum()} patients of the folds have no photo among the features, "
            f"the first is {patient_ids[counts.argmin()]}: run the workflow again from there"
        )
    return sums / counts[:, None]


def small_images(images, side=64) -> np.ndarray:
    """Images (n, R, R, 3) averaged down to at most ``side`` pixels, float32 in [0, 1]."""
    step = max(1, images.shape[1] // side)
    n, size = len(images), images.shape[1] // step
    blocks = images[:, : size * step, : size * step].reshape(n, size, step, size, step, 3)
    return (blocks.mean((2, 4), dtype=np.float32) / 255).astype(np.float32)


def principal_axes(x, rank=None):
    """Axes (r, p) with rows of unit length on which the centred rows of ``x`` (n, p) lie, by
    falling variance, numerically void ones left out."""
    wide = x.shape[1] > x.shape[0]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = np.flatnonzero(values > 1e-10 * max(values[0], 0))[:rank]
    if wide:
        return (vectors[:, keep] / np.sqrt(values[keep])).T @ x
    return vectors[:, keep].T


class Matrix:
    """Many numeric columns (codes, pixels), in their own scale, seen through principal axes.

    Columns are centred but not standardised: in W+ and in pixels all share one unit, and dividing
    by their spread would lift the coordinates in which faces hardly differ, which carry the noise
    of projection. ``rank`` limits the axes (PCA); None keeps all, so that ridge stays exact.
    """

    def __init__(self, values, rank=None):
        self.rank = rank
        # An isometry of the whole cohort's span: distances stay, so nothing is learned from it.
        centred = values - values.mean(0)
        self.basis = principal_axes(centred) if values.shape[1] > len(values) else None
        self.values = centred @ self.basis.T if self.basis is not None else values

    def split(self, rows, held) -> Split:
        """Principal axes of the rows ``rows``, and all rows seen on them."""
        mean = self.values[rows].mean(0)
        centred = self.values[rows] - mean
        axes = principal_axes(centred, self.rank)
        return Split(rows, held, centred @ axes.T, (self.values[held] - mean) @ axes.T, axes)

    def coefficients(self, split: Split, gamma) -> np.ndarray:
        """Coefficients (p,) of the original columns for ``gamma`` (r,) of the split's."""
        beta = split.axes.T @ gamma
        return beta if self.basis is None else self.basis.T @ beta


class Table:
    """Clinical columns: numbers by median and standard deviation, the rest as indicators.

    ``frame`` has one row per patient; a missing number takes the median and sets an indicator, a
    missing category is a category of its own. Raises InputError for a column without any value.
    """

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame.reset_index(drop=True)
        empty = [name for name in frame if frame[name].isna().all()]
        if empty:
            raise InputError(
                f"patients table: column {', '.join(empty)} holds no value for any patient: "
                "fill it or take it out of cohort.clinical"
            )

    def split(self, rows, held) -> Split:
        """Indicators, medians and scales of the rows ``rows``, applied to both."""
        parts = [self._encode(self.frame[name], rows) for name in self.frame]
        x = np.column_stack([column for part in parts for column in part])
        centre, scale = x[rows].mean(0), x[rows].std(0)
        varies = scale > 1e-12  # a column that is constant in training says nothing
        x = (x[:, varies] - centre[varies]) / scale[varies]
        return Split(rows, held, x[rows], x[held])

    @staticmethod
    def _encode(column, rows):
        """Columns (n,) of one variable, with what it needs learned from ``rows``."""
        missing = column.isna().to_numpy()
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
        if np.array_equal(np.isnan(numbers), missing):
            known = numbers[rows][~missing[rows]]
            filled = np.where(missing, np.median(known) if len(known) else 0.0, numbers)
            return [filled, missing.astype(float)]
        text = column.astype(str).to_numpy()
        levels = np.unique(text[rows][~missing[rows]])
        # The first level is the reference: its indicator follows from the others'.
        return [(~missing & (text == level)).astype(float) for level in levels[1:]] + [
            missing.astype(float)
        ]
