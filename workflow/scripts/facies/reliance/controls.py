"""What a fitted face model looks at: its C in other views, and its risk when photos change.

Ridge Cox models are linear in the codes, so that a fold's coefficients give the risk of any changed
photo without its intercept: risk + coefficients . (changed code - code). Nothing is fitted here.
"""

import numpy as np

from facies.evaluation.inflation import fold_count, variance_inflation
from facies.statistics.bootstrap import Draws, average, inflated, interval
from facies.statistics.concordance import c_index, concordance
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.survival.fits import FoldFit

RANGES = {"c_index": (0, 1), "lost": (-1, 1), "shift": (-np.inf, np.inf), "gone": (0, 1)}


def read_latents(path) -> dict:
    """``photo_ids`` (n,) and ``codes`` (n, num_ws, w_dim) of the latents, not their pictures."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in ("photo_ids", "codes")}


def c_row(fits: list[FoldFit], c_indices) -> dict:
    """C with Nadeau and Bengio's interval over folds; ``c_indices`` (folds,) of the fits."""
    return within_unit(nadeau_bengio(c_indices, fold_count(fits)))


def c_indices(fits: list[FoldFit]) -> list[float]:
    return [c_index(fit.test, fit.test_risk) for fit in fits]


def spread(fit: FoldFit) -> float:
    """SD of the training patients' out-of-fold risks, the unit in which risks move."""
    return float(fit.inner_oof_risk.std()) or 1.0


def changed(fits, coefficients, change, draws: Draws) -> dict[str, np.ndarray]:
    """What changed photos do to the folds' models, means over folds (1 + draws,) each, the draws'
    variance times the ``variance_inflation`` of the folds.

    ``change(ids)`` (n, p) is by how much the codes of test patients changed. ``c_index`` is C on
    the changed photos, ``lost`` the C that it lacks, ``shift`` the mean move of the risk in SD of
    risk, and ``gone`` the share of the risk's variance that the changed photos do not tell of.
    """
    rows = []
    for fit, beta in zip(fits, coefficients, strict=True):
        weights = draws.of(fit.test_ids)
        if beta is None:
            rows.append(np.full((len(RANGES), len(weights)), np.nan))  # average leaves it out
            continue
        move = change(fit.test_ids) @ beta
        share = weights / weights.sum(1, keepdims=True)
        c_index = concordance(fit.test, fit.test_risk + move, weights)
        lost = concordance(fit.test, fit.test_risk, weights) - c_index
        gone = variance_gone(fit.test_risk, fit.test_risk + move, share)
        rows.append([c_index, lost, share @ move / spread(fit), gone])
    drawn = zip(RANGES.items(), average(rows), strict=True)
    return {name: inflated(own, variance_inflation(fits), ends) for (name, ends), own in drawn}


def variance_gone(before, after, shares) -> np.ndarray:
    """1 - r^2 (draws,) of two risks (n,) under ``shares`` (draws, n) of the patients, which add up
    to 1; risks that run against each other share nothing. No outcome is needed."""
    centred = [risk - (shares @ risk)[:, None] for risk in (before, after)]
    first, both, second = (
        (shares * a * b).sum(1)
        for a, b in ((centred[0], centred[0]), centred, (centred[1], centred[1]))
    )
    r = np.divide(both, np.sqrt(first * second), out=np.zeros_like(both), where=first * second > 0)
    return 1 - np.maximum(r, 0) ** 2


def cover_row(region: str, covered: dict, inpainted: dict, control: dict) -> dict:
    """A region covered, inpainted, and as much covered at random, from ``changed`` of each."""

    def told(effect):
        return {name: interval(values) for name, values in effect.items()}

    return {
        "region": region,
        **told(covered),
        "inpainted": told(inpainted),
        "control": told(control),
        "extra": interval(covered["lost"] - control["lost"]),
    }
