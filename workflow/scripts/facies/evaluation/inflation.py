"""By how much the variance of a score over folds exceeds that over independent patients.

Tests and Wald intervals of out-of-fold risks take the models as given, but cannot take the patients
as new to them all (Simon et al., "Using cross-validation to evaluate predictive accuracy of
survival risk classifiers", Brief Bioinform 12 (2011) 203-14).
"""

import numpy as np

OF_THIRDS = {"all": 0.4, "medium": 0.2, "high": 0.6}


def fold_count(fits) -> int:
    """How many folds a repeat has."""
    return len({fit.fold for fit in fits})


def test_to_train(fits) -> float:
    """Mean size of a test fold over that of its training fold."""
    return float(np.mean([len(fit.test) / len(fit.train) for fit in fits]))


def variance_inflation(fits) -> float:
    """Nadeau and Bengio's variance (1/J + test / train) s^2 of the J folds of a repeat, over the
    s^2/J of folds in which nobody tested in one had trained another."""
    return 1 + fold_count(fits) * test_to_train(fits)


def thirds_inflation(inflation: float, contrast: str) -> float:
    """The variance inflation of a comparison of thirds of risk: of ``all``, or of the ``medium`` or
    the ``high`` third with the low one.

    Models of folds that share patients err alike along the order of risk. That is one of the two
    degrees of freedom between three groups, most of high against low and little of medium against
    low, so that each bears a share of what the ``inflation`` adds to the variance: by simulation
    (docs/evaluation.md), because no formula is known.
    """
    return 1 + OF_THIRDS[contrast] * (inflation - 1)
