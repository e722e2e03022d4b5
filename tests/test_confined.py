"""Edits confined to the face: the way round a hand-made picture, least change, main axes."""

import numpy as np
import pytest

from facies.confined import confined_steps, main_axes


def outside_change(places, tangents, outside):
    return np.linalg.norm(np.tensordot(places, tangents, 1)[..., outside, :])


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
    # Where the face is all, or nothing can be drawn, the most ordinary code is taken.
    (found,) = confined_steps(np.array([[3.0, 4.0, 0.0]]), tangents, np.zeros((1, 2), bool))
    assert found == pytest.approx([3 / 25, 4 / 25, 0])


def test_no_other_code_of_the_risk_changes_the_rest_less():
    random = np.random.default_rng(0)
    tangents, outside = random.normal(size=(5, 4, 4, 3)), np.arange(16).reshape(4, 4) > 5
    wanted = random.normal(size=(2, 5))
    places = confined_steps(wanted, tangents, outside)
    assert (places * wanted).sum(axis=1) == pytest.approx([1, 1])
    least = outside_change(places[0], tangents, outside)
    for _ in range(50):
        other = places[0] + 0.1 * random.normal(size=5)
        other /= other @ wanted[0]
        assert outside_change(other, tangents, outside) > least


def test_main_axes_are_one_sd_long_and_hold_most_of_the_variance():
    random = np.random.default_rng(1)
    spreads = np.array([8.0, 4, 2, 1, 0.5])  # variances 64, 16, 4, 1, 0.25: 75, 94, 98.5 % ...
    codes = random.normal(size=(2000, 5)) * spreads + 7
    axes = main_axes(codes)
    assert np.abs(axes) == pytest.approx(np.diag(spreads)[:2], abs=0.4)
    turn = np.linalg.qr(random.normal(size=(5, 5)))[0]
    assert np.abs(main_axes(codes @ turn)) == pytest.approx(np.abs(axes @ turn))
