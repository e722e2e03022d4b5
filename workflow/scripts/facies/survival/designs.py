"""Design matrices per patient, learned from the training patients of a split alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.common.errors import InputError
from facies.common.rows import Rows, blocks
from facies.survival.clinical import ClinicalEncoder
from facies.survival.features import FeatureSet
from facies.survival.fits import FoldFit

WCCN_SHRINKAGE = 0.1


@dataclass(frozen=True)
class Split:
    """What a model sees of one training set and of the patients held out from it.

    ``rows`` and ``held`` index the cohort; ``x`` (n, r) and ``x_held`` (m, r) are centred on the
    training patients; ``axes`` (r, p) leads coefficients of x back to columns, None if they are
    the columns. Where the rows of ``x_held`` are photos, ``owner`` int (photos,) is the row in
    ``held`` of each one's patient. The last ``free`` columns are clinical, not to be penalised.
    """

    rows: np.ndarray
    held: np.ndarray
    x: np.ndarray
    x_held: np.ndarray
    axes: np.ndarray | None = None
    owner: np.ndarray | None = None
    free: int = 0


def load_design(
    features: FeatureSet, paths, photos, clinical: pd.DataFrame, train, held, each_photo=False
):
    """Design of a feature set, read from its ``paths``, for the patients of ``clinical``
    (patient_id is its index).

    A fit of the face in the same fold becomes one more clinical column: its out-of-fold risk for
    the patients ``train``, and for the patients ``held`` out the risk under the model of the whole
    training fold.
    """
    if features.array:
        limits = features.limits | {"each_photo": each_photo}
        design = load_photo_design(paths[0], features.array, photos, clinical.index, **limits)
        return JointDesign(design, ClinicalDesign(clinical)) if features.clinical else design
    if paths:
        fit, risk = FoldFit.load(paths[0]), np.empty(len(clinical))
        risk[train], risk[held] = fit.inner_oof_risk, fit.test_risk
        clinical = clinical.assign(face_risk=risk)
    return ClinicalDesign(clinical)


def load_photo_design(path, name, photos, patient_ids, **limits):
    """PhotoDesign of the ``codes`` of latents, the ``features`` of a network or the aligned
    ``images``, with its ``limits``."""
    with np.load(path, allow_pickle=False) as file:
        of_patients, owner = photo_owners(file["photo_ids"], photos, patient_ids)
    small = small_images if name == "images" else np.asarray
    rows, start = Rows(path, name), 0
    values = np.empty((len(owner), small(rows[:1]).size))
    for block in blocks(rows, of_patients):
        values[start : start + len(block)] = small(block).reshape(len(block), -1)
        start += len(block)
    if broken := len(values) - np.isfinite(values).all(axis=1).sum():
        raise InputError(
            f"{path}: {name} of {broken} of {len(values)} photos hold NaN or infinite numbers: "
            "delete the file and run the workflow again"
        )
    return PhotoDesign(values, owner, **limits)


def photo_owners(photo_ids, photos: pd.DataFrame, patient_ids):
    """For photos joined by ``photos`` to patients: which of them belong to ``patient_ids``, bool
    (n,), and the row of each one's patient, int. InputError for a patient without a photo."""
    patient_of = photos.set_index("photo_id").patient_id
    owner = pd.Index(patient_ids).get_indexer(patient_of.reindex(photo_ids))
    missing = np.setdiff1d(np.arange(len(patient_ids)), owner)
    if len(missing):
        raise InputError(
            f"{len(missing)} patients of the folds have no photo among the features: delete the "
            "folds, and run the workflow again"
        )
    return owner >= 0, owner[owner >= 0]


def patient_means(values, owner, patients: int) -> np.ndarray:
    """Rows of photos averaged per patient (patients, p), NaN where there is none; ``owner`` int
    (photos,) is the row of each photo's patient. A NaN of one photo is left out."""
    values = np.asarray(values, float).reshape(len(owner), -1)
    total, count = np.zeros((2, patients, values.shape[1]))
    np.add.at(total, owner, np.nan_to_num(values))
    np.add.at(count, owner, ~np.isnan(values))
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def patient_codes(latents, photos, patient_ids) -> np.ndarray:
    """Mean codes (n, num_ws * w_dim) of patients, ``latents`` being a file's ``photo_ids`` and
    ``codes``."""
    of_patients, owner = photo_owners(latents["photo_ids"], photos, patient_ids)
    return patient_means(latents["codes"][of_patients], owner, len(patient_ids))


