"""Concordance of a risk score with survival in O(n log n), for one sample or many draws of it.

Patients are met by falling time. Whoever outlives the patient at hand is already in a Fenwick
tree over the ranks of risk, which counts in O(log n) how many of them had a lower risk. A draw is a
weight per patient, a pair counts with the product of its two, so that the integer weights of a
bootstrap give what resampling rows would give, without copying or sorting a row.

References
----------
Harrell et al., "Multivariable prognostic models", Stat Med 15 (1996) 361-87.
Fenwick, "A new data structure for cumulative frequency tables", Software 24 (1994) 327-36.
"""

import numpy as np

from facies.statistics.compiled import compiled
from facies.statistics.outcome import Outcome

TIED = 1e-8  # risks that differ by no more count as tied, as in scikit-survival


def concordance(outcome: Outcome, risk, weights=None, case_weights=None) -> np.ndarray:
    """C of each draw, (draws,): the weight of concordant pairs in that of comparable ones; NaN in
    a draw without any, or where a risk is NaN. The arguments are those of ``count_pairs``."""
    concordant, comparable = count_pairs(outcome, risk, weights, case_weights)
    defined = (comparable > 0) & ~np.isnan(risk).any()
    return np.divide(concordant, comparable, out=np.full(len(comparable), np.nan), where=defined)


def count_pairs(outcome: Outcome, risk, weights=None, case_weights=None):
    """Weights of the concordant and of the comparable pairs in each draw: two arrays (draws,).

    A pair is comparable if one patient died and the other was followed for longer, or for as long
    and lived; it is concordant if the one who died had the higher risk, and half so if the risks
    are tied. ``weights`` (draws, n) are the patients' (ones, if not given); ``case_weights`` (n,)
    multiply the pairs of the one who died, as Uno's C wants it.
    """
    risk, n = np.asarray(risk, float), len(outcome)
    weights = np.ones((1, n)) if weights is None else np.asarray(weights, float)
    case_weights = np.ones(n) if case_weights is None else np.asarray(case_weights, float)
    by_time = outcome.order
    lower, upper, rank = tied_ranks(risk)
    return _count(
        outcome.event[by_time],
        outcome.risk_set_end + 1,
        lower[by_time],
        upper[by_time],
        rank[by_time],
        case_weights[by_time],
        np.ascontiguousarray(weights[:, by_time]),
    )


def tied_ranks(risk):
    """For each risk: how many are lower, how many are lower or tied, and its place (n,) each."""
    ordered = np.sort(risk)
    lower = np.searchsorted(ordered, risk - TIED, "left")
    upper = np.searchsorted(ordered, risk + TIED, "right")
    rank = np.argsort(np.argsort(risk, kind="stable"), kind="stable")
    return lower, upper, rank


@compiled
def _count(event, tied_end, lower, upper, rank, case_weights, weights):
    """The sums for patients by falling time; ``tied_end`` ends the run that shares a time."""
    draws, n = weights.shape
    concordant, comparable = np.zeros(draws), np.zeros(draws)
    tree = np.empty(n + 1)
    for draw in range(draws):
        weight = weights[draw]
        tree[:] = 0.0
        total = 0.0
        start = 0
        while start < n:
            end = tied_end[start]
            # At one time the censored outlive the dead, and the dead do not outlive each other.
            for dead in (False, True):
                if dead:
                    for i in range(start, end):
                        case = weight[i] * case_weights[i]
                        if event[i] and case > 0:
                            below = _leading_sum(tree, lower[i])
                            tied = _leading_sum(tree, upper[i]) - below
                            concordant[draw] += case * (below + 0.5 * tied)
                            comparable[draw] += case * total
                for i in range(start, end):
                    if event[i] == dead and weight[i] > 0:
                        total += weight[i]
                        node = rank[i] + 1
                        while node <= n:
                            tree[node] += weight[i]
                            node += node & -node
            start = end
    return concordant, comparable


@compiled
def _leading_sum(tree, count):
    """Sum of the tree's first ``count`` entries."""
    total = 0.0
    while count > 0:
        total += tree[count]
        count -= count & -count
    return total


def c_index(outcome: Outcome, risk) -> float:
    """Harrell's C: the share of comparable pairs in which the higher risk died first."""
    return float(concordance(outcome, risk)[0])
