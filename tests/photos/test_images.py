import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from turns import TURNS

from facies.common.errors import InputError
from facies.photos.images import read_photo as read


def read_photo(path):
    return read(path).pixels


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize("tag", TURNS)
def test_exif_turns(tmp_path, picture, tag):
    exif = Image.Exif()
    exif[274] = tag
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_photo(tmp_path / "a.png"), TURNS[tag](picture))


def test_sixteen_bit_grey(tmp_path):
    values = np.array([[0, 32768, 65535]], np.uint16).repeat(16, 0).repeat(16, 1)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png")[0, ::16, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_a_file_of_sixteen_are_not_night(tmp_path, bits):
    values = np.array([[0, 2 ** (bits - 1), 2**bits - 1]], np.uint16).repeat(16, 0).repeat(16, 1)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png")[0, ::16, 0].tolist() == [0, 128, 255]


def test_white_is_what_a_tiff_says(tmp_path):
    values = np.array([[0, 1000, 2000]], np.uint16).repeat(16, 0).repeat(16, 1)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[281] = 4000
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo=tags)
    assert read_photo(tmp_path / "a.tif")[0, ::16, 0].tolist() == [0, 64, 128]


@pytest.mark.parametrize(
    ("values", "grey"),
    [
        ([0, 0.1, 0.2], [0, 26, 51]),  # of 1, though dark
        ([0, 0.9, 1.8], [0, 128, 255]),  # HDR past 1 is not black
        ([0, 100, 200], [0, 100, 200]),
        ([-1, 0, 1], [0, 128, 255]),
        ([0, np.nan, 1], [0, 0, 255]),
    ],
)
def test_floats_are_scaled_by_their_range(tmp_path, values, grey):
    pixels = np.array([values], np.float32).repeat(16, 0).repeat(16, 1)
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    assert read_photo(tmp_path / "a.tif")[0, ::16, 0].tolist() == grey


def test_transparency_lies_over_white(tmp_path):
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    Image.fromarray(pixels.repeat(16, 0).repeat(16, 1)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png")[0, ::16].tolist() == [[10, 20, 30], [255, 255, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "F", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    dark = np.full((16, 24), 60, np.uint8)
    dark[0, 0] = 255  # or else sixteen bits might be fourteen
    grey = (
        Image.fromarray(dark.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(dark)
    )
    grey.convert(mode).save(tmp_path / "a.tif")
    photo = read_photo(tmp_path / "a.tif")
    assert photo.shape == (16, 24, 3) and photo.dtype == np.uint8
    assert abs(photo.mean() - 60) < 2 or mode == "1"


def test_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (16, 16), c) for c in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_photo(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


def test_cut_short_file_has_a_remedy(tmp_path, picture):
    Image.fromarray(picture.repeat(20, 0).repeat(20, 1)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="export it again"):
        read_photo(tmp_path / "a.jpg")


def test_missing_text_and_folder(tmp_path):
    with pytest.raises(InputError, match="missing"):
        read_photo(tmp_path / "none.jpg")
    (tmp_path / "a.jpg").write_text("not a picture")
    with pytest.raises(InputError, match="not a readable picture"):
        read_photo(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="folder"):
        read_photo(tmp_path)


@pytest.mark.parametrize(("width", "said"), [(6001, "6001 x 10000 pixels"), (20000, "picture has")])
def test_giant_is_refused_before_it_is_decoded(tmp_path, width, said):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, 10000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT5\xafL\x1e")
    with pytest.raises(InputError, match=f"{said}.* more than 60 megapixels"):
        read_photo(tmp_path / "a.png")


def test_speck_is_refused(tmp_path):
    Image.new("RGB", (1, 2)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="less than 16 pixels"):
        read_photo(tmp_path / "a.png")


def test_odd_file_name(tmp_path, picture):
    path = tmp_path / "Zoë $(touch x); 'ü.png"
    Image.fromarray(picture).save(path)
    assert np.array_equal(read_photo(path), picture)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "avif", "jpeg2000", "gif", "bmp"])
def test_every_kind_of_photo_is_read(tmp_path, kind):
    Image.new("RGB", (40, 30), (200, 120, 90)).save(tmp_path / "a.jpg", kind)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.shape == (30, 40, 3) and np.abs(photo - np.array([200, 120, 90])).max() <= 6


