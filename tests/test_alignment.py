import numpy as np
import pytest

from facies.alignment import crop, crop_labels, ffhq_quad

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
