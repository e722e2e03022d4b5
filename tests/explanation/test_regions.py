"""Regions of crops, and shares of a change by hand."""

import numpy as np
from face_models import FOLDER, needs_models

from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.explanation.regions import find_regions, region_shares, squared_change
from facies.photos.detection import FaceDetector
from facies.photos.regions import BACKGROUND, FACE, SURROUND


def test_shares_counted_by_hand():
    regions = np.array([[FACE, SURROUND], [FACE, BACKGROUND]])
    first, last = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    last[0, 0], last[0, 1], last[1, 1, 0] = 1, 2, 3  # 3, 12 and 9 of 24
    middle = np.full_like(first, 200)
    energy = squared_change(np.stack([first, middle, last]))
    assert energy.tolist() == [[3, 12], [0, 9]]
    shares = region_shares(energy, regions)
    assert shares == {
        "face": 3 / 24,
        "surround": 12 / 24,
        "body": 0,
        "background": 9 / 24,
        "border": 0,
        "head": 15 / 24,
    }
    assert set(region_shares(np.zeros((2, 2)), regions).values()) == {0}


@needs_models
def test_regions_are_detected_in_a_crop():
    detector = FaceDetector(FOLDER)
    portrait = next(pretraining_portraits(3, 1))
    photo, rendered, _ = render(portrait, 256)
    regions = find_regions(photo[::2, ::2], detector)
    assert regions.shape == (128, 128)
    truth = rendered[::2, ::2] == FACE
    both = ((regions == FACE) & truth).sum() / ((regions == FACE) | truth).sum()
    assert both > 0.6
    assert find_regions(np.zeros((64, 64, 3), np.uint8), detector) is None
