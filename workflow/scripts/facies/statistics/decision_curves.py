"""Decision curves: would acting on the predictions do more good than harm?

References
----------
Vickers and Elkin, "Decision curve analysis", Med Decis Making 26 (2006) 565-74.
Vickers et al., "Extensions to decision curve analysis", BMC Med Inform Decis Mak 8 (2008) 53:
censored outcomes.
"""

import numpy as np

from facies.statistics.kaplan_meier import survival_at
from facies.statistics.outcome import Outcome


def net_benefit(outcome: Outcome, predicted, horizon: float, thresholds, weights) -> np.ndarray:
    """Net benefit (draws, len(thresholds)), per patient, of treating whoever's predicted
    probability of death by ``horizon`` reaches a threshold: true positives less false positives
    weighted by the odds of the threshold.

    With x the share of patients treated and S their Kaplan-Meier survival at the horizon it is
    x (1 - S) - x S threshold / (1 - threshold); NaN where the last of those treated was censored
    before the horizon.
    """
    columns = []
    for threshold in thresholds:
        treated = predicted >= threshold
        share = weights[:, treated].sum(1) / weights.sum(1)
        survival = survival_at(outcome[treated], horizon, weights[:, treated])
        benefit = share * (1 - survival - survival * threshold / (1 - threshold))
        columns.append(np.where(share > 0, benefit, 0.0))
    return np.column_stack(columns)
