"""Read any photo into plain RGB; nothing of its metadata survives."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facies.errors import InputError

MAX_PIXELS = 200_000_000
MIN_SIDE = 16
MAX_SIDE = 4096  # larger photos are halved until they fit; a face needs no more


def read_photo(path: str | Path) -> np.ndarray:
    """A photo as uint8 (h, w, 3) RGB: EXIF turns applied, transparency over white, first frame.

    Raises InputError, whose message gives the remedy but not the file's name (which may hold a
    patient's), when the file is missing, damaged or no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise InputError("more than 200 megapixels; save a smaller copy")
                if min(picture.size) < MIN_SIDE:
                    raise InputError("less than 16 pixels wide or high; find the original")
                picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
                return _to_rgb(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise InputError("photo file is missing; correct its path") from None
    except IsADirectoryError:
        raise InputError("the path names a folder, not a photo") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise InputError("photo file may not be read; check its permissions") from None
        raise InputError("not a readable picture (damaged or cut short); export it again") from None
    except Image.DecompressionBombError:
        raise InputError("more than 200 megapixels; save a smaller copy") from None


def _to_rgb(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):
        picture = _stretch(np.asarray(picture, np.float64))
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    picture = picture.convert("RGB")
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    return np.asarray(picture).copy()


def _stretch(values: np.ndarray) -> Image.Image:
    """Float or deep grey, to eight bits: the whole range is the smallest that holds the values."""
    top = next((t for t in (1.0, 255.0, 4095.0) if values.max() <= t), 65535.0)
    return Image.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8))
