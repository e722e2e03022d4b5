"""Who is shown as an example, and with which edits."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from facies.explanation import examples
from facies.explanation.confined import Confined
from facies.explanation.edits import LEVELS
from facies.generator.stylegan2 import Generator


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return Generator(4, 8, 16, 64, 8, mapping_layers=1).eval().requires_grad_(False)


def codes_of(patients):
    """Two photos each, of patients whose codes vary along one axis."""
    ids = np.repeat([f"p{i}" for i in range(patients)], 2)
    values = np.zeros((2 * patients, 48))
    values[:, 0] = np.repeat(np.random.default_rng(1).normal(size=patients), 2)
    index = pd.MultiIndex.from_arrays([ids, [f"{i}-{k}" for k, i in enumerate(ids)]])
    return pd.DataFrame(values + 3, index=index.set_names(["patient_id", "photo_id"]))


def test_synthetic_people_vary_as_patients_do_about_their_mean(generator):
    everyone = codes_of(40)
    mean, people = examples.synthetic_codes(everyone, generator, 0)
    assert mean.shape == (1, 6, 8) and people.shape == (2 * examples.SHOWN, 6, 8)
    assert mean.ravel() == pytest.approx(everyone.groupby("patient_id").mean().mean().to_numpy())
    moved = (people - mean).reshape(len(people), -1)
    assert np.abs(moved[:, 0]).min() > 0 and not np.abs(moved[:, 1:]).max()


def test_few_patients_are_not_averaged(generator):
    mean, people = examples.synthetic_codes(codes_of(29), generator, 0)
    centre = generator.mapping.w_avg.numpy()
    assert mean == pytest.approx(np.broadcast_to(centre, (1, 6, 8)))
    again = examples.synthetic_codes(codes_of(5), generator, 0)[1]
    assert np.array_equal(people, again)  # nothing of the patients


def test_faces_that_can_be_confined_are_shown_in_both_ways():
    steps = np.arange(6.0)[:, None, None] * np.ones((6, 2, 3))
    confined = Confined([1, 4], [], -np.ones((2, 3, 2, 3)))
    rows, kinds = examples.chosen(steps, confined)
    assert rows == [1, 4] and [kind.shape for kind in kinds] == [(2, 2, 3)] * 2
    assert kinds[0][:, 0, 0].tolist() == [1, 4] and (kinds[1] == -1).all()
    rows, kinds = examples.chosen(steps, Confined([], [], np.empty((0, 3, 2, 3))))
    assert rows == [0, 1, 2, 3] and len(kinds) == 1


def test_figures_have_a_row_for_every_face_and_kind(generator, tmp_path):
    codes, steps = np.zeros((2, 6, 8)), np.ones((6, 8))
    images = examples.walks(codes, [steps, -steps], generator)
    assert images.shape == (2, 2, len(LEVELS), 16, 16, 3)
    assert np.array_equal(images[0, 0], images[0, 1, ::-1])
    columns = len(LEVELS) + 1
    assert examples.draw_walks(images).size == (columns * 128, 4 * 128 + 24)
    photos = np.zeros((2, 16, 16, 3), np.uint8)
    assert examples.draw_walks(images, photos).size == ((columns + 1) * 128, 4 * 128 + 24)
    examples.draw_moving(tmp_path / "x.webp", codes, [steps, -steps], generator)
    with Image.open(tmp_path / "x.webp") as moving:
        assert moving.size == (2 * 128, 2 * 128)
        assert moving.n_frames == 2 * len(examples.FRAMES) - 2
