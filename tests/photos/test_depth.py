"""Pictures of more than eight bits have the right brightness, whatever their order and sign."""

import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image
from turns import TURNS

from facies.common.errors import InputError
from facies.photos.images import read_photo

SIDE = 16
RAMP = np.linspace(0, 1, SIDE * SIDE).reshape(SIDE, SIDE)
COLOURS = np.stack([RAMP, RAMP.T, RAMP[::-1]], axis=2)
GREY_LEVELS, COLOUR_LEVELS = (np.rint(255 * values).astype(int) for values in (RAMP, COLOURS))


def write_tiff(path, values, order="<", deflate=False, planar=False):
    """A TIFF (h, w) or (h, w, 3) of any samples, byte order and arrangement of planes."""
    values = values.astype(values.dtype.newbyteorder(order))
    planes = list(values.transpose(2, 0, 1)) if planar else [values]
    strips = [plane.tobytes() for plane in planes]
    strips = [zlib.compress(strip) for strip in strips] if deflate else strips
    many = 3 if values.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    places = 8 + np.cumsum([0, *map(len, strips)])
    tags = {256: [SIDE], 257: [SIDE], 258: [8 * values.itemsize] * many, 259: [8 if deflate else 1]}
    tags |= {262: [2 if many == 3 else 1], 273: places[:-1], 277: [many], 278: [SIDE]}
    tags |= {279: map(len, strips), 284: [2 if planar else 1], 339: [kind] * many}
    table, more = struct.pack(order + "H", len(tags)), b""
    for tag, numbers in tags.items():
        numbers = list(numbers)
        data = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            more, at = more + data, places[-1] + 6 + 12 * len(tags) + len(more)
            data = struct.pack(order + "I", at)
        table += struct.pack(order + "HHI", tag, 4, len(numbers)) + data
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", places[-1])
    path.write_bytes(head + b"".join(strips) + table + bytes(4) + more)


def off(path, levels):
    """By how much the photo is too light or dark at most."""
    pixels = read_photo(path).pixels.astype(int)
    return np.abs(pixels - (levels[..., None] if levels.ndim == 2 else levels)).max()


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_colours_of_few_bits_in_a_file_of_sixteen_are_not_night(tmp_path, kind, bits):
    values = np.rint(COLOURS * (2**bits - 1)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f"a.{kind}"), values[..., ::-1])
    assert off(tmp_path / f"a.{kind}", COLOUR_LEVELS) <= 1


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize(
    ("dtype", "white"),
    [("u2", 65535), ("u2", 16383), ("i2", 32767), ("i1", 127), ("i4", 65535), ("f4", 1)],
)
def test_grey_of_any_order_and_sign(tmp_path, order, deflate, dtype, white):
    values = RAMP * white if dtype[0] == "f" else np.rint(RAMP * white)
    write_tiff(tmp_path / "a", values.astype(dtype), order, deflate)
    assert off(tmp_path / "a", GREY_LEVELS) <= 1


@pytest.mark.parametrize("deflate", [False, True])
def test_deep_planes_are_refused_not_mixed(tmp_path, deflate):
    write_tiff(tmp_path / "a", np.rint(COLOURS * 65535).astype("u2"), "<", deflate, planar=True)
    with pytest.raises(InputError, match="few programs read; export it as JPEG"):
        read_photo(tmp_path / "a")
    write_tiff(tmp_path / "a", COLOUR_LEVELS.astype("u1"), "<", deflate, planar=True)
    assert off(tmp_path / "a", COLOUR_LEVELS) == 0


def test_numbers_past_the_sign_are_not_wrapped(tmp_path):
    write_tiff(tmp_path / "a", np.rint(RAMP * (2**32 - 1)).astype("u4"))
    with pytest.raises(InputError, match="few programs read"):
        read_photo(tmp_path / "a")


def test_transparency_of_sixteen_bits(tmp_path):
    values = np.full((SIDE, SIDE, 4), 16383, np.uint16)
    values[..., 0], values[:, 8:, 3] = 0, 0
    cv2.imwrite(str(tmp_path / "a.png"), values)  # blue first
    pixels = read_photo(tmp_path / "a.png").pixels
    assert pixels[0, [0, 15]].tolist() == [[255, 255, 0], [255, 255, 255]]


@pytest.mark.parametrize("tag", TURNS)
@pytest.mark.parametrize("kind", ["tiff", "png"])
def test_deep_pictures_are_turned_once(tmp_path, kind, tag):
    levels = np.arange(SIDE * 20).reshape(SIDE, 20).astype(np.uint16) * 200
    exif = Image.Exif()
    exif[274] = tag
    Image.fromarray(levels).save(tmp_path / "a", kind, exif=exif)
    expected = TURNS[tag](np.rint(levels / 65535 * 255))
    assert np.array_equal(read_photo(tmp_path / "a").pixels[..., 0], expected)


@pytest.mark.parametrize("white", [255, 4095, 65535])
@pytest.mark.parametrize("words", [False, True])
def test_a_large_ppm_takes_no_minutes(tmp_path, white, words):
    values = np.rint(COLOURS * white).astype(int).repeat(60, 0).repeat(60, 1)
    head = b"P%d\n%d %d\n%d\n" % (3 if words else 6, *values.shape[1::-1], white)
    body = " ".join(map(str, values.ravel())).encode()
    binary = values.astype(np.uint8 if white < 256 else ">u2").tobytes()
    (tmp_path / "a").write_bytes(head + (body if words else binary))
    start = time.process_time()
    pixels = read_photo(tmp_path / "a").pixels
    assert time.process_time() - start < 1
    assert np.abs(pixels[::60, ::60].astype(int) - COLOUR_LEVELS).max() <= 1
