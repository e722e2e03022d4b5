"""Pictures of the report, as data addresses: faces, samples, reconstructions and their errors."""

import base64
import io
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from facies.common.rows import blocks, mean_picture
from facies.common.store import digest
from facies.generator.pictures import TILE, grid, resized

PAIRS = 16
WORST = 12
CELLS = 16  # to a side: a map of errors that is finer would show the patient
REDDEST = 64  # mean error of a cell, of 255, in full colour


def picture(image: Image.Image | str | Path) -> str:
    """A picture as a data address; nothing but its pixels is kept."""
    if not isinstance(image, Image.Image):
        image = Image.open(image)
    packed = io.BytesIO()
    Image.fromarray(np.asarray(image.convert("RGB"))).save(packed, "PNG")
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()


def moving(path: str | Path) -> str:
    """An animated WebP of the workflow's own as a data address."""
    return "data:image/webp;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def closest_samples(closest: dict, aligned: dict) -> str | None:
    """The samples that are nearest to a training photo, above those photos; None if no such photo
    is left.

    The generator may be older than the cohort, and is kept without names: photos are known by
    their pixels.
    """
    rows, sought = {}, set(closest["photos"])
    for i, image in enumerate(itertools.chain.from_iterable(blocks(aligned["images"]))):
        if (pixels := digest(image.tobytes())) in sought:
            rows[pixels] = i
    left = [i for i, pixels in enumerate(closest["photos"]) if pixels in rows]
    if not left:
        return None
    photos = aligned["images"][[rows[pixels] for pixels in closest["photos"][left]]]
    both = np.concatenate([closest["samples"][left], photos])
    return picture(grid(both, columns=len(both) // 2))


def pairs(aligned: dict, latents: dict) -> str:
    """Photos above their reconstructions, evenly spaced over the range of quality in the face."""
    order = np.argsort(latents["psnr_face"], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(PAIRS, len(order))).astype(int)]
    rows = {photo: i for i, photo in enumerate(aligned["photo_ids"])}
    photos = aligned["images"][[rows[photo] for photo in latents["photo_ids"][chosen]]]
    both = np.concatenate([photos, latents["images"][chosen]])
    return picture(grid(both, columns=len(chosen)))


def worst_errors(aligned: dict, latents: dict, gate: pd.DataFrame, backdrop) -> str:
    """Where the worst reconstructions inside the face go wrong, in red over a face or white.

    `backdrop` uint8 (r, r, 3). Errors are means over cells, so that nobody can be recognised.
    """
    worst = gate.sort_values("psnr_face", kind="stable").photo_id[:WORST]
    photos, reconstructions = (
        some["images"][pd.Index(some["photo_ids"]).get_indexer(worst)]
        for some in (aligned, latents)
    )
    return picture(grid(error_maps(photos, reconstructions, backdrop), columns=6))


def error_maps(photos, reconstructions, backdrop) -> np.ndarray:
    """Mean absolute differences of cells as red over grey, uint8 (n, r, r, 3)."""
    size = photos.shape[1]
    side = max(size // CELLS, 1)
    error = np.abs(photos.astype(float) - reconstructions).mean(axis=3)
    cells = error.reshape(len(photos), size // side, side, size // side, side).mean(axis=(2, 4))
    red = np.minimum(cells / REDDEST, 1).repeat(side, axis=1).repeat(side, axis=2)[..., None]
    grey = backdrop.mean(axis=2, keepdims=True).repeat(3, axis=2)
    return (grey * (1 - red) + np.array([178, 24, 24]) * red).astype(np.uint8)


def mean_face(images: np.ndarray) -> Image.Image:
    """The mean of aligned photos, of the size of a figure."""
    return Image.fromarray(resized(mean_picture(images)[None], 2 * TILE)[0])
