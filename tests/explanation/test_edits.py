"""Moved codes and their renderings."""

import numpy as np
import pytest
import torch

from facies.explanation import edits
from facies.generator.stylegan2 import Generator


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return Generator(4, 8, 16, 64, 8, mapping_layers=1).eval().requires_grad_(False)


def test_moved_codes_end_at_the_target_multiples_of_their_own_step():
    codes, steps = np.zeros((2, 3, 4)), np.ones((2, 3, 4)) * [[[1.0]], [[10.0]]]
    moved = edits.moved(codes, steps, (-2, 0, 1))
    assert moved.shape == (2, 3, 3, 4)
    assert moved[:, :, 0, 0].tolist() == [[-2, 0, 1], [-20, 0, 10]]


def test_an_edit_of_zero_is_the_face_itself(generator):
    codes = np.random.default_rng(0).normal(size=(2, 6, 8))
    images = edits.render(generator, edits.moved(codes, np.ones((6, 8)), (1, 0)))
    assert images.shape == (2, 2, 16, 16, 3)
    assert np.array_equal(images[:, 1], edits.render(generator, codes))
    assert np.array_equal(images[:, 0], edits.render(generator, codes + 1))
