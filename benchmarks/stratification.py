"""Does an oracle, who knows every hazard, score in folds what it scores in the whole cohort?

    python benchmarks/stratification.py --simulations 2000

Exponential survival of normal log hazards (SD 0.8), 40 % censored. Printed is the mean of the C of
the test folds less the C of all patients together, with its standard error, for folds that are
stratified by event, as the workflow's, and for folds that also part neighbours in time.
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
    """Folds of which each has one of every run of ``folds`` neighbours in event and time."""
    rng = np.random.default_rng(seed)
    runs = -(-len(outcome) // folds)
    assigned = np.empty(len(outcome), int)
    places = np.concatenate([rng.permutation(folds) + 1 for _ in range(runs)])
    assigned[np.lexsort((outcome.time, outcome.event))] = places[: len(outcome)]
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
