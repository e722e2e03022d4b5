"""Layers of W+ by what they render, and the one that carries a planted risk."""

import pytest
from linear_fold import linear_fold

from facies.explanation import layers


def test_layers_by_what_they_draw():
    # At 64 pixels: 4, 8 8, 16 16, 32 32, 64 64 and the colours of 64.
    assert layers.resolutions(10).tolist() == [4, 8, 8, 16, 16, 32, 32, 64, 64, 64]
    groups = {name: own.tolist() for name, own in layers.layer_groups(10).items()}
    assert groups == {"coarse": [0, 1, 2], "middle": [3, 4, 5, 6], "fine": [7, 8, 9]}
    assert list(layers.layer_groups(8)) == ["coarse", "middle"]
    assert layers.resolutions(18)[-3:].tolist() == [1024] * 3


@pytest.fixture
def linear():
    return linear_fold()


def test_the_layer_that_orders_the_patients_is_the_one_that_is_missed(linear):
    codes, beta, fit, draws = linear
    rows = layers.permutation_importance([fit], [beta], lambda ids: codes, draws, seed=1)
    assert [row["layer"] for row in rows] == [0, 1, 2]
    assert rows[0]["value"] == rows[2]["value"] == 0
    assert rows[1]["value"] == pytest.approx(0.5, abs=0.05)
