"""The detector on rendered faces, whose eyes and mouths are known."""

import dataclasses

import cv2
import numpy as np
import pytest
from face_models import FOLDER, PERSON, needs_models

from facies.common.errors import InputError
from facies.demo.portraits import random_portrait, render
from facies.photos.alignment import (
    AlignmentSettings,
    Unusable,
    align_photo,
    find_again,
    key_points,
    landmark_drift,
)
from facies.photos.detection import FaceDetector, _suppress, _turn_back, published

SETTINGS = AlignmentSettings(resolution=64, min_face=8, covered="leave out")


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(FOLDER)


@pytest.mark.parametrize("turns", range(4))
def test_turning_back_points(turns):
    photo = np.zeros((5, 8), int)
    photo[1, 6] = 1
    y, x = np.argwhere(np.rot90(photo, turns))[0]
    assert _turn_back(np.array([x + 0.5, y + 0.5]), turns, 5, 8).tolist() == [6.5, 1.5]


def test_overlapping_boxes_become_their_weighted_mean():
    boxes = np.zeros((3, 9))
    boxes[0, :4], boxes[0, 8] = [0, 0, 10, 10], 0.9
    boxes[1, :4], boxes[1, 8] = [1, 0, 11, 10], 0.6
    boxes[2, :4], boxes[2, 8] = [50, 50, 60, 60], 0.8
    merged = _suppress(boxes)
    assert len(merged) == 2
    assert merged[0][0] == pytest.approx(0.6 / 1.5)
    assert merged[0][8] == 0.9


@needs_models
def test_finds_eyes_and_mouth_where_they_were_drawn(detector):
    photo, _, points = render(PERSON)
    face = detector.detect(photo)
    truth = np.concatenate([points["eyes"], points["mouth"]])
    found = np.concatenate([face.eyes, face.mouth])
    assert np.abs(found - truth).max() < 0.03 * 256


@needs_models
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_photo_gives_the_same_crop(detector, turns):
    photo = render(PERSON)[0]
    upright = align_photo(photo, detector, SETTINGS)
    turned = align_photo(np.ascontiguousarray(np.rot90(photo, turns)), detector, SETTINGS)
    assert turned.quality["turns"] == 4 - turns
    error = upright.image.astype(float) - turned.image
    assert np.abs(error).mean() < 4


@needs_models
def test_nearly_every_rendered_portrait_is_aligned(detector):
    random = np.random.default_rng(5)
    photos = [render(random_portrait(random))[0] for _ in range(40)]
    assert all(detector.detect(photo) is not None for photo in photos)


@needs_models
def test_no_face_and_two_faces(detector):
    photo = render(PERSON)[0]
    empty = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    with pytest.raises(Unusable, match="no face"):
        align_photo(empty, detector, SETTINGS)
    with pytest.raises(Unusable, match="2 faces"):
        align_photo(np.concatenate([photo, photo], axis=1), detector, SETTINGS)
    with pytest.raises(Unusable, match="too small"):
        align_photo(photo, detector, dataclasses.replace(SETTINGS, min_face=100))


@needs_models
def test_regions_agree_with_the_drawn_ones(detector):
    photo, truth, _ = render(PERSON)
    aligned = align_photo(photo, detector, dataclasses.replace(SETTINGS, resolution=128))
    matrix = cv2.getAffineTransform(
        np.float32(aligned.quad[:3] - 0.5), np.float32([[0, 0], [0, 128], [128, 128]]) - 0.5
    )
    drawn = cv2.warpAffine(truth, matrix, (128, 128), flags=cv2.INTER_NEAREST)
    sure = aligned.regions > 0
    face = (aligned.regions == 1) & sure
    assert (drawn[face] == 1).mean() > 0.9
    assert (drawn[aligned.regions == 4] == 4).mean() > 0.95


@needs_models
def test_drift_is_small_for_the_crop_itself_and_sees_a_shift(detector):
    aligned = align_photo(render(PERSON)[0], detector, SETTINGS)

    def drift(image):
        return landmark_drift(find_again(detector, image), aligned.landmarks, 64)

    assert drift(aligned.image) < 0.02
    assert drift(np.roll(aligned.image, 5, axis=0)) == pytest.approx(5 / 64, abs=0.025)
    assert np.isnan(drift(np.full_like(aligned.image, 128)))


@needs_models
def test_drooping_lids_are_seen_by_the_mesh(detector):
    def opening(droop):
        face = detector.detect(render(dataclasses.replace(PERSON, lid_droop=droop))[0])
        return np.abs(face.landmarks[159, 1] - face.landmarks[145, 1])

    assert opening(1.0) < 0.8 * opening(0.0)


def test_key_points_are_eyes_then_mouth():
    landmarks = np.zeros((468, 2), np.float32)
    landmarks[[61, 291]] = [[1, 2], [3, 4]]
    assert key_points(landmarks).tolist() == [[0, 0], [0, 0], [1, 2], [3, 4]]


def test_a_network_s_file_that_was_changed_is_not_used(tmp_path):
    (tmp_path / "face_landmark.tflite").write_bytes(b"another network")
    with pytest.raises(InputError, match=r"face_landmark.tflite is not the published file"):
        published(tmp_path / "face_landmark.tflite")
