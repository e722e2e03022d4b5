"""What the card and the arrays of a bundle must be; their digest only shows that they are whole."""

from collections.abc import Iterator

import numpy as np

from facies.projection import gate

FORMAT = 2  # raised when an older version could misread what a newer one writes, or the reverse
STEPS = 20  # of the baseline hazard; finer ones would reveal when single patients died
NETWORKS = ("generator", "trunk", "encoder")
MEASURES = {  # of a photo, to compare those of another hospital
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
        "precision": ("float32", "bfloat16"),
        **dict.fromkeys(["steps", "batch", "face_weight"], NUMBER),
    },
    "gate": {
        "action": ("keep", "leave out"),
        "psnr_face": (float("-inf"), None),
        "landmark_drift": (*NUMBER, None),
    },
}


def implausible_words(card: dict) -> Iterator[str]:
    """What is missing in a card, or cannot be."""
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
        yield from (
            f"it has no photos.{name}.{key}" for key in allowed.keys() - photos[name].keys()
        )
    if set(card["settings"]) != set(NETWORKS):
        yield f"its networks are not {', '.join(NETWORKS)}"
    if "face" not in models or set(models) - set(MODELS) or set(models) - set(encoders):
        yield "its models are not of the face, clinical columns or both"
    for features in set(models) - {"face"}:
        if not encoders[features]:
            yield f"encoders.{features} has no column"
    kinds = card["cohort"].get("kinds", {})
    for column in (column for columns in encoders.values() for column in columns or []):
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


def implausible_numbers(card: dict, tensors: dict[str, np.ndarray]) -> Iterator[str]:
    """What is wrong with the arrays of a bundle's models."""
    generator = card["settings"]["generator"]
    layers = 2 * int(generator["img_resolution"]).bit_length() - 4
    width = layers * generator["w_dim"]
    measures = sum(len(names) for names in MEASURES.values())
    shapes = {f"codes.{name}": (width,) for name in ("mean", "sd")}
    shapes |= {f"measures.{name}": (measures,) for name in ("mean", "sd")}
    for features in card["models"]:
        inputs = width if features == "face" else len(tensors[f"{features}.encoder.kept"])
        sizes = {"coefficients": inputs, "thresholds": 2, "times": STEPS, "hazard": STEPS}
        sizes |= {"intercept": 1, "risk.mean": 1, "risk.sd": 1}
        if features != "face":
            sizes |= {f"encoder.{name}": inputs for name in ("kept", "centre", "scale")}
        shapes |= {f"{features}.{name}": (size,) for name, size in sizes.items()}
    for name, shape in shapes.items():
        if (
            name not in tensors
            or tensors[name].shape != shape
            or tensors[name].dtype.kind not in ("i" if name.endswith("kept") else "f")
        ):
            yield f"{name} is not there, or not {shape[0]} numbers"
        # A measure of no photo of the development is NaN, and the scale of nothing is infinite.
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
