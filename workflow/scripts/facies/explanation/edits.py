"""Faces edited to a wanted risk, and whether the edits do what they promise.

An edit is a code moved by a fold's step (`direction`), in standard deviations of risk. Four
questions are put to it: does the edited picture, projected anew, have the wanted risk; does its
change fall inside the face; how much of that would any change of a face do; and is it the same
person still?
"""

import cv2
import numpy as np
import torch

from facies.generator.pictures import at_once, to_uint8
from facies.generator.stylegan2 import Generator
from facies.photos.alignment import FRAME, framed
from facies.photos.detection import FaceDetector
from facies.photos.regions import FACE, OVAL, REGIONS, UNCERTAIN, segment
from facies.statistics.bootstrap import draw_patients, interval

LEVELS = (-2, -1, 0, 1, 2)  # of risk, in SDs
PARTS = REGIONS | {"border": UNCERTAIN}


@torch.no_grad()
def render(generator: Generator, codes: np.ndarray) -> np.ndarray:
    """Pictures uint8 (..., r, r, 3) of codes (..., num_ws, w_dim)."""
    device = next(generator.parameters()).device
    flat = torch.from_numpy(codes.reshape(-1, *codes.shape[-2:]).astype(np.float32))
    batches = flat.split(at_once(generator.img_resolution))
    parts = [to_uint8(generator.synthesis(some.to(device))) for some in batches]
    images = np.concatenate(parts)
    return images.reshape(*codes.shape[:-2], *images.shape[1:])


def moved(codes: np.ndarray, steps: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Codes (n, num_ws, w_dim) moved by their steps, one each or one for all, times each level:
    (n, len(levels), num_ws, w_dim)."""
    steps = np.broadcast_to(steps, codes.shape)
    return codes[:, None] + np.asarray(levels, float)[:, None, None] * steps[:, None]


def find_regions(image: np.ndarray, detector: FaceDetector) -> np.ndarray | None:
    """Regions uint8 (r, r) of a crop or a rendering (r, r, 3); None where no face is found.

    Border pixels (`border`) are those between regions; what lies inside the mesh's oval is face.
    """
    size, large = len(image), framed(image)
    face = detector.detect(large)
    if face is None:
        return None
    regions = segment(large, face, detector.person(large))
    cv2.fillPoly(regions, [np.round(face.landmarks[OVAL]).astype(np.int32)], FACE)
    regions = regions[FRAME:-FRAME, FRAME:-FRAME]
    return cv2.resize(regions, (size, size), interpolation=cv2.INTER_NEAREST)


def shares(energy: np.ndarray, regions: np.ndarray) -> dict[str, float]:
    """How much of an energy (r, r) falls into each of the regions (r, r), which sum to one, and
    into the `head`, which is face and surround; 0 where nothing changed."""
    total = energy.sum() or 1.0
    parts = {name: energy[regions == code].sum() / total for name, code in PARTS.items()}
    parts["head"] = parts["face"] + parts["surround"]
    return {name: float(share) for name, share in parts.items()}


def mean_shares(rows: list[dict], seed: int) -> dict:
    """Means over faces of what `shares` found of each, with their intervals."""
    names = (*PARTS, "head")
    return {name: over_faces(np.array([row[name] for row in rows]), seed) for name in names}


def change(images: np.ndarray) -> np.ndarray:
    """Squared change (..., r, r) from the first to the last of pictures (..., levels, r, r, 3)."""
    first, last = images[..., 0, :, :, :].astype(float), images[..., -1, :, :, :]
    return np.square(last - first).sum(axis=-1)


def slopes(risks: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Least-squares slope (n,) of found risks (n, levels) on the wanted ones; 1 is as wanted."""
    wanted = np.asarray(levels, float) - np.mean(levels)
    return risks @ wanted / (wanted @ wanted)


def monotone(risks: np.ndarray) -> np.ndarray:
    """Whether each face's found risk (n, levels) rises with every step, bool (n,)."""
    return (np.diff(risks, axis=1) > 0).all(axis=1)


def identity(features: np.ndarray) -> dict[str, np.ndarray]:
    """Of features (n, levels, d): how far both ends are from their own unedited face, as a fraction
    of the median distance between people, (n,); and whether their own is the nearest unedited face
    to both, bool (n,)."""
    own = features[:, features.shape[1] // 2]
    between = np.linalg.norm(own[:, None] - own[None], axis=-1)
    typical = np.median(between[np.triu_indices(len(own), 1)])
    ends = features[:, [0, -1]]
    distances = np.linalg.norm(ends[:, :, None] - own[None, None], axis=-1)  # (n, 2, n)
    places = np.arange(len(own))
    kept = distances[places, :, places].mean(axis=1) / typical
    known = (distances.argmin(axis=-1) == places[:, None]).all(axis=1)
    return {"distance": kept, "recognised": known}


def over_faces(values: np.ndarray, seed: int) -> dict | None:
    """Mean of values (n,) over faces with a 95 % interval from drawing faces; None if none."""
    return _told(_drawn(values, seed)) if len(values) else None


def ratio(above: np.ndarray, below: np.ndarray, seed: int) -> dict | None:
    """The mean of one value per face (n,) over that of another, with its 95 % interval; None where
    there is nothing to divide by."""
    drawn = _drawn(below, seed) if len(below) else np.zeros(1)
    return _told(_drawn(above, seed) / drawn) if drawn.all() else None


def _told(scores) -> dict | None:
    return interval(scores) if np.isfinite(scores).all() else None


def _drawn(values, seed) -> np.ndarray:
    """Mean over faces, and over those of each draw of faces, (1 + draws,)."""
    weights = draw_patients(np.arange(len(values)), np.zeros(len(values)), seed).weights
    return weights @ values / len(values)


def share_of(hits: np.ndarray) -> dict | None:
    """Share of hits (n,) with Wilson's 95 % interval, which also holds at 0 and 1; None if none.

    Wilson, J Am Stat Assoc 22 (1927) 209-12.
    """
    n, z = len(hits), 1.959964
    if not n:
        return None
    p, pull = float(np.mean(hits)), z * z / n
    half = z * np.sqrt(p * (1 - p) / n + pull / (4 * n))
    low, high = ((p + pull / 2 + side * half) / (1 + pull) for side in (-1, 1))
    return {"value": p, "low": float(max(low, 0)), "high": float(min(high, 1))}
