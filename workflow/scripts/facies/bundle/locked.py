"""A locked model in one safetensors file: numbers and words that can execute nothing.

The file holds the tuned networks, the linear survival models refitted on the whole cohort, and
moments of the cohort; its metadata hold a card with every setting that decides what a photo
becomes. No patient's value is in it: the baseline hazard is given at the ends of ``STEPS`` equal
intervals, thresholds are quantiles, the rest are means and spreads over patients.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facies.common.bounded import read_header, strict_json
from facies.common.errors import InputError
from facies.common.store import digest
from facies.projection import gate
from facies.survival.clinical import ClinicalEncoder, Column

ASK = "get it again from those who made it"
FORMAT = 2  # raised when an older version could misread what a newer one writes, or the reverse
STEPS = 20  # of the baseline hazard; finer ones would tell when single patients died
NETWORKS = ("generator", "trunk", "encoder")
MEASURES = {  # of a photo, to see whether others' photos are alike
    "aligned": ["face_size", "yaw", "crop_sharpness", "skin_brightness", "crop_contrast"]
    + ["skin_redness", "skin_blueness"],
    "latents": list(gate.MEASURES),
}
NUMBERS = ("coefficients", "thresholds", "times", "hazard")
MODELS = ("face", "clinical", "fused")
MOST_STEPS = 10_000  # of a photo's projection; the reference takes a thousand
SHORTEST = 1e-6  # end of a baseline hazard, in whatever unit
NUMBER = (0.0,)
# What the settings of photos may be: one of some words, or a number not less than the first.
SETTINGS = {
    "alignment": {"min_face": NUMBER, "covered": ("leave out", "keep")},
    "projection": {
        "space": ("w", "w+"),
        "noise": (True, False),
        "precision": ("float32", "bfloat16"),
        **dict.fromkeys(["steps", "batch", "tolerance", "face_weight"], NUMBER),
    },
    "gate": {
        "action": ("keep", "leave out"),
        "psnr_face": (float("-inf"), None),
        "landmark_drift": (*NUMBER, None),
    },
}


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
    """A bundle that was read and found whole: the ``card`` and its ``tensors`` by name."""

    card: dict
    tensors: dict[str, np.ndarray]

    def model(self, features: str) -> LinearModel:
        own = {name: self.tensors[f"{features}.{name}"] for name in NUMBERS}
        return LinearModel(float(self.tensors[f"{features}.intercept"][0]), **own)

    def encoder(self, features: str) -> ClinicalEncoder:
        """Of the clinical columns of ``clinical`` or ``fused``."""
        words = [
            Column(w["name"], w["median"], tuple(w["levels"]))
            for w in self.card["encoders"][features]
        ]
        own = (self.tensors[f"{features}.encoder.{name}"] for name in ("kept", "centre", "scale"))
        return ClinicalEncoder(tuple(words), *own)


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
        odd = next(_odd_words(card), None)
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
        odd = next(_odd_numbers(card, tensors), None)
    except (KeyError, TypeError, ValueError) as error:
        odd = f"something is missing or of another kind ({error!s:.80})"
    if odd:
        raise InputError(f"{path}: its numbers cannot be used: {odd}; {ASK}")
    return Bundle(card, tensors)


def _odd_words(card: dict) -> Iterator[str]:
    """What a card lacks that is needed, or says that cannot be."""
    sections = ("digest", "settings", "models", "encoders", "cohort", "photos", "code")
    yield from (f"it has no {name}" for name in sections if name not in card)
    photos, models, encoders = card["photos"], card["models"], card["encoders"]
    parts = ("alignment", "projection", "gate", "resolution")
    yield from (f"it has no photos.{name}" for name in parts if name not in photos)
    if photos["resolution"] not in [2**i for i in range(4, 11)]:
        yield f"photos.resolution is {photos['resolution']!r:.20}"
    for name, most in (("steps", MOST_STEPS), ("batch", MOST_STEPS)):
        value = photos["projection"].get(name)
        if type(value) is not int or not 1 <= value <= most:
            yield f"photos.projection.{name} is {value!r:.20}, not a whole number of 1 to {most}"
    for name, allowed in SETTINGS.items():
        for key in allowed.keys() & photos[name].keys():
            if _is_odd(photos[name][key], allowed[key]):
                yield f"photos.{name}.{key} is {photos[name][key]!r:.20}"
    if set(card["settings"]) != set(NETWORKS):
        yield f"its networks are not {', '.join(NETWORKS)}"
    if "face" not in models or set(models) - set(MODELS) or set(models) - set(encoders):
        yield "its models are not of the face, clinical columns or both"
    for features in set(models) - {"face"}:
        if not encoders[features]:
            yield f"encoders.{features} has no column"
    kinds = card["cohort"].get("kinds", {})
    for column in (column for own in encoders.values() for column in own or []):
        name, median, levels = column["name"], column["median"], column["levels"]
        words = all(isinstance(word, str) for word in [name, *levels])
        words = words and isinstance(levels, list)
        if not words or not (median is None or type(median) in (int, float)):
            yield "a clinical column is neither numbers nor categories"
        elif kinds.get(name, "category" if median is None else "number") not in (
            ("category",) if median is None else ("number", "date")
        ):
            yield f"cohort.kinds says otherwise than encoders what {name:.40} is"
    if type(card["cohort"]["patients"]) is not int or card["cohort"]["patients"] < 1:
        yield "cohort.patients is no number of patients"


def _is_odd(value, allowed: tuple) -> bool:
    """Whether a setting is neither one of the ``allowed`` words nor an allowed number."""
    if type(value) in (int, float):
        return type(allowed[0]) is not float or value < allowed[0]
    return not any(type(word) is type(value) and word == value for word in allowed)


def _odd_numbers(card: dict, tensors: dict[str, np.ndarray]) -> Iterator[str]:
    """What is wrong with the arrays of a bundle's models."""
    generator = card["settings"]["generator"]
    layers = 2 * int(generator["img_resolution"]).bit_length() - 4
    width = layers * generator["w_dim"]
    measures = sum(len(names) for names in MEASURES.values())
    shapes = {f"codes.{name}": (width,) for name in ("mean", "sd")}
    shapes |= {f"measures.{name}": (measures,) for name in ("mean", "sd")}
    for features in card["models"]:
        inputs = width if features == "face" else len(tensors[f"{features}.encoder.kept"])
        own = {"coefficients": inputs, "thresholds": 2, "times": STEPS, "hazard": STEPS}
        own |= {"intercept": 1, "risk.mean": 1, "risk.sd": 1}
        if features != "face":
            own |= {f"encoder.{name}": inputs for name in ("kept", "centre", "scale")}
        shapes |= {f"{features}.{name}": (size,) for name, size in own.items()}
    for name, shape in shapes.items():
        if (
            name not in tensors
            or tensors[name].shape != shape
            or tensors[name].dtype.kind not in ("i" if name.endswith("kept") else "f")
        ):
            yield f"{name} is not there, or not {shape[0]} numbers"
        # A measure of no photo at home is NaN, and the scale of nothing at all is infinite.
        elif name.split(".")[0] != "measures" and np.isnan(tensors[name]).any():
            yield f"{name} holds what is no number"
        elif not name.endswith("scale") and np.isinf(tensors[name]).any():
            yield f"{name} is infinite"
        elif name.endswith(".sd") and (tensors[name] < 0).any():
            yield f"{name} is negative"
    for features in card["models"]:
        times, hazard = tensors[f"{features}.times"], tensors[f"{features}.hazard"]
        equal = times[-1] * np.arange(1, STEPS + 1) / STEPS
        if not times[-1] > SHORTEST or not np.allclose(times, equal, rtol=1e-6, atol=0):
            yield f"{features}.times do not increase from 0 in equal steps"
        if not (np.diff(hazard, prepend=0) >= 0).all():
            yield f"{features}.hazard is negative or decreases"
        if not (np.diff(tensors[f"{features}.thresholds"]) >= 0).all():
            yield f"{features}.thresholds are not in order"
        if features != "face":
            encoded = sum(
                2 if c["median"] is not None else max(len(c["levels"]), 1)
                for c in card["encoders"][features]
            )
            kept = tensors[f"{features}.encoder.kept"]
            if not ((np.diff(kept, prepend=-1) > 0).all() and (kept < encoded).all()):
                yield f"{features}.encoder.kept names other than {encoded} columns"
            if not (tensors[f"{features}.encoder.scale"] > 0).all():
                yield f"{features}.encoder.scale is not positive"


def _digest(tensors, card) -> str:
    """Over every number and every word but the digest itself."""
    words = {name: value for name, value in card.items() if name != "digest"}
    parts = [
        (name, digest([str(value.dtype), list(value.shape)], value.tobytes()))
        for name, value in sorted(tensors.items())
    ]
    return digest(words, parts)
