"""What a photo tells besides the face: camera, light, colour profile, place of the crop, size of
the file.

Colours and light are measured outside the face: in the face they are signs of health as well, and a
model of theirs would be a model of the face.
"""

import cv2
import numpy as np
import pandas as pd

from facies.photos.regions import FACE
from facies.reliance.views import settle

# Of those that the alignment measures.
ALIGNED = ("face_size", "roll", "yaw", "width", "height", "leaves_photo", "turns")

FEW = 10  # photos; profiles of fewer are one category


def measures(item: dict, meta: dict, file_bytes: int) -> dict[str, float]:
    """Nuisances of one aligned photo: its ``item`` (image, regions, quad), what the alignment said
    of it, and the size of its file."""
    outside = settle(item["regions"]) != FACE
    colour = item["image"][outside].mean(axis=0) if outside.any() else np.full(3, 128.0)
    grey = cv2.cvtColor(item["image"], cv2.COLOR_RGB2GRAY)
    relief = cv2.Laplacian(grey, cv2.CV_64F)
    x, y = item["quad"].mean(axis=0)
    return {name: float(meta[name]) for name in ALIGNED} | {
        "log_sharpness": float(np.log1p(relief.var())),
        "noise": float(np.median(np.abs(relief))),
        "outside_brightness": float(colour.mean()),
        "outside_contrast": float(grey[outside].std()) if outside.any() else 0.0,
        "outside_redness": float(colour[0] - colour[1]),
        "outside_blueness": float(colour[2] - colour[1]),
        "crop_x": float(x / meta["width"]),
        "crop_y": float(y / meta["height"]),
        "file_size": float(np.log(max(file_bytes, 1))),
    }


def profiles(names: pd.Series) -> pd.Series:
    """Names of photos' colour profiles as a category: those of a few photos alone are one level,
    because monitors and scanners have profiles of their own."""
    return names.where(names.groupby(names).transform("size") >= FEW, "other")
