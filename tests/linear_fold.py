"""A fold whose linear model orders its patients by one layer of their codes."""

import numpy as np
from fits import fold_fit

from facies.statistics import bootstrap
from facies.statistics.outcome import Outcome


def linear_fold():
    """One fold of 80 test patients whose death comes in the order of their second layer."""
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((80, 3, 4))
    beta = np.zeros((3, 4))
    beta[1] = [1, -1, 2, 0.5]
    risk = np.einsum("nld,ld->n", codes, beta)
    outcome = Outcome(np.exp(-risk), np.ones(80, bool))
    ids = np.array([str(i) for i in range(80)])
    fit = fold_fit(test_ids=ids, test=outcome, train=outcome, test_risk=risk, inner_oof_risk=risk)
    return codes, beta, fit, bootstrap.draw_patients(ids, np.ones(80), 1, draws=50)
