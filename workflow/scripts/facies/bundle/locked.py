"""A locked model in one safetensors file: numbers and words that can execute nothing.

The file holds the tuned networks, the linear survival models refitted on the whole cohort, and
moments of the cohort; its metadata hold a card with every setting that decides what a photo
becomes. No patient's value is in it: the baseline hazard is given at the ends of ``STEPS`` equal
intervals, thresholds are quantiles, the rest are means and standard deviations over patients.
"""

import dataclasses
import json
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facies.bundle.schema import (
    FORMAT,
    NETWORKS,
    NUMBERS,
    implausible_numbers,
    implausible_words,
)
from facies.common.bounded import read_header, strict_json
from facies.common.errors import InputError
from facies.common.store import digest
from facies.survival.clinical import ClinicalEncoder, Column

ASK = "get it again from those who made it"


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
        return np.exp(np.minimum(risk, 500))[:, None] * base  # beyond, 0 times infinity

    def group(self, risk) -> np.ndarray:
        """0, 1, 2 for low, medium and high risk."""
        return np.searchsorted(self.thresholds, risk, side="right")


def moments(values: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and standard deviation over patients of each column (n, p), NaN left out."""
    return {"mean": np.nanmean(values, axis=0), "sd": np.nanstd(values, axis=0)}


def encoder_arrays(encoder: ClinicalEncoder) -> tuple[list[dict], dict[str, np.ndarray]]:
    """An encoder's words for the card and its numbers."""
    words = [dataclasses.asdict(column) for column in encoder.columns]
    return words, {name: getattr(encoder, name) for name in ("kept", "centre", "scale")}


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and is whole: the ``card`` and its ``tensors`` by name."""

    card: dict
    tensors: dict[str, np.ndarray]

    def model(self, features: str) -> LinearModel:
        numbers = {name: self.tensors[f"{features}.{name}"] for name in NUMBERS}
        return LinearModel(float(self.tensors[f"{features}.intercept"][0]), **numbers)

    def encoder(self, features: str) -> ClinicalEncoder:
        """Of the clinical columns of ``clinical`` or ``fused``."""
        words = [
            Column(w["name"], w["median"], tuple(w["levels"]))
            for w in self.card["encoders"][features]
        ]
        numbers = (self.tensors[f"{features}.encoder.{n}"] for n in ("kept", "centre", "scale"))
        return ClinicalEncoder(tuple(words), *numbers)


def write_bundle(path, checkpoint, arrays: dict[str, np.ndarray], card: dict) -> str:
    """Write the networks of a checkpoint with the models' ``arrays``; returns the digest."""
    with safe_open(checkpoint, framework="numpy") as file:
        settings = json.loads(file.metadata()["card"])["settings"]
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    # Projection sees photos by the discriminator's blocks, not by its last one.
    settings["trunk"] = settings["discriminator"]
    tensors = {name.replace("discriminator.", "trunk.", 1): v for name, v in tensors.items()}
    tensors = {
        name: value
        for name, value in tensors.items()
        if name.split(".")[0] in NETWORKS and not name.startswith("trunk.b4.")
    }
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
        card = strict_json(read_header(path)["__metadata__"]["card"])
        form = card["format"]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; set predict.bundle to a bundle") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = "no bundle of this workflow; make one with the target `bundle`"
        raise InputError(f"{path}: {reason}") from None
    if form != FORMAT:
        raise InputError(
            f"{path}: a bundle of format {form!r:.20}, this version reads {FORMAT}; "
            "use the version that made it"
        )
    try:
        odd = next(implausible_words(card), None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        odd = f"something is missing or of another kind ({error!s:.80})"
    if odd:
        raise InputError(f"{path}: its card cannot be used: {odd}; {ASK}")
    return card


def load_bundle(path) -> Bundle:
    """Read everything; InputError when one bit differs from what was written."""
    card = read_card(path)
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path}: not a whole file ({error}); copy it again") from None
    if _digest(tensors, card) != card.get("digest"):
        raise InputError(f"{path}: changed after it was written (its digest does not fit); {ASK}")
    try:
        odd = next(implausible_numbers(card, tensors), None)
    except (KeyError, TypeError, ValueError) as error:
        odd = f"something is missing or of another kind ({error!s:.80})"
    if odd:
        raise InputError(f"{path}: its numbers cannot be used: {odd}; {ASK}")
    return Bundle(card, tensors)


def _digest(tensors, card) -> str:
    """Over every number and every word but the digest itself."""
    words = {name: value for name, value in card.items() if name != "digest"}
    parts = [
        (name, digest([str(value.dtype), list(value.shape)], value.tobytes()))
        for name, value in sorted(tensors.items())
    ]
    return digest(words, parts)
