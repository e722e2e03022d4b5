"""Maps of the risk: planted squares, shares by hand, agreement of two readings."""

import numpy as np
import pytest
import torch

from facies.explanation import maps
from facies.explanation.direction import Direction
from facies.explanation.heldout import HeldOut
from facies.generator.stylegan2 import Encoder, Generator
from facies.photos.regions import BACKGROUND, FACE


@pytest.fixture
def faces():
    """Three faces of codes (6, 8), of two folds."""
    random = np.random.default_rng(0)
    directions = [Direction(beta, beta, np.zeros(48), 2.0) for beta in random.normal(size=(2, 48))]
    by_face = [directions[0], directions[1], directions[0]]
    codes = random.normal(size=(3, 6, 8))
    return HeldOut(np.array(list("abc")), codes, np.array([1, 2, 1]), by_face, None, None)


def test_jacobian_maps_are_those_of_a_small_step(faces):
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, 64, 8, mapping_layers=1).eval().requires_grad_(False)
    found = maps.jacobian_maps(faces, generator)
    assert found.shape == (3, 16, 16)

    def picture(code):
        with torch.no_grad():
            image = generator.synthesis(torch.from_numpy(code[None].astype(np.float32)))[0]
        return image.permute(1, 2, 0).numpy() * 127.5

    for code, step, one in zip(faces.codes, faces.steps, found, strict=True):
        size = 3e-4 / np.abs(step).max()
        change = (picture(code + size * step) - picture(code - size * step)) / (2 * size)
        assert np.square(change).sum() == pytest.approx(one.sum(), rel=0.03)


def test_occlusion_maps_use_the_direction_and_the_fill_of_the_own_fold(faces, monkeypatch):
    # The "encoder" reads the mean of a corner into the first coordinate.
    monkeypatch.setattr(
        maps,
        "encode",
        lambda encoder, centre, photos: np.eye(48)[0] * photos[:, :2, :2, 0].mean((1, 2))[:, None],
    )
    photos = np.full((3, 16, 16, 3), 100, np.uint8)
    fills = {1: np.full((16, 16, 3), 90, np.uint8), 2: np.full((16, 16, 3), 100, np.uint8)}
    found = maps.occlusion_maps(faces, photos, fills, None, None)
    expected = (10 * faces.directions[0].beta[0] / 2) ** 2
    assert found[0, :2, :2] == pytest.approx(np.full((2, 2), expected))
    assert found[0].sum() == pytest.approx(4 * expected)
    assert not found[1].any()  # the fill of this fold looks like the photo


def test_shares_leave_out_undetected_faces_and_empty_maps():
    energy = np.zeros((3, 2, 2))
    energy[0, 0, 0], energy[0, 1, 1] = 3, 1
    energy[1] = 1
    regions = np.full((2, 2), BACKGROUND)
    regions[0] = FACE
    found = maps.map_shares(energy, [regions, None, regions], 0)
    assert found["face"]["value"] == 0.75 and found["background"]["value"] == 0.25


def test_agreement_is_the_correlation_of_both_risks(faces, monkeypatch):
    risks = np.array(
        [d.risk(c.ravel()) / d.sd for d, c in zip(faces.directions, faces.codes, strict=True)]
    )
    other = faces.codes[[1, 0, 2]]
    monkeypatch.setattr(maps, "encode", lambda encoder, centre, photos: other.reshape(3, -1))
    read = np.array(
        [d.risk(c.ravel()) / d.sd for d, c in zip(faces.directions, other, strict=True)]
    )
    found = maps.agreement(faces, np.zeros((3, 4, 4, 3), np.uint8), None, None, 0)
    assert found["value"] == pytest.approx(np.corrcoef(risks, read)[0, 1])


def test_every_map_has_the_same_weight_in_the_mean():
    energy = np.zeros((2, 2, 2))
    energy[0, 0, 0], energy[1, 1, 1] = 1, 100
    assert maps.mean_map(energy).tolist() == [[0.5, 0], [0, 0.5]]


def test_sheets_have_a_column_for_every_kind_of_map():
    photos = np.zeros((2, 16, 16, 3), np.uint8)
    made = {kind: np.ones((2, 16, 16)) for kind in maps.LABELS}
    assert maps.draw_mean_maps(photos[0], made).size == (3 * 256, 256 + 24)
    assert maps.draw_maps(photos, made).size == (3 * 128, 2 * 128 + 24)


def test_encoders_of_the_library_fit(faces):
    torch.manual_seed(0)
    encoder = Encoder(6, 8, 16, 128, 8).eval().requires_grad_(False)
    photos = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    found = maps.agreement(faces, photos, encoder, torch.ones(8), 0)
    assert -1 <= found["value"] <= 1
