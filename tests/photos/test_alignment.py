import cv2
import numpy as np
import pytest

from facies.photos.alignment import _reflect, crop, crop_labels, ffhq_quad

EYES = np.array([[40.0, 50.0], [60.0, 50.0]])
MOUTH = np.array([[42.0, 74.0], [58.0, 74.0]])


def test_quad_by_hand():
    # eyes 20 apart, mouth 24 below: half side = max(2 * 20, 1.8 * 24) = 43.2 about (50, 52.4)
    quad = ffhq_quad(EYES, MOUTH)
    expected = [[6.8, 9.2], [6.8, 95.6], [93.2, 95.6], [93.2, 9.2]]
    assert np.allclose(quad, expected)


def test_quad_turns_with_the_face():
    c, s = np.cos(0.4), np.sin(0.4)
    turn = np.array([[c, s], [-s, c]])
    assert np.allclose(ffhq_quad(EYES @ turn, MOUTH @ turn), ffhq_quad(EYES, MOUTH) @ turn)


def test_axis_parallel_crop_of_a_ramp_is_its_block_mean():
    ramp = np.add.outer(2 * np.arange(64), np.arange(64)).astype(np.uint8)
    quad = np.array([[16, 24], [16, 40], [32, 40], [32, 24]], float)
    expected = ramp[24:40, 16:32].reshape(8, 2, 8, 2).mean(axis=(1, 3))
    found = crop(np.repeat(ramp[..., None], 3, axis=2), quad, 8)
    assert np.abs(found[..., 0] - expected).max() <= 0.5


def test_colour_of_a_large_flat_photo_is_kept():
    photo = np.full((900, 900, 3), (10, 200, 90), np.uint8)
    quad = np.array([[50, 50], [50, 850], [850, 850], [850, 50]], float)
    assert np.unique(crop(photo, quad, 16).reshape(-1, 3), axis=0).tolist() == [[10, 200, 90]]


def test_what_lies_outside_is_reflected_not_black():
    photo = np.full((40, 40, 3), 180, np.uint8)
    quad = np.array([[-20, -20], [-20, 60], [60, 60], [60, -20]], float)
    assert np.array_equal(crop(photo, quad, 16), np.full((16, 16, 3), 180))
    labels = crop_labels(np.full((40, 40), 3, np.uint8), quad, 16, outside=0)
    assert (labels == 3).sum() == pytest.approx(16 * 16 / 4, abs=4)


def padded(photo, quad, size):
    """FFHQ's padding (Karras et al. 2019), written down for the whole photo at once."""
    height, width = photo.shape[:2]
    border = max(int(round(size * 0.1)), 3)
    low = np.floor(-quad.min(axis=0)).astype(int) + border
    high = np.ceil(quad.max(axis=0) - [width, height]).astype(int) + border
    pad = int(max(low.max(), high.max(), size * 0.3))
    whole = np.pad(photo, ((pad, pad), (pad, pad), (0, 0)), "symmetric").astype(np.float32)
    y, x = np.mgrid[0 : height + 2 * pad, 0 : width + 2 * pad]
    edge = np.minimum(
        np.minimum(x, width + 2 * pad - 1 - x), np.minimum(y, height + 2 * pad - 1 - y)
    )
    mask = (1 - edge / pad)[..., None]
    whole += (cv2.GaussianBlur(whole, (0, 0), size * 0.02) - whole) * np.clip(mask * 3 + 1, 0, 1)
    whole += (np.median(whole, axis=(0, 1)) - whole) * np.clip(mask, 0, 1)
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8), pad


@pytest.mark.parametrize("side", [90, 700, 1500])
def test_the_padding_is_ffhqs(side):
    coarse = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    photo = cv2.resize(coarse, (side, side * 3 // 4), interpolation=cv2.INTER_CUBIC)
    turn = np.array([[0.95, 0.31], [-0.31, 0.95]])
    quad = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * side * 0.4 @ turn + side * 0.35
    expected, pad = padded(photo, quad, side * 0.8)
    found, offset = _reflect(photo, quad, side * 0.8)
    centre = np.rint(offset).astype(int)
    x, y = np.meshgrid(
        *[
            np.arange(*np.rint([low, high]).astype(int))
            for low, high in zip(quad.min(axis=0), quad.max(axis=0), strict=True)
        ]
    )
    error = found[y + centre[1], x + centre[0]] - expected[y + pad, x + pad].astype(float)
    assert np.abs(error).mean() < 0.05 and np.abs(error).max() <= 2
