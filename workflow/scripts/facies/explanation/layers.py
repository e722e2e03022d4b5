"""Which layers of W+ carry the risk: groups by resolution, and permutation importance.

A layer is one row of a code (num_ws, w_dim). Those that render 4 and 8 pixels are coarse, 16 and 32
middle, finer ones fine (Karras et al. 2019, arXiv 1812.04948, section 3.1).
"""

import numpy as np

from facies.statistics.bootstrap import average, interval
from facies.statistics.concordance import concordance

NAMES = {"coarse": 8, "middle": 32, "fine": 1024}  # up to how many pixels
SHUFFLES = 20


def resolutions(count: int) -> np.ndarray:
    """Pixels that each of ``count`` layers renders, int (count,): 4, 8, 8, 16, 16 ... and, last,
    the colours of the finest (Karras et al. 2020, arXiv 1912.04958)."""
    pixels = 4 * 2 ** ((np.arange(count) + 1) // 2)
    return np.minimum(pixels, 4 * 2 ** ((count - 2) // 2))


def layer_groups(count: int) -> dict[str, np.ndarray]:
    """Indices of the coarse, middle and fine layers, those groups that have any."""
    pixels = resolutions(count)
    groups, least = {}, 0
    for name, most in NAMES.items():
        layers = np.flatnonzero((pixels > least) & (pixels <= most))
        least = most
        if len(layers):
            groups[name] = layers
    return groups


def permutation_importance(fits, coefficients, codes, draws, seed) -> list[dict]:
    """C lost when one layer's codes are permuted among the test patients of a fold, a row of
    {layer, value, low, high} each, with a bootstrap of patients.

    ``fits`` are the folds' FoldFits with ``coefficients`` (num_ws, w_dim) each; ``codes(ids)``
    gives the mean codes (n, num_ws, w_dim) of patients.
    """
    lost = []
    for number, (fit, beta) in enumerate(zip(fits, coefficients, strict=True)):
        parts = np.einsum("nld,ld->nl", codes(fit.test_ids), beta)
        weights, rng = draws.of(fit.test_ids), np.random.default_rng([seed, number])
        before = concordance(fit.test, fit.test_risk, weights)
        orders = [rng.permutation(len(parts)) for _ in range(SHUFFLES)]
        lost.append(
            [
                np.mean(
                    [
                        before - concordance(fit.test, fit.test_risk - part + part[order], weights)
                        for order in orders
                    ],
                    axis=0,
                )
                for part in parts.T
            ]
        )
    means = average(lost)  # (layers, 1 + samples)
    return [{"layer": layer} | interval(row) for layer, row in enumerate(means)]
