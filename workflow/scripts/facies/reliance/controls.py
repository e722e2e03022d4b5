"""What controls compare: the codes of photos, and C by view."""

import numpy as np

from facies.evaluation.inflation import fold_count
from facies.statistics.concordance import c_index
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.survival.fits import FoldFit, by_key


def read_latents(path) -> dict:
    """``photo_ids`` (n,) and ``codes`` (n, num_ws, w_dim) of the latents, not their pictures."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in ("photo_ids", "codes")}


def c_row(fits: list[FoldFit], c_indices) -> dict:
    """C with Nadeau and Bengio's interval over folds; ``c_indices`` (folds,) of the fits."""
    return within_unit(nadeau_bengio(c_indices, fold_count(fits)))


def c_indices(fits: list[FoldFit]) -> list[float]:
    return [c_index(fit.test, fit.test_risk) for fit in fits]


def c_by_view(fits: list[FoldFit], views: list[str]) -> dict[str, dict]:
    """C of the fits of each of the views, in their order."""
    rows = {key[1]: c_row(some, c_indices(some)) for key, some in by_key(fits).items()}
    return {view: rows[view] for view in views}
