"""Pictures of more than eight bits a colour, converted to eight.

Pillow keeps the upper eight of sixteen bits, which makes 14 bits four times too dark, and misreads
signs and the order of bytes or planes of others. Those are read by OpenCV.
"""

from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from facies.common.errors import InputError

RANGES = (255, 1023, 4095, 16383, 65535)  # of 8, 10, 12, 14 and 16 bits
# Tags of a TIFF that say what its samples are, and which of them is white.
BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR, SAMPLE_FORMAT = 258, 262, 284, 339
MAX_SAMPLE, SMAX_SAMPLE = 281, 341
WHITE_IS_ZERO, GREY, COLOUR = 0, 1, 2  # photometric interpretations
PNG_DEPTH = 24  # offset of the byte with a PNG's bit depth
UNCOMMON = "pixels of a kind that few programs read; export it as JPEG"


def is_deep(picture: Image.Image, head: bytes) -> bool:
    """Whether an opened picture, of which ``head`` are the first bytes, has to be read here."""
    if _is_slow(picture):
        return True
    if picture.format != "TIFF":
        colours = picture.format == "PNG" and picture.mode in ("RGB", "RGBA")
        return picture.mode.startswith(("I", "F")) or (colours and head[PNG_DEPTH] == 16)
    tags = picture.tag_v2
    deep = max(tags.get(BITS_PER_SAMPLE, (1,))) > 8 or set(tags.get(SAMPLE_FORMAT, (1,))) != {1}
    return deep and tags.get(PHOTOMETRIC) in (WHITE_IS_ZERO, GREY, COLOUR)


def _is_slow(picture: Image.Image) -> bool:
    """Whether it is a PPM of numbers in words or of 16 bits, at which Pillow takes minutes."""
    return picture.format == "PPM" and picture.tile[0][0] != "raw"


def eight_bits(picture: Image.Image, file: BinaryIO) -> Image.Image:
    """A deep picture in eight bits, black and white where they belong; a TIFF's is upright then."""
    tags, colours = getattr(picture, "tag_v2", {}), picture.mode.startswith("RGB")
    elsewhere = tags or colours or _is_slow(picture)
    samples = _samples(file, tags) if elsewhere else np.asarray(picture)
    if samples is None or sorted(samples.shape[:2]) != sorted(picture.size):
        raise InputError(UNCOMMON)
    values = _stretched(samples, tags)
    if values.ndim == 2:
        # Pillow turns pictures whose zero is white, but nobody turns the deep ones.
        return Image.fromarray(255 - values if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO else values)
    if picture.mode in ("RGBA", "RGBa"):
        turned = cv2.cvtColor(values, cv2.COLOR_BGRA2RGBA)
        return Image.frombytes(picture.mode, turned.shape[1::-1], turned.tobytes())
    return Image.fromarray(np.ascontiguousarray(values[..., 2::-1]))


def _samples(file: BinaryIO, tags) -> np.ndarray | None:
    """Samples (h, w) or (h, w, 3 or 4), blue first; None where OpenCV cannot read them, or mixes
    colours that are stored one after the other."""
    if tags.get(PLANAR, 1) != 1 and len(tags.get(BITS_PER_SAMPLE, (1,))) > 1:
        return None
    file.seek(0)
    # The last number in words ends in a space.
    data = np.frombuffer(file.read() + (b"" if tags else b" "), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def _stretched(samples: np.ndarray, tags) -> np.ndarray:
    """Samples as eight bits; an alpha channel is in proportion."""
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples, posinf=0, neginf=0)
    colours = samples[..., :3] if samples.ndim == 3 else samples
    black, brightest = min(float(colours.min()), 0.0), float(colours.max())
    scale = 255 / (_white(brightest, samples.dtype, tags) - black)
    return cv2.convertScaleAbs(samples, alpha=scale, beta=-black * scale)


def _white(brightest: float, dtype: np.dtype, tags) -> float:
    """What the file says is white, or else the end of the smallest range of a sensor's depths that
    holds the values, so that 14 bits in a file of 16 are not four times too dark. Where numbers
    end far below such a range, as floats of HDR do past 1, it is the brightest value itself.
    """
    stated = tags.get(SMAX_SAMPLE) or tags.get(MAX_SAMPLE)
    stated = stated[0] if isinstance(stated, tuple) else stated
    if not stated and dtype.kind == "u" and (bits := tags.get(BITS_PER_SAMPLE, (16,))[0]) < 16:
        stated = 2**bits - 1
    if stated and stated >= brightest:
        return float(stated)
    if dtype.kind == "f":
        ends, least = (1, *RANGES), 1
    else:
        most = np.iinfo(dtype).max
        ends, least = (*(end for end in RANGES if end < most), most), 255
    for end in ends:
        if brightest <= end and (end < 16 * brightest or end <= least):
            return float(end)
    return brightest
