"""Sheets and moving pictures."""

import numpy as np
import pytest
from PIL import Image

from facies.explanation import strips


def test_heat_is_red_where_the_map_is_high_and_grey_elsewhere():
    energy = np.zeros((4, 4))
    energy[0, 0] = 1
    found = strips.heat(energy, np.full((4, 4, 3), 100, np.uint8))
    assert found[0, 0].tolist() == strips.HOT.tolist()
    assert found[1, 1].tolist() == [162, 162, 162]


def test_moving_faces_go_there_and_back(tmp_path):
    frames = [np.full((1, 2, 8, 8, 3), 80 * i, np.uint8) for i in range(3)]
    strips.save_moving(tmp_path / "x.webp", frames)
    with Image.open(tmp_path / "x.webp") as found:
        assert found.n_frames == 4 and found.size == (2 * strips.TILE, strips.TILE)
        greys = []
        for i in range(4):
            found.seek(i)
            greys.append(np.asarray(found.convert("L")).mean())
    assert greys == pytest.approx([0, 80, 160, 80], abs=6)
