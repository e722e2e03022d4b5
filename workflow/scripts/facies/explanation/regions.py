"""In which regions of the picture a change lies."""

import cv2
import numpy as np

from facies.explanation.estimates import mean_estimate
from facies.photos.alignment import FRAME, framed
from facies.photos.detection import FaceDetector
from facies.photos.regions import FACE, OVAL, REGIONS, UNCERTAIN, segment

PARTS = REGIONS | {"border": UNCERTAIN}


def find_regions(image: np.ndarray, detector: FaceDetector) -> np.ndarray | None:
    """Regions uint8 (r, r) of a crop or a rendering (r, r, 3); None where no face is detected.

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


def squared_change(images: np.ndarray) -> np.ndarray:
    """Squared change (..., r, r) from the first to the last of pictures (..., levels, r, r, 3)."""
    first, last = images[..., 0, :, :, :].astype(float), images[..., -1, :, :, :]
    return np.square(last - first).sum(axis=-1)


def region_shares(energy: np.ndarray, regions: np.ndarray) -> dict[str, float]:
    """Share of an energy (r, r) in each of the regions (r, r), which sum to one, and in the `head`,
    which is face and surround; 0 where nothing changed."""
    total = energy.sum() or 1.0
    parts = {name: energy[regions == code].sum() / total for name, code in PARTS.items()}
    parts["head"] = parts["face"] + parts["surround"]
    return {name: float(share) for name, share in parts.items()}


def mean_shares(rows: list[dict], seed: int) -> dict:
    """Means over faces of the `region_shares` of each, with their intervals."""
    names = (*PARTS, "head")
    return {name: mean_estimate(np.array([row[name] for row in rows]), seed) for name in names}
