"""Variance shares of crossed designs, and who is in a block with whom."""

import numpy as np
import pandas as pd
import pytest
from fits import fold_fit

from facies.reliance import swap


def crossed(person, background, rest, blocks=4000, size=3, seed=0):
    """Risks of blocks whose effects have these standard deviations."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((blocks, size, size))
    persons, backgrounds = rng.standard_normal((2, blocks, size))
    return person * persons[:, :, None] + background * backgrounds[:, None] + rest * noise


def test_variances_of_a_crossed_design_are_found_again():
    found = swap.variance_shares(crossed(2.0, 1.0, 1.0), 1, draws=50)
    shares = {
        name: found[name]["value"] for name in ("person", "background", "rest", "background_share")
    }
    assert shares == pytest.approx(
        {"person": 4 / 6, "background": 1 / 6, "rest": 1 / 6, "background_share": 1 / 5}, abs=0.02
    )


def test_noise_is_neither_persons_nor_backgrounds():
    found = swap.variance_shares(crossed(0.0, 0.0, 1.0), 1, draws=50)
    assert found["rest"]["value"] > 0.97


def test_a_block_counted_by_hand():
    # Persons 0 and 2, no background: the mean is 1, each of four cells is 1 away from it.
    squares = swap.sums_of_squares(np.array([[[0.0, 0.0], [2.0, 2.0]]]))
    assert squares.tolist() == [[4.0, 0.0, 0.0]]
    found = swap.variance_shares(np.zeros((3, 2, 2)), 1, draws=5)
    assert np.isnan(found["background_share"]["value"])


def test_intervals_of_shares_hold_the_truth():
    inside = 0
    for seed in range(100):
        found = swap.variance_shares(crossed(1.0, 1.0, 0.5, 30, seed=seed), seed, draws=200)
        inside += found["background_share"]["low"] <= 0.5 <= found["background_share"]["high"]
    assert inside >= 88


def test_blocks_keep_to_a_fold_and_hold_nobody_twice():
    folds = pd.DataFrame({"patient_id": [f"{i:02d}" for i in range(50)]})
    folds["fold"] = 1 + np.arange(50) % 2
    blocks = swap.blocks_of(folds, seed=1)
    assert [block["fold"] for block in blocks] == [1] * swap.MOST + [2] * swap.MOST
    members = [patient for block in blocks for patient in block["patients"]]
    assert len(set(members)) == len(members) == 2 * swap.MOST * swap.SIZE
    fold_of = dict(zip(folds.patient_id, folds.fold, strict=True))
    assert all(fold_of[p] == block["fold"] for block in blocks for p in block["patients"])
    assert swap.blocks_of(folds.sample(frac=1, random_state=0), seed=1) == blocks


def test_risks_of_composed_photos_are_in_sds_of_their_fold():
    blocks = [{"fold": 2, "patients": ["a", "b"]}, {"fold": 1, "patients": ["c", "d"]}]
    models = [
        (fold_fit(fold=1, inner_oof_risk=np.zeros(3)), None),
        (fold_fit(fold=2, inner_oof_risk=np.array([-2.0, 2.0])), np.array([1.0, 10.0])),
    ]
    codes = {f"0-{i}-{j}": np.array([i, j]) for i in (0, 1) for j in (0, 1)}
    assert swap.block_risks(blocks, codes.get, models).tolist() == [[[0, 5], [0.5, 5.5]]]
    assert swap.block_risks(blocks[1:], codes.get, models) is None
