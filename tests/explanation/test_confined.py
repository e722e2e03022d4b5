"""Edits confined to the face: steps for a picture of two pixels, least change, main axes."""

import numpy as np
import pytest
import torch
from face_models import FOLDER, needs_models
from tiny import ROOT

from facies.explanation.confined import confine, confined_steps, main_axes
from facies.explanation.direction import learn_direction
from facies.explanation.edits import moved, render
from facies.explanation.regions import region_shares, squared_change
from facies.generator.checkpoints import load_networks
from facies.photos.detection import FaceDetector


def outside_change(step, tangents, outside):
    return np.linalg.norm(np.tensordot(step, tangents, 1)[..., outside, :])


def test_a_risk_is_raised_where_it_costs_nothing_outside():
    # Two pixels, the face and the rest. The first axis changes the rest, the second the face, the
    # third nothing at all; they raise the risk by 4, 0.5 and 0.
    tangents = np.zeros((3, 1, 2, 3))
    tangents[0, 0, 1], tangents[1, 0, 0] = 10, 10
    outside = np.array([[False, True]])
    (found,) = confined_steps(np.array([[4.0, 0.5, 0.0]]), tangents, outside)
    assert found == pytest.approx([0, 2, 0], abs=1e-4)
    # Where nothing but the rest carries the risk, it cannot be spared.
    (found,) = confined_steps(np.array([[4.0, 0.0, 0.0]]), tangents, outside)
    assert found == pytest.approx([0.25, 0, 0])
    # Where the face is all, or nothing changes, the most ordinary code is taken.
    (found,) = confined_steps(np.array([[3.0, 4.0, 0.0]]), tangents, np.zeros((1, 2), bool))
    assert found == pytest.approx([3 / 25, 4 / 25, 0])


def test_no_other_code_of_the_risk_changes_the_rest_less():
    random = np.random.default_rng(0)
    tangents, outside = random.normal(size=(5, 4, 4, 3)), np.arange(16).reshape(4, 4) > 5
    slopes = random.normal(size=(2, 5))
    steps = confined_steps(slopes, tangents, outside)
    assert (steps * slopes).sum(axis=1) == pytest.approx([1, 1])
    least = outside_change(steps[0], tangents, outside)
    for _ in range(50):
        other = steps[0] + 0.1 * random.normal(size=5)
        other /= other @ slopes[0]
        assert outside_change(other, tangents, outside) > least


def test_main_axes_are_one_sd_long_and_hold_most_of_the_variance():
    random = np.random.default_rng(1)
    spreads = np.array([8.0, 4, 2, 1, 0.5])  # variances 64, 16, 4, 1, 0.25: 75, 94, 98.5 % ...
    codes = random.normal(size=(2000, 5)) * spreads + 7
    axes = main_axes(codes)
    assert np.abs(axes) == pytest.approx(np.diag(spreads)[:2], abs=0.4)
    turn = np.linalg.qr(random.normal(size=(5, 5)))[0]
    assert np.abs(main_axes(codes @ turn)) == pytest.approx(np.abs(axes @ turn))


@needs_models
def test_a_generated_face_changes_where_it_should():
    (generator,) = load_networks(ROOT / "resources/generator.safetensors", "generator")
    generator.eval().requires_grad_(False)
    z = torch.randn(40, generator.z_dim, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        known = generator.mapping(z).numpy()
    codes = known.mean(axis=0, keepdims=True)
    known = known.reshape(40, -1)
    beta = np.random.default_rng(0).normal(size=known.shape[1])
    closest = learn_direction(beta, known, 2.0)
    detector, axes = FaceDetector(FOLDER), main_axes(known)
    found = confine(codes, [closest], [axes], generator, detector, 2, 0)
    assert found.rows == [0] and found.steps.shape == (1, 3, *codes.shape[1:])
    steps = found.steps[0].reshape(3, -1)
    assert steps[0] @ beta == pytest.approx(2)  # one SD of risk
    lengths = np.linalg.norm(steps @ np.linalg.pinv(axes), axis=1)
    assert lengths == pytest.approx(np.full(3, lengths[0]), rel=1e-3)
    free = closest.step.reshape(codes.shape) * lengths[0] / closest.length
    found_in_face = []
    for step in (found.steps[0, :1], free):
        images = render(generator, moved(codes, step, (-0.3, 0.3)))
        found_in_face.append(region_shares(squared_change(images)[0], found.regions[0])["face"])
    assert found_in_face[0] > 1.5 * found_in_face[1]
    # In a picture without a face there is nothing to confine an edit to.
    blank = confine(codes * 0 + 40, [closest], [axes], generator, detector, 2, 0)
    assert blank.rows == [] and blank.steps.shape == (0, 3, *codes.shape[1:])
