"""Covered and turned faces are found, plain ones are not."""

import dataclasses

import cv2
import numpy as np
import pytest
from face_models import FOLDER, PERSON, needs_models

from facies.demo.covers import COVERS, cover, cut
from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.photos import visibility
from facies.photos.alignment import ENOUGH, QUALITY, AlignmentSettings, Unusable, align_photo
from facies.photos.detection import FaceDetector

SETTINGS = AlignmentSettings(resolution=64, min_face=8, covered="leave out")
WHOLE = {"seen_eyes": 1.0, "seen_lower": 1.0, "seen_half": 1.0, "yaw_degrees": 0.0}


@pytest.fixture(scope="module")
def detector():
    return FaceDetector(FOLDER)


@pytest.fixture(scope="module")
def people(detector):
    photos = [render(portrait)[0] for portrait in pretraining_portraits(50, 10)]
    return [(photo, detector.detect(photo)) for photo in photos]


def marked(photo, detector):
    """The reason why a photo is left out, or None."""
    face = detector.detect(photo)
    if face is None:
        return "no face found"
    return visibility.reason(visibility.visibility(face, photo.shape[:2]))


@needs_models
@pytest.mark.parametrize("kind", COVERS)
def test_covers_are_found(kind, people, detector):
    random = np.random.default_rng(3)
    reasons = [marked(cover(kind, photo, face, random)[0], detector) for photo, face in people]
    assert sum(reason is not None for reason in reasons) >= 9, reasons


@needs_models
@pytest.mark.parametrize("kind", ["plain", "beard", "tube"])
def test_plain_faces_beards_and_tubes_are_used(kind, people, detector):
    random = np.random.default_rng(3)
    reasons = [marked(cover(kind, photo, face, random)[0], detector) for photo, face in people]
    assert reasons == [None] * 10


@needs_models
def test_clear_glasses_do_not_cover_the_eyes(detector):
    portraits = [dataclasses.replace(p, glasses=1) for p in pretraining_portraits(50, 10)]
    assert [marked(render(p)[0], detector) for p in portraits] == [None] * 10


@needs_models
def test_what_is_hidden_is_said(people, detector):
    random = np.random.default_rng(0)
    photo, face = people[0]
    masked, hidden = cover("nose_free", photo, face, random)
    x, y = face.mouth.mean(axis=0).astype(int)
    assert hidden[y, x] == 1 and hidden[int(face.eyes[0, 1]), int(face.eyes[0, 0])] == 0
    assert marked(masked, detector) == "mouth and chin are covered or outside the photo"
    dark, _ = cover("sunglasses", photo, face, random)
    assert marked(dark, detector) == "the eyes are covered or outside the photo"


@needs_models
def test_covered_photos_are_left_out_or_kept_by_the_config(people, detector):
    photo, face = people[0]
    masked, _ = cover("nose_free", photo, face, np.random.default_rng(0))
    with pytest.raises(Unusable, match="mouth and chin are covered"):
        align_photo(masked, detector, SETTINGS)
    quality = align_photo(masked, detector, dataclasses.replace(SETTINGS, covered="keep")).quality
    plain = align_photo(photo, detector, SETTINGS).quality
    assert tuple(plain) == QUALITY
    assert quality["seen_lower"] < 0.5 < 0.9 < min(plain["seen_lower"], plain["seen_eyes"])
    assert set(WHOLE) <= set(plain)


@needs_models
def test_regions_of_a_large_photo_are_those_of_the_small_one(people, detector):
    photo, _ = people[0]
    large = cv2.resize(photo, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC)
    assert max(large.shape) >= 2 * ENOUGH  # it is shrunk
    small, found = (align_photo(p, detector, SETTINGS).regions for p in (photo, large))
    assert len(np.unique(small)) >= 4
    assert (small == found).mean() > 0.93


@needs_models
def test_a_cut_keeps_what_lies_in_the_photo(people):
    photo, face = people[0]
    part, hidden, (x, y) = cut(photo, face, np.random.default_rng(0))
    height, width = part.shape[:2]
    assert (part == photo[y : y + height, x : x + width]).all()
    assert hidden.sum() == photo[..., 0].size - part[..., 0].size


@needs_models
@pytest.mark.parametrize("side", [-1, 1])
def test_turned_heads_have_a_side(side, detector):
    face = detector.detect(render(dataclasses.replace(PERSON, yaw=0.6 * side))[0])
    assert 18 < side * visibility.turned(face.mesh) < 32
    straight = detector.detect(render(PERSON)[0])
    assert abs(visibility.turned(straight.mesh)) < 3


@pytest.mark.parametrize("degrees", [-30, 0, 10, 30])
def test_turn_of_a_rotated_mesh(degrees):
    mesh = np.zeros((468, 3))
    angle = np.radians(degrees)
    mesh[visibility.LEFT_SIDE] = [-np.cos(angle), 0, -np.sin(angle)]
    mesh[visibility.RIGHT_SIDE] = [np.cos(angle), 0, np.sin(angle)]
    corrected = degrees * (1.17 + 1e-4 * degrees**2)
    assert visibility.turned(mesh) == pytest.approx(corrected)


@pytest.mark.parametrize(
    "seen, words",
    [
        ({}, None),
        ({"yaw_degrees": 35.0}, None),
        ({"yaw_degrees": -36.0}, "the head is turned by more than 35 degrees"),
        ({"seen_eyes": 0.69}, "the eyes are covered or outside the photo"),
        ({"seen_lower": 0.6}, "mouth and chin are covered or outside the photo"),
        ({"seen_half": 0.7}, "one half of the face is covered or outside the photo"),
        ({"seen_eyes": 0.1, "seen_lower": 0.1}, "most of the face is covered or outside the photo"),
    ],
)
def test_reasons(seen, words):
    assert visibility.reason(WHOLE | seen) == words
