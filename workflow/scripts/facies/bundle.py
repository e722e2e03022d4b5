"""A locked model in one safetensors file: numbers and words that can execute nothing.

The file holds the tuned networks, the linear survival models refitted on the whole cohort, and
moments of the cohort; its metadata hold a card with every setting that decides what a photo
becomes. No patient's value is in it: the baseline hazard is given at the ends of ``STEPS`` equal
intervals, thresholds are quantiles, the rest are means and spreads over patients.
"""

import dataclasses
import json
import struct
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facies import gate
from facies.encoding import Column, Encoder
from facies.errors import InputError
from facies.features import photo_owners
from facies.store import digest

FORMAT = 1  # raised when an older version could misread what a newer one writes, or the reverse
STEPS = 20  # of the baseline hazard; finer ones would tell when single patients died
LARGEST_CARD = 10**8  # bytes
NETWORKS = ("generator", "discriminator", "encoder")
MEASURES = {  # of a photo, to see whether others' photos are alike
    "aligned": ["face_size", "yaw", "sharpness", "brightness", "contrast", "redness", "blueness"],
    "latents": list(gate.MEASURES),
}
NUMBERS = ("coefficients", "thresholds", "times", "hazard")


@dataclass(frozen=True)
class LinearModel:
    """Log-risk = ``intercept`` + columns @ ``coefficients`` (p,), with what makes it a prediction.

    ``thresholds`` (2,) part low, medium and high risk: the thirds of the development patients'
    out-of-fold risks. ``hazard`` (STEPS,) is the cumulative baseline hazard at ``times``.
    """

    intercept: float
    coefficients: np.ndarray
    thresholds: np.ndarray
    times: np.ndarray
    hazard: np.ndarray

    def risk(self, columns) -> np.ndarray:
        """Log-risks (n,) of patients' columns (n, p)."""
        return self.intercept + columns @ self.coefficients

    def cumulative_hazard(self, risk, times) -> np.ndarray:
        """Of patients with log-risks ``risk`` (n,) at ``times`` (k,): (n, k); the hazard is
        constant within a step of the baseline and unknown, NaN, beyond its end."""
        base = np.interp(times, [0, *self.times], [0, *self.hazard], right=np.nan)
        return np.exp(np.asarray(risk))[:, None] * base

    def group(self, risk) -> np.ndarray:
        """0, 1, 2 for low, medium and high risk."""
        return np.searchsorted(self.thresholds, risk, side="right")


def mean_codes(path, photos, patient_ids) -> np.ndarray:
    """Codes of latents averaged per patient (n, num_ws * w_dim)."""
    with np.load(path, allow_pickle=False) as file:
        known, owner = photo_owners(file["photo_ids"], photos, patient_ids)
        return per_patient(file["codes"][known], owner, len(patient_ids))


def per_patient(values, owner, n: int) -> np.ndarray:
    """Rows of photos averaged per patient (n, p), NaN where there is none; ``owner`` int (photos,)
    is the row of each photo's patient. A NaN of one photo is left out."""
    values = np.asarray(values, float).reshape(len(owner), -1)
    total, count = np.zeros((n, values.shape[1])), np.zeros((n, values.shape[1]))
    np.add.at(total, owner, np.nan_to_num(values))
    np.add.at(count, owner, ~np.isnan(values))
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def moments(values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and standard deviation over patients of each column (n, p), NaN left out."""
    return {"mean": np.nanmean(values, axis=0), "sd": np.nanstd(values, axis=0)}


def encoder_arrays(encoder: Encoder) -> tuple[list[dict], dict[str, np.ndarray]]:
    """An encoder's words for the card and its numbers."""
    words = [dataclasses.asdict(column) for column in encoder.columns]
    return words, {name: getattr(encoder, name) for name in ("kept", "centre", "scale")}


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and found whole: the ``card`` and its ``tensors`` by name."""

    card: dict
    tensors: dict[str, np.ndarray]

    def model(self, features: str) -> LinearModel:
        own = {name: self.tensors[f"{features}.{name}"] for name in NUMBERS}
        return LinearModel(float(self.tensors[f"{features}.intercept"][0]), **own)

    def encoder(self, features: str) -> Encoder:
        """Of the clinical columns of ``clinical`` or ``fused``."""
        words = [
            Column(w["name"], w["median"], tuple(w["levels"]))
            for w in self.card["encoders"][features]
        ]
        own = (self.tensors[f"{features}.encoder.{name}"] for name in ("kept", "centre", "scale"))
        return Encoder(tuple(words), *own)


def write_bundle(path, checkpoint, arrays: dict[str, np.ndarray], card: dict) -> str:
    """Write the networks of a checkpoint with the models' ``arrays``; returns the digest."""
    with safe_open(checkpoint, framework="numpy") as file:
        settings = json.loads(file.metadata()["card"])["settings"]
        names = [key for key in file.keys() if key.split(".")[0] in NETWORKS]  # noqa: SIM118
        tensors = {name: file.get_tensor(name) for name in names}
    tensors |= {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    card = card | {"settings": {name: settings[name] for name in NETWORKS}}
    seal = _digest(tensors, card)
    save_file(tensors, path, {"card": json.dumps(card | {"digest": seal}, sort_keys=True)})
    return seal


def read_card(path) -> dict:
    """The card alone, unchecked: what is read of a large file before anything runs.

    Raises InputError when there is no bundle at ``path``.
    """
    try:
        with open(path, "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(size, LARGEST_CARD)))
        card = json.loads(header["__metadata__"]["card"])
        if card["format"] == FORMAT:
            return card
        raise InputError(
            f"{path}: a bundle of format {card['format']!r:.20}, this version reads {FORMAT}; "
            "use the version that made it"
        )
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; set predict.bundle to a bundle") from None
    except (struct.error, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InputError(f"{path}: no bundle of this workflow; make one with the target `bundle`")


def load_bundle(path) -> Bundle:
    """Read everything; InputError when one bit differs from what was written."""
    card = read_card(path)
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path}: not a whole file ({error}); copy it again") from None
    if _digest(tensors, card) != card.get("digest"):
        raise InputError(
            f"{path}: changed after it was written (its digest does not fit); "
            "get it again from those who made it"
        )
    return Bundle(card, tensors)


def _digest(tensors, card) -> str:
    """Over every number and every word but the digest itself."""
    words = {name: value for name, value in card.items() if name != "digest"}
    parts = [
        (name, digest([str(value.dtype), list(value.shape)], value.tobytes()))
        for name, value in sorted(tensors.items())
    ]
    return digest(words, parts)
