"""The permutation test: what C does the whole protocol reach on permuted outcomes?"""

import numpy as np
from scipy.stats import ttest_1samp

from facies.statistics.bootstrap import average


def permutation_test(scores) -> dict:
    """Summary of C (1 + permutations, folds), the first row observed: mean C per permutation,
    their mean with its 95 % t-interval and their 2.5-97.5 % range (``low``, ``high``)."""
    observed, *permuted = average(np.transpose(scores))
    permuted = np.array(permuted)
    permuted = permuted[~np.isnan(permuted)]
    beaten = 1 + int((permuted >= observed).sum())
    mean_low, mean_high = np.nan, np.nan
    if len(permuted) > 1:
        mean_low, mean_high = ttest_1samp(permuted, 0.5).confidence_interval()
    low, high = np.quantile(permuted, [0.025, 0.975]) if len(permuted) else (np.nan, np.nan)
    return {
        "c_index": permuted.tolist(),
        "mean": float(permuted.mean()) if len(permuted) else np.nan,
        "mean_low": mean_low,
        "mean_high": mean_high,
        "low": low,
        "high": high,
        "p_value": np.nan if np.isnan(observed) else beaten / (1 + len(permuted)),
        "observed": observed,
    }
