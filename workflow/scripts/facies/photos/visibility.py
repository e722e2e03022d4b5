"""Visible shares of eyes, mouth and halves of a face, and the yaw of the head.

A small network predicts from hidden layers of the face mesh network (`detection`), which is run on
each photo anyway, whether the face is covered in each of 12 by 12 cells. It was trained on masks,
dark glasses, cloth and hands drawn on faces (`demo.covers`, resources/README.md).
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from facies.photos.detection import INPUT, Face
from facies.photos.regions import OVAL

CELLS = 12
WEIGHTS = Path(__file__).parents[4] / "resources" / "visibility.npz"
EYES = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 110, 24, 23, 22]
    + [26, 112, 243, 190, 56, 28, 27, 29, 30, 247, 130, 25],
    [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249, 339, 254, 253]
    + [252, 256, 341, 463, 414, 286, 258, 257, 259, 260, 467, 359, 255],
)
LOWER = [61, 291, 0, 17, 164, 18, 200, 199, 175, 152, 148, 377, 176, 400, 149, 378, 150, 379, 136]
LOWER += [365, 172, 397, 57, 287, 212, 432]
FOREHEAD, CHIN = 10, 152
LEFT_SIDE, RIGHT_SIDE = [33, 234, 61, 127, 133], [263, 454, 291, 356, 362]
# Least visible shares, and the largest yaw in degrees; docs/photos.md gives detection rates.
LEAST_EYES, LEAST_LOWER, LEAST_HALF, MOST_TURNED = 0.70, 0.65, 0.72, 35.0


def visibility(face: Face, shape: tuple[int, int]) -> dict[str, float]:
    """Visible shares of a face, 0 to 1, in a photo of ``shape`` (height, width), and its yaw.

    ``seen_eyes`` is that of the more visible eye, ``seen_lower`` of mouth and chin, ``seen_half``
    of the less visible half; parts outside the photo are not visible. ``yaw_degrees`` is positive
    if the face looks to the right of the picture.
    """
    seen = 1 - _covered(face.activations)
    eyes, lower, halves = _regions(face.mesh[:, :2])
    inside = ((face.landmarks >= 0) & (face.landmarks <= shape[::-1])).all(axis=1)

    def share(weights):
        return float((seen * weights).sum() / max(weights.sum(), 1e-9))

    return {
        "seen_eyes": max(share(e) * inside[i].mean() for e, i in zip(eyes, EYES, strict=True)),
        "seen_lower": share(lower) * inside[LOWER].mean(),
        "seen_half": min(map(share, halves)) * inside[OVAL].mean(),
        "yaw_degrees": turned(face.mesh),
    }


def reason(seen: dict[str, float]) -> str | None:
    """The reason for excluding a covered or turned face; None if it is fully visible."""
    if abs(seen["yaw_degrees"]) > MOST_TURNED:
        return f"the head is turned by more than {MOST_TURNED:.0f} degrees"
    if seen["seen_eyes"] < LEAST_EYES and seen["seen_lower"] < LEAST_LOWER:
        return "most of the face is covered or outside the photo"
    if seen["seen_eyes"] < LEAST_EYES:
        return "the eyes are covered or outside the photo"
    if seen["seen_lower"] < LEAST_LOWER:
        return "mouth and chin are covered or outside the photo"
    if seen["seen_half"] < LEAST_HALF:
        return "one half of the face is covered or outside the photo"
    return None


def turned(mesh: np.ndarray) -> float:
    """Yaw in degrees from a mesh (468, 3), by the depths of points that mirror each other.

    The mesh is flatter than a head: both factors were fitted to photographs turned by 20 to 60
    degrees about their own meshes.
    """
    across = mesh[RIGHT_SIDE] - mesh[LEFT_SIDE]
    yaw = np.median(np.degrees(np.arctan2(across[:, 2], across[:, 0])))
    return float(yaw * (1.17 + 1e-4 * yaw**2))


def stacked(activations: tuple[np.ndarray, ...]) -> np.ndarray:
    """Activations (channels, n, n) of several layers as one, float32 (channels, 12, 12)."""
    layers = []
    for layer in activations:
        way = cv2.INTER_AREA if layer.shape[1] > CELLS else cv2.INTER_LINEAR
        layers += [cv2.resize(channel, (CELLS, CELLS), interpolation=way) for channel in layer]
    return np.stack(layers)


def _covered(activations) -> np.ndarray:
    """Probability of each cell that the face is covered there, (12, 12)."""
    weights = _weights()
    hidden = np.tensordot(weights["hidden"], stacked(activations), 1)
    hidden = np.maximum(hidden + weights["hidden_bias"][:, None, None], 0)
    return 1 / (1 + np.exp(-np.tensordot(weights["output"], hidden, 1) - weights["output_bias"]))


@cache
def _weights():
    with np.load(WEIGHTS, allow_pickle=False) as file:
        return dict(file)


def _regions(points):
    """Shares of the cells (12, 12) within each eye, the lower face and each half."""
    eyes = [_cells(points[index]) for index in EYES]
    y, x = (np.mgrid[0:CELLS, 0:CELLS] + 0.5) * INPUT / CELLS
    (x0, y0), (x1, y1) = points[FOREHEAD], points[CHIN]
    side = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
    oval = _cells(points[OVAL])
    return eyes, _cells(points[LOWER]), (oval * (side < 0), oval * (side > 0))


def _cells(points):
    """Share of each cell inside the hull of some points."""
    hull = cv2.convexHull(np.float32(points))[:, 0]
    filled = np.zeros((INPUT, INPUT), np.float32)
    cv2.fillPoly(filled, [np.int32(np.round(hull))], 1.0)
    return cv2.resize(filled, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
