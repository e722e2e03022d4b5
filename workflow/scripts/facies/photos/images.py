"""Read any photo as sRGB, without metadata except the name of its colour profile."""

import dataclasses
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from facies.common.bounded import regular_size
from facies.common.errors import InputError
from facies.photos.colours import profile_of, to_srgb
from facies.photos.depth import eight_bits, is_deep
from facies.photos.filetypes import HEAD, foreign
from facies.photos.wholeness import damage

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "JPEG2000", "GIF", "BMP", "PPM")
MAX_PIXELS = 60_000_000
MAX_BYTES = 500_000_000
MIN_SIDE = 16
MAX_SIDE = 4096  # larger photos are shrunk until they fit; a face needs no more
# Orientation of EXIF -> what turns the stored picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclasses.dataclass(frozen=True)
class Photo:
    """Pixels uint8 (h, w, 3) in sRGB, and the name of the profile that they were stored with."""

    pixels: np.ndarray
    profile: str


def read_photo(path: str | Path) -> Photo:
    """A photo: EXIF turns applied, colours converted, transparency over white, first frame.

    Raises InputError, whose message gives the remedy but not the file's name (which may hold a
    patient's), when the file is missing, damaged or no picture.
    """
    try:
        check_file(path)
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name := foreign(file):
                raise InputError(name)
            return _decode(file)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError("not a readable picture; export it again as JPEG") from None
    except Image.DecompressionBombError:
        raise InputError(_too_large()) from None
    except Exception as error:  # decoders raise anything, and no photo may stop the others
        raise InputError(_trouble(error)) from None


def check_file(path: str | Path) -> None:
    """InputError unless the path is a regular file of the size of a photo."""
    try:
        size = regular_size(path)
    except OSError as error:
        raise InputError(_trouble(error)) from None
    if not size:
        raise InputError("the file is empty; copy it again")
    if size > MAX_BYTES:
        raise InputError(f"a file of more than {MAX_BYTES // 10**6} MB; save a smaller copy")


def _trouble(error: Exception) -> str:
    """What is wrong with a file that cannot be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "photo file is missing; correct its path"
    if isinstance(error, PermissionError):
        return "photo file may not be read; check its permissions"
    if isinstance(error, OSError) and error.errno:
        return f"photo file cannot be read ({error.strerror}); correct its path, or copy it again"
    if isinstance(error, MemoryError):
        return "the picture asks for more memory than there is; export it again"
    return "not a readable picture (damaged or cut short); export it again"


def _too_large(size: str = "the picture has") -> str:
    return f"{size} more than {MAX_PIXELS / 10**6:g} megapixels; save a smaller copy"


def _decode(file: BinaryIO) -> Photo:
    file.seek(0)
    head = file.read(HEAD)
    with Image.open(file, formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise InputError(_too_large(f"{width} x {height} pixels,"))
        if min(width, height) < MIN_SIDE:
            raise InputError("less than 16 pixels wide or high; find the original")
        if lost := damage(picture, file):
            raise InputError(lost)
        if is_deep(picture, head):
            flat = _flat(eight_bits(picture, file))
            upright = None if picture.format == "TIFF" else _upright(picture)
        else:
            # A JPEG is shrunk as it is decoded, by 2, 4 or 8, but not below what is needed.
            factor = max(width, height) / MAX_SIDE
            if factor > 1:
                picture.draft(None, (int(width / factor), int(height / factor)))
            picture.load()
            # A TIFF has been turned by now, and says so.
            flat, upright = _flat(picture), _upright(picture)
        profile = profile_of(picture, head)
    picture = flat
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    picture, name = to_srgb(picture, profile)
    return Photo(np.array(picture if upright is None else picture.transpose(upright)), name)


def _upright(picture: Image.Image) -> Image.Transpose | None:
    """How to turn the picture, by its EXIF; None if that cannot be read, as the face is detected in
    all quarter turns."""
    try:
        return UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation))
    except Exception:
        return None


def _flat(picture: Image.Image) -> Image.Image:
    """Eight bits and no transparency, in a mode whose colours can be converted."""
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in ("La", "RGBa"):
        picture = picture.convert(picture.mode.upper())
    if picture.mode == "PA":
        picture = picture.convert("RGBA")
    if picture.mode in ("LA", "RGBA"):
        white = Image.new(picture.mode[:-1], picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "CMYK", "LAB") else picture.convert("RGB")