def small_images(images, side=64) -> np.ndarray:
    """Images (n, R, R, 3) averaged down to at most ``side`` pixels, float32 in [0, 1]."""
    step = max(1, images.shape[1] // side)
    n, size = len(images), images.shape[1] // step
    blocks = images[:, : size * step, : size * step].reshape(n, size, step, size, step, 3)
    return (blocks.mean((2, 4), dtype=np.float32) / 255).astype(np.float32)


def principal_axes(x, rank=None):
    """Axes (r, p) with rows of unit length on which the centred rows of ``x`` (n, p) lie, by
    falling variance, numerically void ones left out; one of zeros where nothing varies."""
    wide = x.shape[1] > x.shape[0]
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    keep = np.flatnonzero(values > 1e-10 * max(values[0], 0))[:rank]
    if not len(keep):  # one axis of zeros: every model predicts the same for all
        return np.zeros((1, x.shape[1]))
    if wide:
        return (vectors[:, keep] / np.sqrt(values[keep])).T @ x
    return vectors[:, keep].T


class PhotoDesign:
    """Many numeric columns (codes, pixels) of each photo, averaged per patient and seen through
    principal axes. With ``each_photo``, patients held out are shown to the models photo by photo,
    to have their risks averaged (the same to linear models).

    Columns are centred but not standardised: in W+ and in pixels all share one unit, and dividing
    by their SD would lift the coordinates in which faces hardly differ, which carry the noise
    of projection. ``rank`` limits the axes (PCA); None keeps all, so that ridge stays exact.

    The metric ``wccn`` also shrinks the directions in which photos of one training patient
    differ (pose, light, expression), which no trait of the patient can explain: with S the
    covariance within patients, x becomes (S / s + 1)^(-1/2) x, s a tenth of S's mean eigenvalue.
    Hatch et al., "Within-class covariance normalization for SVM-based speaker recognition",
    Interspeech 2006. The inner folds choose the metric.
    """

    def __init__(self, values, owner, metrics=("plain", "wccn"), rank=None, each_photo=False):
        """``values`` (photos, p); ``owner`` int (photos,) the row of each photo's patient."""
        self.rank = rank
        photos = np.bincount(owner)
        self.metrics = metrics if (photos > 1).any() else ("plain",)
        # An isometry of the cohort's span, for speed: distances stay, so nothing is learned.
        centred = values - values.mean(0)
        self.basis = principal_axes(centred) if values.shape[1] > len(values) else None
        values = centred @ self.basis.T if self.basis is not None else centred
        self.means = patient_means(values, owner, len(photos))
        self.photos = (values, owner) if each_photo else None
        repeated = photos[owner] > 1
        self.owner = owner[repeated]
        self.deviations = values[repeated] - self.means[self.owner]

    def split(self, rows, held, metric="plain") -> Split:
        """Principal axes of the patients ``rows`` in a metric, and all patients seen on them."""
        mean = self.means[rows].mean(0)
        shrink = self._shrinkage(rows) if metric == "wccn" else lambda x: x
        centred = shrink(self.means[rows] - mean)
        axes = principal_axes(centred, self.rank)
        seen, owner = self._held_out(held)
        x_held = shrink(seen - mean) @ axes.T
        return Split(rows, held, centred @ axes.T, x_held, shrink(axes), owner)

    def _held_out(self, held):
        """Values of the patients ``held``, or of their photos with the row of each's patient."""
        if self.photos is None:
            return self.means[held], None
        values, owner = self.photos
        index = np.full(len(self.means), -1)
        index[held] = np.arange(len(held))
        theirs = index[owner] >= 0
        return values[theirs], index[owner[theirs]]

    def _shrinkage(self, rows):
        """The symmetric map of the metric ``wccn``, learned from the photos of ``rows``."""
        deviations = self.deviations[np.isin(self.owner, rows)]
        if not deviations.any():
            return lambda x: x
        freedom = len(deviations) - len(np.unique(self.owner[np.isin(self.owner, rows)]))
        axes = principal_axes(deviations)
        variances = ((deviations @ axes.T) ** 2).sum(0) / freedom
        factors = 1 / np.sqrt(variances / (WCCN_SHRINKAGE * variances.mean()) + 1)
        return lambda x: x - ((x @ axes.T) * (1 - factors)) @ axes

    def coefficients(self, split: Split, gamma) -> np.ndarray:
        """Coefficients (p,) of the original columns for ``gamma`` (r,) of the split's."""
        beta = split.axes.T @ gamma
        return beta if self.basis is None else self.basis.T @ beta


class ClinicalDesign:
    """Clinical columns: numbers by median and standard deviation, the rest as indicators.

    ``frame`` has one row per patient; a missing number takes the median and sets an indicator, a
    missing category is a category of its own. Raises InputError for a column without any value.
    """

    metrics = ("plain",)

    def __init__(self, frame: pd.DataFrame):
        self.frame = frame.reset_index(drop=True)
        empty = [name for name in frame if frame[name].isna().all()]
        if empty:
            raise InputError(
                f"patients table: column {', '.join(empty)} holds no value for any patient: "
                "fill it or take it out of cohort.clinical"
            )

    def split(self, rows, held, metric="plain") -> Split:
        """Indicators, medians and scales of the rows ``rows``, applied to both."""
        x = ClinicalEncoder.learn(self.frame, rows)(self.frame)
        return Split(rows, held, x[rows], x[held])


class JointDesign:
    """The axes of a PhotoDesign and the columns of a ClinicalDesign, for one model of both."""

    def __init__(self, photos: PhotoDesign, clinical: ClinicalDesign):
        self.photos, self.clinical, self.metrics = photos, clinical, photos.metrics

    def split(self, rows, held, metric="plain") -> Split:
        face = self.photos.split(rows, held, metric)
        clinical = self.clinical.split(rows, held)
        x_held = clinical.x_held if face.owner is None else clinical.x_held[face.owner]
        return Split(
            rows,
            held,
            np.hstack([face.x, clinical.x]),
            np.hstack([face.x_held, x_held]),
            owner=face.owner,
            free=clinical.x.shape[1],
        )
