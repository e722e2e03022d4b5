"""What covering a region of test photos does to the fitted models.

Ridge Cox models are linear in the codes, so that a fold's coefficients give the risk of any changed
photo without its intercept: risk + coefficients . (changed code - code). Nothing is fitted here.
"""

import numpy as np

from facies.evaluation.inflation import variance_inflation
from facies.statistics.bootstrap import Draws, average, inflated, interval
from facies.statistics.concordance import concordance
from facies.survival.designs import patient_codes
from facies.survival.fits import FoldFit

# How a region is covered: with the mean face, inpainted, and as much at a random position.
KINDS = ("without", "inpainted", "random")
RANGES = {"c_index": (0, 1), "lost": (-1, 1), "shift": (-np.inf, np.inf), "variance_lost": (0, 1)}


def cover_rows(
    regions: list[str], latents: dict, full: dict, photos, models: list, draws: Draws
) -> list[dict]:
    """A `cover_row` for each region, from ``latents`` by cover and those of the ``full`` photos.

    ``models`` holds the FoldFit of each fold and its coefficients (p,) or None.
    """

    def effect(cover):
        def change(ids):
            return patient_codes(latents[cover], photos, ids) - patient_codes(full, photos, ids)

        return effect_of_change(models, change, draws)

    return [
        cover_row(region, *(effect(f"{kind}_{region}") for kind in KINDS)) for region in regions
    ]


def effect_of_change(
    models: list[tuple[FoldFit, np.ndarray | None]], change, draws: Draws
) -> dict[str, np.ndarray]:
    """What changed photos do to the folds' models, means over folds (1 + samples,) each, with
    variance inflation for overlapping training sets.

    ``change(ids)`` (n, p) is by how much the codes of test patients changed. ``c_index`` is C on
    the changed photos, ``lost`` the C that it lacks, ``shift`` the mean move of the risk in SD of
    risk, and ``variance_lost`` the share of the risk's variance that the changed photos do not
    explain.
    """
    rows = []
    for fit, beta in models:
        weights = draws.of(fit.test_ids)
        if beta is None:
            rows.append(np.full((len(RANGES), len(weights)), np.nan))  # average leaves it out
            continue
        move = change(fit.test_ids) @ beta
        share = weights / weights.sum(1, keepdims=True)
        c_index = concordance(fit.test, fit.test_risk + move, weights)
        lost = concordance(fit.test, fit.test_risk, weights) - c_index
        lost_share = variance_lost(fit.test_risk, fit.test_risk + move, share)
        rows.append([c_index, lost, share @ move / fit.risk_sd, lost_share])
    factor = variance_inflation([fit for fit, _ in models])
    means = zip(RANGES.items(), average(rows), strict=True)
    return {name: inflated(values, factor, ends) for (name, ends), values in means}


def variance_lost(before, after, shares) -> np.ndarray:
    """1 - r^2 (samples,) of two risks (n,) under ``shares`` (samples, n) of the patients, which add
    up to 1; risks with a negative correlation share nothing. No outcome is needed."""
    centred = [risk - (shares @ risk)[:, None] for risk in (before, after)]
    first, both, second = (
        (shares * a * b).sum(1)
        for a, b in ((centred[0], centred[0]), centred, (centred[1], centred[1]))
    )
    r = np.divide(both, np.sqrt(first * second), out=np.zeros_like(both), where=first * second > 0)
    return 1 - np.maximum(r, 0) ** 2


def cover_row(region: str, covered: dict, inpainted: dict, control: dict) -> dict:
    """A region covered, inpainted, and as much covered at random, from the effect of each."""

    def intervals(effect):
        return {name: interval(values) for name, values in effect.items()}

    return {
        "region": region,
        **intervals(covered),
        "inpainted": intervals(inpainted),
        "control": intervals(control),
        "excess": interval(covered["lost"] - control["lost"]),
    }
