"""How a model's C depends on how well the patients' photos are reconstructed."""

import numpy as np
import pandas as pd

from facies.statistics.bootstrap import Draws, average, interval
from facies.statistics.concordance import concordance

SHARES = (1.0, 0.9, 0.75, 0.5, 0.25)  # of the patients, those whose photos are reconstructed best


def c_by_threshold(fits, draws: Draws, quality: pd.Series) -> list[dict]:
    """C of the patients whose ``quality`` passes each threshold, by the models as they are fitted.

    ``fits`` are the folds' of one model, ``draws`` the cohort's. Rows {share, threshold, patients,
    c_index}: C is the mean over folds with the interval of the bootstrap of test patients.
    """
    rows = []
    for share in SHARES:
        threshold = float(np.quantile(quality, 1 - share))
        passing = quality.index[quality >= threshold]
        scores = []
        for fit in fits:
            weights = draws.of(fit.test_ids) * np.isin(fit.test_ids, passing)
            scores.append(concordance(fit.test, fit.test_risk, weights))
        rows.append(
            {
                "share": share,
                "threshold": threshold,
                "patients": len(passing),
                "c_index": interval(average(scores)),
            }
        )
    return rows
