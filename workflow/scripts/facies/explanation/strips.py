"""Sheets of faces and maps for readers: strips under labels, heat over a face, moving faces."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facies.generator.pictures import TILE, resized

HOT = np.array([178, 32, 24], float)


def heat(energy: np.ndarray, face: np.ndarray) -> np.ndarray:
    """A map (r, r), not negative, in red over a paled grey face (r, r, 3); uint8 (r, r, 3).

    Full red is the map's 99th percentile, so that a single pixel does not dim the rest.
    """
    top = max(float(np.quantile(energy, 0.99)), 1e-12)
    amount = np.clip(energy / top, 0, 1)[..., None]
    grey = face.astype(float).mean(axis=-1, keepdims=True) * 0.6 + 255 * 0.4
    return (grey + (HOT - grey) * amount).astype(np.uint8)


def sheet(rows: list[np.ndarray], labels: list[str], side: int = TILE) -> Image.Image:
    """Rows of pictures uint8 (columns, r, r, 3) under the labels of their columns."""
    tiles = [np.concatenate(list(resized(row, side)), axis=1) for row in rows]
    body = Image.fromarray(np.concatenate(tiles))
    picture = Image.new("RGB", (body.width, body.height + 24), "white")
    picture.paste(body, (0, 24))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for i, text in enumerate(labels):
        draw.text((side * (i + 0.5), 12), text, fill="black", font=font, anchor="mm")
    return picture


def risk_labels(levels) -> list[str]:
    """Names of columns of risk in SDs."""
    return ["unedited" if level == 0 else f"{level:+d} SD risk" for level in levels]


def save_moving(path, frames: list[np.ndarray], milliseconds: int = 90) -> None:
    """Rows of faces, uint8 (rows, n, r, r, 3) a frame, forth and back, as animated WebP."""
    pictures = []
    for frame in frames:
        rows = [np.concatenate(list(resized(row)), axis=1) for row in frame]
        pictures.append(Image.fromarray(np.concatenate(rows)))
    pictures += pictures[-2:0:-1]
    pictures[0].save(
        path,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        loop=0,
        quality=85,
    )
