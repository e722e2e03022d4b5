"""Photos of which only a part is visible, to find out what a model uses.

A view shows one region, or the outline alone (`silhouette`). A cover hides a region: `without_`
with the generator's mean face, which depends on no photo of the cohort, `inpainted_` with what its
surroundings suggest, so that not even a mean face is left, and `random_` hides as much somewhere
else. Borders are faded, so that they reveal little. All take aligned crops uint8 (r, r, 3) and
their regions uint8 (r, r). A new view is one more entry of VIEWS.
"""

from functools import partial

import cv2
import numpy as np

from facies.photos.regions import BACKGROUND, REGIONS, UNCERTAIN

FADE = 0.012  # SD of the faded border as a share of the crop's width
MARGIN = 0.03  # of the crop's width is hidden beyond a region, whose border would reveal it
PERSON, AROUND = 96, 160  # greys of a silhouette
INPAINTED = 128  # pixels; what lies behind a person is guessed no finer than this


def mask_photo(image: np.ndarray, regions: np.ndarray, view: str, fill: np.ndarray, seed: int):
    """The crop in a view or under a cover; ``fill`` (r, r, 3) is shown where it is hidden.

    ``seed`` decides where ``random_`` hides, and belongs to the photo, not to the cohort.
    """
    if view in VIEWS:
        return VIEWS[view](image, regions, fill)
    kind, _, region = view.partition("_")
    return COVERS[kind](image, grow(settle(regions) == REGIONS[region]), fill, seed)


def show_region(image, regions, fill, region: str) -> np.ndarray:
    """One region alone."""
    return blend(image, fill, ~shrink(regions == REGIONS[region]))


def silhouette(image, regions, fill) -> np.ndarray:
    """The person's outline in two shades of grey."""
    shade = np.where(settle(regions) == BACKGROUND, AROUND, PERSON).astype(np.uint8)
    return np.repeat(shade[..., None], 3, axis=2)


VIEWS = {region: partial(show_region, region=region) for region in REGIONS}
VIEWS["silhouette"] = silhouette

COVERS = {
    "without": lambda image, hidden, fill, seed: blend(image, fill, hidden),
    "inpainted": lambda image, hidden, fill, seed: blend(image, inpaint(image, hidden), hidden),
    "random": lambda image, hidden, fill, seed: blend(image, fill, roll(hidden, seed)),
}


def roll(mask: np.ndarray, seed: int) -> np.ndarray:
    """The mask moved to a random position, around the edges: same shape, same area."""
    shift = np.random.default_rng(seed).integers(len(mask), size=2)
    return np.roll(mask, tuple(shift), axis=(0, 1))


def swap_background(person: dict, background: dict) -> np.ndarray:
    """The person of one aligned item before the background of another, uint8 (r, r, 3).

    Items have ``image`` and ``regions``. What the other's person hides is inpainted (Telea 2004).
    """
    behind = inpaint(background["image"], grow(settle(background["regions"]) != BACKGROUND))
    return blend(person["image"], behind, settle(person["regions"]) == BACKGROUND)


def settle(regions: np.ndarray) -> np.ndarray:
    """Regions in which uncertain pixels belong to the nearest region; background if none is."""
    sure = regions != UNCERTAIN
    if not sure.any():
        return np.full_like(regions, BACKGROUND)
    _, nearest = cv2.distanceTransformWithLabels(
        (~sure).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    region_of = np.zeros(nearest.max() + 1, regions.dtype)
    region_of[nearest[sure]] = regions[sure]
    return region_of[nearest]


def grow(mask: np.ndarray) -> np.ndarray:
    """The mask and its margin."""
    return cv2.dilate(mask.astype(np.uint8), _margin(len(mask))) == 1


def shrink(mask: np.ndarray) -> np.ndarray:
    """The mask without the margin that fading would reveal."""
    return cv2.erode(mask.astype(np.uint8), _margin(len(mask)), borderValue=1) == 1


def _margin(resolution):
    side = 2 * max(int(round(MARGIN * resolution / 2)), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def blend(image: np.ndarray, other: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``other`` where the mask is true, ``image`` elsewhere, faded into each other."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), FADE * len(image))[..., None]
    return np.rint(image + weight * (other.astype(np.float32) - image)).astype(np.uint8)


def inpaint(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The picture with its hole filled from the border; grey if nothing else is left."""
    if hole.all():
        return np.full_like(image, 128)
    side = min(len(image), INPAINTED)
    # OpenCV's result depends on what was in the hole, and so do pixels shrunk across its edge.
    blank = np.where(hole[..., None], image[~hole].mean(axis=0), image).astype(np.uint8)
    small = cv2.resize(blank, (side, side), interpolation=cv2.INTER_AREA)
    missing = cv2.resize(hole.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    guess = cv2.inpaint(small, missing, 3, cv2.INPAINT_TELEA)
    guess = cv2.resize(guess, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], guess, image)
