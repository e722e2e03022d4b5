"""Damage that decoders pass over ends in a reason, and what only looks odd is read."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from facies.common.errors import InputError
from facies.photos.images import read_photo
from facies.photos.wholeness import MOST_SCANS


@pytest.fixture
def picture():
    """Smooth enough to be compressed, and rough enough to take some kilobytes."""
    noise = np.random.default_rng(0).normal(128, 40, (96, 128, 3))
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def stored(picture, kind, **settings) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()


def refused(path, data, message):
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_photo(path)


def scan_of(data):
    return data.index(b"\xff\xda") + 14


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_zeros_in_place_of_the_rest(tmp_path, picture, kind, share):
    data = stored(picture, kind, quality=95)
    kept = int(share * len(data))
    message = "a damaged|cut short|the end of the file is lost"
    refused(tmp_path / "a", data[:kept] + bytes(len(data) - kept), message)


@pytest.mark.parametrize("kind", [b"\0", b"\x11", b"\xff"])
def test_a_jpeg_whose_rest_is_filled(tmp_path, picture, kind):
    data = stored(picture, "JPEG")
    half = len(data) // 2
    refused(tmp_path / "a", data[:half] + kind * (len(data) - half), "a damaged JPEG|cut short")


def test_a_harmless_oddity_does_not_hide_damage(tmp_path, picture):
    odd = stored(picture, "JPEG").replace(b"JFIF\0\1", b"JFIF\0\3")  # a revision that nobody knows
    (tmp_path / "a").write_bytes(odd)
    assert read_photo(tmp_path / "a").pixels.shape == (96, 128, 3)
    half = (scan_of(odd) + len(odd)) // 2
    noise = np.random.default_rng(1).integers(0, 255, 1000, np.uint8).tobytes()
    refused(tmp_path / "a", odd[:half] + noise + odd[half + 1000 :], "a damaged JPEG")


def test_scans_without_end_are_not_decoded(tmp_path, picture):
    data = stored(picture, "JPEG", progressive=True)
    last = max(match.start() for match in re.finditer(rb"\xff\xda", data))
    (tmp_path / "a").write_bytes(data)
    assert read_photo(tmp_path / "a").pixels.shape == (96, 128, 3)
    many = data[:-2] + data[last:-2] * MOST_SCANS + data[-2:]
    refused(tmp_path / "a", many, "more than 100 scans")


def test_what_follows_a_photo_does_not_count(tmp_path, picture):
    """A video behind a photo (as phones store it), padding, another picture."""
    data = stored(picture, "JPEG")
    plain = np.asarray(Image.open(io.BytesIO(data)))
    for more in (b"\xff\xda" * 500, bytes(5000), data):
        (tmp_path / "a").write_bytes(data + more)
        assert np.array_equal(read_photo(tmp_path / "a").pixels, plain)


@pytest.mark.parametrize(
    ("kind", "settings", "mark"),
    [("PNG", {}, b"IDAT"), ("TIFF", {"compression": "tiff_deflate"}, b"x")],
)
def test_a_changed_byte_misses_its_checksum(tmp_path, picture, kind, settings, mark):
    data = bytearray(stored(picture, kind, **settings))
    (tmp_path / "a").write_bytes(data)
    assert np.array_equal(read_photo(tmp_path / "a").pixels, np.asarray(picture))
    for place in np.linspace(data.index(mark) + 1000, len(data) - 1000, 8).astype(int):
        bad = data.copy()
        bad[place] ^= 1
        refused(tmp_path / "a", bad, "a damaged picture|damaged or cut short")


@pytest.mark.parametrize(
    ("place", "value", "name"),
    [(4, 12, "a JPEG of 12 bits"), (1, 0xC3, "a lossless JPEG"), (1, 0xF7, "a lossless JPEG")],
)
def test_a_jpeg_that_photo_programs_do_not_read(tmp_path, picture, place, value, name):
    data = bytearray(stored(picture, "JPEG"))
    data[data.index(b"\xff\xc0") + place] = value
    refused(tmp_path / "a", data, name)
