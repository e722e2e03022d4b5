"""Which part of a photo each pixel shows: face, surround of the head, body or background."""

import cv2
import numpy as np

from facies.photos.detection import Face

UNCERTAIN, FACE, SURROUND, BODY, BACKGROUND = range(5)
REGIONS = {"face": FACE, "surround": SURROUND, "body": BODY, "background": BACKGROUND}
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377]
OVAL += [152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
CHIN = 152
BAND = 0.04  # of the face's width is left uncertain at each border


def segment(photo: np.ndarray, face: Face, person: np.ndarray) -> np.ndarray:
    """Regions uint8 (h, w) of a photo from its face and its person mask (h, w).

    Face is the mesh's oval; surround (hair, ears, hat) is the person above the chin line outside
    the oval, body the person below it. The chin line is square to the line from eyes to mouth.
    """
    height, width = photo.shape[:2]
    oval = np.zeros((height, width), np.uint8)
    cv2.fillPoly(oval, [np.round(face.landmarks[OVAL]).astype(np.int32)], 1)
    down = face.mouth.mean(axis=0) - face.eyes.mean(axis=0)
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    chin = face.landmarks[CHIN]
    below = np.greater.outer((y - chin[1]) * down[1], (chin[0] - x) * down[0])
    regions = np.where(person > 0.5, np.where(below, BODY, SURROUND), BACKGROUND).astype(np.uint8)
    regions[oval == 1] = FACE
    breadth = np.ptp(face.landmarks[OVAL], axis=0).max()
    regions[_borders(regions, max(int(BAND * breadth), 1))] = UNCERTAIN
    return regions


def _borders(regions: np.ndarray, width: int) -> np.ndarray:
    """Pixels within half of `width` of another region."""
    kernel = np.ones((width, width), np.uint8)
    return cv2.dilate(regions, kernel) != cv2.erode(regions, kernel)
