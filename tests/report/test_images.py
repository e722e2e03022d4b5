"""Pictures, and what they must not show."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facies.common.store import digest
from facies.generator.pictures import TILE, grid, to_tensor, to_uint8
from facies.report import images


def test_errors_are_mapped_no_finer_than_cells():
    photos = np.zeros((2, 32, 32, 3), np.uint8)
    reconstructed = photos.copy()
    reconstructed[0, 4, 6] = 255  # one pixel of a cell of two by two: a mean error of 255 / 4
    grey = np.full((32, 32, 3), 90, np.uint8)
    maps = images.error_maps(photos, reconstructed, grey)
    assert (maps[1] == 90).all()
    share = 255 / 4 / images.REDDEST
    expected = (90 * (1 - share) + np.array([178, 24, 24]) * share).astype(np.uint8)
    assert (maps[0, 4:6, 6:8] == expected).all()
    assert (maps[0] != 90).any(axis=2).sum() == 4


def test_the_worst_inside_the_face_are_shown(monkeypatch):
    ids = np.array([f"{i:03d}" for i in range(20)])
    photos = np.zeros((20, 16, 16, 3), np.uint8)
    reconstructed = photos + np.arange(20, dtype=np.uint8)[:, None, None, None]
    gate = pd.DataFrame({"photo_id": ids, "psnr_face": np.arange(40.0, 20, -1)})
    seen = {}
    monkeypatch.setattr(images, "error_maps", lambda a, b, c: seen.update(b=b) or a)
    aligned, latents = ({"photo_ids": ids, "images": x} for x in (photos, reconstructed))
    images.worst_errors(aligned, latents, gate, photos[0])
    assert seen["b"][:, 0, 0, 0].tolist() == list(range(19, 7, -1))


def test_a_picture_keeps_nothing_but_its_pixels(tmp_path):
    photo = Image.new("RGB", (4, 4), "red")
    exif = Image.Exif()
    exif[0x010E] = "Mrs Jones"
    photo.save(tmp_path / "photo.jpg", exif=exif, comment=b"Mrs Jones")
    address = images.picture(tmp_path / "photo.jpg")
    assert address.startswith("data:image/png;base64,")
    assert b"Jones" not in base64.b64decode(address.partition(",")[2])


def test_grid_fills_row_by_row_and_leaves_the_rest_white():
    tiles = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)])
    sheet = np.asarray(grid(tiles, columns=2))
    assert sheet.shape == (2 * TILE, 2 * TILE, 3)
    assert sheet[::TILE, ::TILE, 0].tolist() == [[10, 20], [30, 255]]


def test_pictures_of_any_size_are_tiles_that_a_reader_can_open():
    """64 samples of 1024 pixels, each doubled, were more than Pillow opens again."""
    large = np.zeros((64, 1, 1, 3), np.uint8).repeat(1024, axis=1).repeat(1024, axis=2)
    large[1] = 200
    sheet = grid(large, columns=16)
    assert sheet.size == (16 * TILE, 4 * TILE) and sheet.getpixel((TILE + 64, 64)) == (200,) * 3
    assert images.mean_face(large[:2]).size == (2 * TILE, 2 * TILE)


def test_pictures_and_tensors_are_each_others_inverse():
    photos = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    assert to_tensor(photos).min() >= -1 and to_tensor(photos).max() <= 1
    assert to_uint8(to_tensor(photos)) == pytest.approx(photos, abs=1)


def test_the_closest_photos_are_found_by_their_pixels_among_those_that_stayed():
    red, green, blue = (np.full((1, 8, 8, 3), c, np.uint8) for c in np.diag([250] * 3))
    known = np.array([digest(image.tobytes()) for image in (red, blue)])  # red is gone
    found = {"samples": np.concatenate([green, red]), "photos": known}
    aligned = {"photo_ids": np.array(["a", "b"]), "images": np.concatenate([green, blue])}
    address = images.closest_samples(found, aligned)
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert picture.size == (TILE, 2 * TILE)
    assert picture.getpixel((64, 64)) == (250, 0, 0)
    assert picture.getpixel((64, 192)) == (0, 0, 250)
    gone = {"samples": red, "photos": known[:1]}
    assert images.closest_samples(gone, aligned) is None