@pytest.mark.parametrize("kind", [3, 4, 5, 8, 9, 10, 11, 12])
def test_a_tag_out_of_range_stops_no_photo(tmp_path, kind):
    # Orientation 2 (mirrored), and a width of a type and value that no width may have.
    entry = struct.pack("<HHI4s", 274, 3, 1, b"\2\0\0\0")
    entry += struct.pack("<HHI4s", 256, kind, 1, b"\xfb\xff\xff\xff")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry + bytes(4)
    pixels = np.zeros((16, 32, 3), np.uint8)
    pixels[:, :16] = 255
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo[:, :8].max() < 5 and photo[:, -8:].min() > 250


def box(brand, others=b""):
    return struct.pack(">I", 16 + len(others)) + b"ftyp" + brand + bytes(4) + others


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (box(b"heic", b"mif1heic"), "a HEIC photo"),
        (box(b"mif1", b"heic"), "a HEIC photo"),
        (box(b"crx "), "RAW"),
        (box(b"isom", b"mp42"), "a video"),
        (box(b"qt  "), "a video"),
        (b"\x1aE\xdf\xa3", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"\xff\x0a", "a JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
        (b"%PDF-1.7", "a PDF"),
        (bytes(128) + b"DICM", "a DICOM"),
        (b"II*\0\x10\0\0\0CR\2\0", "RAW"),
        (b"FUJIFILMCCD-RAW 0201", "RAW"),
        (b"IIU\0\x18\0\0\0", "RAW"),
        (b"8BPS\0\1", "a Photoshop"),
        (b"%!PS-Adobe-3.0", "a PostScript"),
        (b"<svg xmlns='x'/>", "an SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><svg/>", "an SVG"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"<!-- saved --><html>", "a web page"),
        (b"PK\3\4", "an archive"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "a side file of macOS"),
        (bytes(5000), "only zero bytes"),
        (b"", "empty"),
    ],
)
def test_what_is_no_photo_has_its_true_name(tmp_path, data, name):
    (tmp_path / "a.jpg").write_bytes(data if not data.strip(b"\0") else data + b" " * 200)
    with pytest.raises(InputError, match=name):
        read(tmp_path / "a.jpg")


def test_a_long_comment_takes_no_long_time(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"<!---->" * 9000 + b" " * 9000)
    with pytest.raises(InputError, match="not a readable picture"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}, {330: 8}])
def test_the_preview_of_a_raw_file_is_no_photo(tmp_path, picture, tags):
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "TIFF", tiffinfo=info)
    data = bytearray(out.getvalue())
    if 330 in tags:  # one directory more, of a sensor's pixels: photometric 32803
        at = data.find(struct.pack("<HHI", 330, 4, 1))
        data[at + 8 : at + 12] = struct.pack("<I", len(data))
        data += struct.pack("<HHHIII", 1, 262, 3, 1, 32803, 0)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(InputError, match="RAW"):
        read(tmp_path / "a.tif")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="not a regular file"):
        read(tmp_path / "a.jpg")


def jpeg(seed=0):
    """A JPEG of noise, and where its scan begins."""
    out, noise = io.BytesIO(), np.random.default_rng(seed).integers(0, 256, (99, 99, 3), np.uint8)
    Image.fromarray(noise).save(out, "JPEG")
    data = out.getvalue()
    return data, data.index(b"\xff\xda") + 14


def test_a_scrambled_jpeg_is_damaged_not_a_face(tmp_path):
    data, scan = jpeg()
    (tmp_path / "a.jpg").write_bytes(data)
    assert read_photo(tmp_path / "a.jpg").shape == (99, 99, 3)
    noise = np.random.default_rng(1).integers(0, 255, len(data) - scan - 2, np.uint8).tobytes()
    half = (scan + len(data)) // 2
    for bad in (data[:scan] + noise, data[:half], data[:half] + bytes(len(data) - half - 2)):
        (tmp_path / "a.jpg").write_bytes(bad + b"\xff\xd9")
        with pytest.raises(InputError, match="a damaged JPEG"):
            read(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    "error", [struct.error, zlib.error, KeyError, TypeError, OverflowError, EOFError, MemoryError]
)
def test_whatever_a_decoder_raises_is_a_reason(tmp_path, picture, monkeypatch, error):
    def fail(*_):
        raise error("inside")

    Image.fromarray(picture).save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(InputError, match="export it again"):
        read(tmp_path / "a.png")


def test_a_path_that_leads_nowhere_is_told_from_a_damaged_file(tmp_path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    for path in (tmp_path / "loop.jpg", tmp_path / f"{'x' * 300}.jpg"):
        with pytest.raises(InputError, match="correct its path"):
            read(path)
