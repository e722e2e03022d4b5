"""Persons before each other's backgrounds: how much of the risk moves with whom?

Test patients of one fold stand in blocks of K, each of them before the background of each. In a
block, risk = mean + person + background + rest; the variances of the three are estimated from the
mean squares of the crossed design (Searle, Casella and McCulloch, *Variance Components*, 1992,
section 4.3), summed over blocks. No patient is in two blocks, so that blocks can be drawn anew.
"""

import numpy as np
import pandas as pd

from facies.common.store import digest
from facies.statistics.bootstrap import DRAWS, interval

SIZE, MOST = 3, 4  # patients of a block, blocks of a fold


def blocks_of(folds: pd.DataFrame, seed: int) -> list[dict]:
    """Blocks {fold, patients} of the table (patient_id, fold), ordered by their ids' digests."""
    blocks = []
    for fold, rows in folds.groupby("fold"):
        order = sorted(rows.patient_id, key=lambda patient: digest(seed, patient))
        for first in range(0, min(len(order) // SIZE, MOST) * SIZE, SIZE):
            blocks.append({"fold": int(fold), "patients": order[first : first + SIZE]})
    return blocks


def sums_of_squares(risks: np.ndarray) -> np.ndarray:
    """Of persons, backgrounds and the rest in each block, (blocks, 3), from ``risks`` (blocks,
    persons, backgrounds)."""
    size = risks.shape[1]
    centred = risks - risks.mean((1, 2), keepdims=True)
    persons = size * (centred.mean(2) ** 2).sum(1)
    backgrounds = size * (centred.mean(1) ** 2).sum(1)
    return np.column_stack([persons, backgrounds, (centred**2).sum((1, 2)) - persons - backgrounds])


def variance_shares(risks: np.ndarray, seed: int, draws=DRAWS) -> dict:
    """Shares of the variance of ``risks`` (blocks, K, K) that move with person, background and
    neither, and ``contest``: the background's part of what moves with one of the two. Each with
    its interval over draws of blocks; None where nothing varies."""
    squares, size = sums_of_squares(risks), risks.shape[1]
    count = len(squares)
    weights = np.ones((1 + draws, count))
    weights[1:] = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), draws)
    freedom = count * np.array([size - 1, size - 1, (size - 1) ** 2])
    means = weights @ squares / freedom
    components = np.maximum(means - means[:, 2:], 0) / size
    components[:, 2] = means[:, 2]
    with np.errstate(invalid="ignore"):
        shares = components / components.sum(1, keepdims=True)
        contest = components[:, 1] / components[:, :2].sum(1)
    names = ("person", "background", "rest")
    found = {name: interval(shares[:, i]) for i, name in enumerate(names)}
    return found | {"contest": interval(contest), "blocks": count, "size": size}
