"""Persons before each other's backgrounds: how much of the risk moves with whom?

Test patients of one fold stand in blocks of K, each of them before the background of each. In a
block, risk = mean + person + background + rest; the variances of the three are estimated from the
mean squares of the crossed design (Searle, Casella and McCulloch, *Variance Components*, 1992,
section 4.3), summed over blocks. No patient is in two blocks, so that blocks can be bootstrapped.
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


def block_risks(blocks: list[dict], codes, models: list) -> np.ndarray | None:
    """Risks (blocks, SIZE, SIZE) of composed photos, person by background, in SDs of risk; None
    where no fold of a block has a model.

    ``codes(name)`` gives the code (p,) of a composed photo by its `name_of`; ``models`` holds the
    FoldFit of each fold of the first repeat and its coefficients (p,) or None.
    """
    by_fold = {fit.fold: (fit, beta) for fit, beta in models}
    risks = []
    for number, block in enumerate(blocks):
        fit, beta = by_fold[block["fold"]]
        if beta is None:
            continue
        members = range(len(block["patients"]))
        rows = np.stack([codes(name_of(number, i, j)) for i in members for j in members])
        risk = rows.astype(float) @ beta / fit.risk_sd
        risks.append(risk.reshape(len(members), len(members)))
    return np.stack(risks) if risks else None


def name_of(block: int, person: int, background: int) -> str:
    """Name of the photo of one person of a block before the background of another."""
    return f"{block}-{person}-{background}"


def sums_of_squares(risks: np.ndarray) -> np.ndarray:
    """Of persons, backgrounds and the rest in each block, (blocks, 3), from ``risks`` (blocks,
    persons, backgrounds)."""
    size = risks.shape[1]
    centred = risks - risks.mean((1, 2), keepdims=True)
    persons = size * (centred.mean(2) ** 2).sum(1)
    backgrounds = size * (centred.mean(1) ** 2).sum(1)
    return np.column_stack([persons, backgrounds, (centred**2).sum((1, 2)) - persons - backgrounds])


def variance_shares(risks: np.ndarray, seed: int, draws=DRAWS) -> dict:
    """Shares of the variance of ``risks`` (blocks, K, K) explained by person, background and
    neither, and ``background_share``: the background's part of what either of the two explains.
    Each with its interval from a bootstrap of blocks; NaN where nothing varies."""
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
        background_share = components[:, 1] / components[:, :2].sum(1)
    names = ("person", "background", "rest")
    estimates = {name: interval(shares[:, i]) for i, name in enumerate(names)}
    estimates["background_share"] = interval(background_share)
    return estimates | {"blocks": count, "size": size}
