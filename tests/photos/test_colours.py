"""The same colours, stored with other profiles, are the same photo."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from facies.common.errors import InputError
from facies.photos.colours import ADOBE, ADOBE_GAMMA, P3, matrix_profile
from facies.photos.images import read_photo

# Published matrices of linear colour to XYZ of D65: IEC 61966-2-1, SMPTE EG 432-1, and Adobe RGB
# (1998) Color Image Encoding, 4.3.6.1.
TO_XYZ = {
    "sRGB": [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
    "P3": [[0.4866, 0.2657, 0.1982], [0.2290, 0.6917, 0.0793], [0.0, 0.0451, 1.0439]],
    "Adobe": [
        [0.57667, 0.18556, 0.18823],
        [0.29734, 0.62736, 0.07529],
        [0.02703, 0.07069, 0.99134],
    ],
}
P3_PROFILE = matrix_profile("Display P3", P3, None)
ADOBE_PROFILE = matrix_profile("Adobe RGB (1998)", ADOBE, ADOBE_GAMMA)


def stored(space, srgb):
    """Pixels of sRGB, uint8, as another colour space stores them."""
    coded = srgb / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    linear = linear @ np.array(TO_XYZ["sRGB"]).T @ np.linalg.inv(TO_XYZ[space]).T
    linear = np.clip(linear, 0, 1)
    if space == "Adobe":
        coded = linear ** (1 / ADOBE_GAMMA)
    else:
        coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(coded * 255).astype(np.uint8)


@pytest.fixture
def skin():
    """Colours about that of skin, with lips, eyes and shadow."""
    ramp = np.linspace(-40, 40, 32)[:, None, None]
    cast = np.linspace(-25, 25, 32)[None, :, None] * np.array([1, -0.5, -0.7])
    return np.clip([170, 130, 110] + ramp + cast, 0, 255).round()


@pytest.mark.parametrize(
    ("space", "profile", "name"),
    [("P3", P3_PROFILE, "Display P3"), ("Adobe", ADOBE_PROFILE, "Adobe RGB (1998)")],
)
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_profile_is_heeded(tmp_path, skin, space, profile, name, kind):
    pixels = stored(space, skin)
    Image.fromarray(pixels).save(tmp_path / "a", kind, icc_profile=profile)
    assert np.abs(pixels - skin).mean() > 3
    photo = read_photo(tmp_path / "a")
    assert photo.profile == name
    assert np.abs(photo.pixels - skin).mean() < 1


def test_srgb_by_any_name_changes_nothing(tmp_path, skin):
    pixels = skin.astype(np.uint8)
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=standard)
    photo = read_photo(tmp_path / "a.png")
    assert photo.profile == "sRGB" and np.array_equal(photo.pixels, pixels)


@pytest.mark.parametrize("profile", [b"no profile", P3_PROFILE[:200]])
def test_a_broken_profile_counts_as_srgb_and_says_so(tmp_path, skin, profile):
    pixels = skin.astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=profile)
    photo = read_photo(tmp_path / "a.png")
    assert photo.profile == "unreadable" and np.array_equal(photo.pixels, pixels)


def test_adobe_rgb_by_exif_alone(tmp_path, skin):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    pixels = stored("Adobe", skin)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=100, subsampling=0, exif=exif)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.profile == "Adobe RGB (1998)"
    assert np.abs(photo.pixels - skin).mean() < 1.5


def with_chunk(path, name, data):
    """Put a chunk behind a PNG's header."""
    import struct
    import zlib

    chunk = name + data
    chunk = struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + chunk + whole[33:])


def test_what_a_png_says_without_a_profile(tmp_path, skin):
    path = tmp_path / "a.png"
    Image.fromarray(stored("P3", skin)).save(path)
    with_chunk(path, b"cICP", bytes([12, 13, 0, 1]))
    photo = read_photo(path)
    assert photo.profile == "Display P3" and np.abs(photo.pixels - skin).mean() < 1
    Image.new("RGB", (16, 16), (64, 64, 64)).save(path)
    with_chunk(path, b"gAMA", (100000).to_bytes(4, "big"))  # linear: sRGB of 64 / 255 is 137
    photo = read_photo(path)
    assert photo.profile == "PNG gamma 1" and abs(int(photo.pixels[0, 0, 0]) - 137) <= 1
    with_chunk(path, b"cICP", bytes([9, 16, 0, 1]))
    with pytest.raises(InputError, match="HDR"):
        read_photo(path)


def test_lab_and_cmyk(tmp_path):
    # 53.2, 80.1, 67.2 is sRGB's red.
    lab = Image.frombytes("LAB", (16, 16), bytes([136, 80, 67]) * 256)
    lab.save(tmp_path / "a.tif")
    photo = read_photo(tmp_path / "a.tif")
    assert photo.profile == "CIELAB"
    assert np.abs(photo.pixels[0, 0] - np.array([255, 0, 0])).max() < 12
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "b.jpg", quality=100)
    photo = read_photo(tmp_path / "b.jpg")
    assert photo.profile == "none (CMYK)" and photo.pixels[0, 0].tolist() == [255, 0, 0]


def test_a_name_does_no_harm_in_a_table(tmp_path, skin):
    hostile = matrix_profile("=cmd|' /C calc'!A1\n,x", ADOBE, 1.8)
    Image.fromarray(skin.astype(np.uint8)).save(tmp_path / "a.png", icc_profile=hostile)
    assert read_photo(tmp_path / "a.png").profile == "cmd C calc A1 ,x"


def test_the_profile_of_a_jpeg_2000(tmp_path, skin):
    path = tmp_path / "a.jp2"
    Image.fromarray(stored("P3", skin)).save(path)
    data = path.read_bytes()
    place = data.index(b"colr") - 4
    length, header = int.from_bytes(data[place : place + 4], "big"), data.index(b"jp2h") - 4
    box = (11 + len(P3_PROFILE)).to_bytes(4, "big") + b"colr\2\0\0" + P3_PROFILE
    around = int.from_bytes(data[header : header + 4], "big") + len(box) - length
    start = data[:header] + around.to_bytes(4, "big") + data[header + 4 : place]
    path.write_bytes(start + box + data[place + length :])
    photo = read_photo(path)
    assert photo.profile == "Display P3" and np.abs(photo.pixels - skin).mean() < 1


def test_a_profile_that_turns_white_dark_is_damaged(tmp_path, skin):
    profile, pixels = bytearray(P3_PROFILE), skin.astype(np.uint8)
    for colour in (b"rXYZ", b"gXYZ", b"bXYZ"):
        entry = profile.index(colour)
        place = int.from_bytes(profile[entry + 4 : entry + 8], "big")
        profile[place + 8 : place + 20] = bytes(12)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=bytes(profile))
    photo = read_photo(tmp_path / "a.png")
    assert photo.profile == "unreadable" and np.array_equal(photo.pixels, pixels)


def test_primaries_that_span_no_colours_say_nothing(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (16, 16), (64, 64, 64)).save(path)
    place = b"".join(x.to_bytes(4, "big") for x in (31270, 32900, *[30000] * 6))
    with_chunk(path, b"cHRM", place)
    photo = read_photo(path)
    assert photo.profile == "none" and photo.pixels[0, 0].tolist() == [64, 64, 64]
