"""Bias of the mean C over folds against the C of the whole cohort, for the true model (oracle).

    python benchmarks/stratification.py --simulations 2000

Exponential survival with normal log hazards (SD 0.8), 40 % censored. Printed is the mean C of the
test folds minus the C of all patients, with its standard error, for folds stratified by event, as
in the workflow, and for folds stratified by event and follow-up.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics.concordance import concordance
from facies.statistics.outcome import Outcome
from facies.survival.folds import assign_folds


def stratified_by_time(outcome: Outcome, folds: int, seed: int) -> np.ndarray:
    """Folds that each have one of every ``folds`` successive patients by event and time."""
    rng = np.random.default_rng(seed)
    runs = -(-len(outcome) // folds)
    assigned = np.empty(len(outcome), int)
    labels = np.concatenate([rng.permutation(folds) + 1 for _ in range(runs)])
    assigned[np.lexsort((outcome.time, outcome.event))] = labels[: len(outcome)]
    return assigned


def gap(outcome: Outcome, risk, fold) -> float:
    scores = [concordance(outcome[fold == k], risk[fold == k])[0] for k in np.unique(fold)]
    return np.nanmean(scores) - concordance(outcome, risk)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=2000)
    given = parser.parse_args()
    print("| patients | folds | by event | by event and time |")
    print("|---|---|---|---|")
    for n in (100, 240, 400):
        for folds in (5, 10):
            gaps = []
            for seed in range(given.simulations):
                rng = np.random.default_rng(seed)
                risk = rng.normal(0, 0.8, n)
                death, limit = rng.exponential(np.exp(-risk)), rng.exponential(1.5, n)
                outcome = Outcome(np.minimum(death, limit), death <= limit)
                ways = (assign_folds, stratified_by_time)
                gaps.append([gap(outcome, risk, way(outcome, folds, seed)) for way in ways])
            mean, error = np.mean(gaps, axis=0), np.std(gaps, axis=0) / len(gaps) ** 0.5
            cells = (f"{m:.4f} ± {e:.4f}" for m, e in zip(mean, error, strict=True))
            print(f"| {n} | {folds} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
