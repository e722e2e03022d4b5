"""What a photo shows besides the face: camera, light, colour profile, position of the crop, size of
the file.

Colours and light are measured outside the face: in the face they are signs of health as well, and a
model of theirs would be a model of the face. A new measure is one more function under `@measure`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import pandas as pd

from facies.photos.regions import FACE
from facies.reliance.views import settle

# Of those that the alignment measures.
ALIGNED = ("face_size", "roll", "yaw", "width", "height", "leaves_photo", "turns")

FEW = 10  # photos; profiles of fewer are one category

MEASURES: dict[str, Callable] = {}


def measure(function: Callable) -> Callable:
    """Register a measure, a function from Photo to a number, under its name."""
    MEASURES[function.__name__] = function
    return function


@dataclass(frozen=True)
class Photo:
    """An aligned photo, image (r, r, 3), regions (r, r) and quad (4, 2), with ``meta``, what the
    alignment measured, and the size of its file."""

    image: np.ndarray
    regions: np.ndarray
    quad: np.ndarray
    meta: dict
    file_bytes: int

    @cached_property
    def outside(self) -> np.ndarray:
        """True outside the face, bool (r, r)."""
        return settle(self.regions) != FACE

    @cached_property
    def colour(self) -> np.ndarray:
        """Mean colour (3,) outside the face, grey where there is nothing outside."""
        if not self.outside.any():
            return np.full(3, 128.0)
        return self.image[self.outside].mean(axis=0)

    @cached_property
    def grey(self) -> np.ndarray:
        return cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY)

    @cached_property
    def laplacian(self) -> np.ndarray:
        return cv2.Laplacian(self.grey, cv2.CV_64F)


@measure
def log_sharpness(photo: Photo) -> float:
    return np.log1p(photo.laplacian.var())


@measure
def noise(photo: Photo) -> float:
    return np.median(np.abs(photo.laplacian))


@measure
def outside_brightness(photo: Photo) -> float:
    return photo.colour.mean()


@measure
def outside_contrast(photo: Photo) -> float:
    return photo.grey[photo.outside].std() if photo.outside.any() else 0.0


@measure
def outside_redness(photo: Photo) -> float:
    return photo.colour[0] - photo.colour[1]


@measure
def outside_blueness(photo: Photo) -> float:
    return photo.colour[2] - photo.colour[1]


@measure
def crop_x(photo: Photo) -> float:
    return photo.quad.mean(axis=0)[0] / photo.meta["width"]


@measure
def crop_y(photo: Photo) -> float:
    return photo.quad.mean(axis=0)[1] / photo.meta["height"]


@measure
def file_size(photo: Photo) -> float:
    return np.log(max(photo.file_bytes, 1))


def measures(item: dict, meta: dict, file_bytes: int) -> dict[str, float]:
    """All measures of one aligned photo, an ``item`` of the store."""
    photo = Photo(item["image"], item["regions"], item["quad"], meta, file_bytes)
    return {name: float(meta[name]) for name in ALIGNED} | {
        name: float(function(photo)) for name, function in MEASURES.items()
    }


def categories(columns: pd.DataFrame, profiles: pd.Series) -> pd.DataFrame:
    """The photos' own ``columns``, named own_*, with the colour profile where it differs; both by
    photo_id.

    Profiles of a few photos alone are one category, because monitors and scanners have profiles of
    their own.
    """
    table = columns.add_prefix("own_")
    profiles = profiles.where(profiles.groupby(profiles).transform("size") >= FEW, "other")
    if profiles.nunique() > 1:
        table["colour_profile"] = profiles.reindex(table.index)
    return table
