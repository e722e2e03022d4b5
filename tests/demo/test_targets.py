"""Parameters of portraits as targets."""

import dataclasses

import numpy as np

from facies.demo.portraits import Portrait, random_portrait
from facies.demo.targets import rendering_targets


def test_targets_are_standard_numbers_of_all_but_the_seed():
    def targets_of(**fixed):
        random = np.random.default_rng(0)
        portraits = [random_portrait(random, **fixed) for _ in range(300)]
        return rendering_targets(np.array([dataclasses.astuple(p) for p in portraits]))

    targets = targets_of()
    # 2 hues become sines and cosines, 3 kinds with 4, 5 and 3 values a column for each value.
    fields = len(dataclasses.fields(Portrait))
    assert targets.shape == (300, fields - 1 - 2 + 4 - 3 + 12)
    assert np.allclose(targets.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(targets.std(axis=0, ddof=1), 1, atol=1e-5)
    assert np.array_equal(targets_of(background_hue=0.0), targets_of(background_hue=0.0, seed=5))
    assert np.isfinite(targets_of(glasses=0)).all()
