import numpy as np
import pytest
from PIL import Image

from facies.errors import InputError
from facies.images import read_photo

# Orientation tag -> what a viewer does to the stored pixels.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


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


def test_twelve_bit_grey_is_not_night(tmp_path):
    values = np.array([[0, 2048, 4095]], np.uint16).repeat(16, 0).repeat(16, 1)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png")[0, ::16, 0].tolist() == [0, 128, 255]


def test_transparency_lies_over_white(tmp_path):
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    Image.fromarray(pixels.repeat(16, 0).repeat(16, 1)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png")[0, ::16].tolist() == [[10, 20, 30], [255, 255, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "F", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    dark = np.full((16, 24), 60, np.uint8)
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


def test_giant_is_refused_unopened(tmp_path, monkeypatch, picture):
    monkeypatch.setattr("facies.images.MAX_PIXELS", 30)
    Image.fromarray(picture).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="megapixels"):
        read_photo(tmp_path / "a.png")


def test_speck_is_refused(tmp_path):
    Image.new("RGB", (1, 2)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="less than 16 pixels"):
        read_photo(tmp_path / "a.png")


def test_odd_file_name(tmp_path, picture):
    path = tmp_path / "Zoë $(touch x); 'ü.png"
    Image.fromarray(picture).save(path)
    assert np.array_equal(read_photo(path), picture)
