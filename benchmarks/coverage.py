"""How often do the 95 % intervals of a cross-validated C-index hold the truth?

    python benchmarks/coverage.py --simulations 500

Patients with normal covariates, an exponential survival and independent censoring; a ridge Cox
model in five folds. The truth is known from patients without number: ``the method's`` is the mean
C of models fitted to as many patients as a training fold has, over all simulations; ``these
models'`` is the mean C of the very models of a simulation. Printed is the share of intervals that
hold either, with its standard error, and how wide they are.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.bootstrap import average, draw_patients, interval
from facies.concordance import concordance
from facies.cox import Outcome, fit_ridge
from facies.folds import assign_folds
from facies.metrics import nadeau_bengio

COLUMNS, MANY = 50, 4000


def cohort(n: int, effect: float, rng) -> tuple[np.ndarray, Outcome]:
    """Covariates (n, COLUMNS), of which five tell of survival, and about a third censored."""
    x = rng.normal(size=(n, COLUMNS))
    risk = effect * x[:, :5].sum(1)
    death, limit = rng.exponential(np.exp(-risk)), rng.exponential(2.5, n)
    return x, Outcome(np.minimum(death, limit), death <= limit)


def simulate(n: int, folds: int, effect: float, penalty: float, seed: int):
    """True mean C of the folds' models, and the three intervals around the estimate."""
    rng = np.random.default_rng(seed)
    x, outcome = cohort(n, effect, rng)
    new_x, new_outcome = cohort(MANY, effect, rng)
    fold = assign_folds(outcome, folds, seed)
    draws = draw_patients(np.arange(n), fold, seed)
    truths, drawn = [], []
    for k in range(1, folds + 1):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        beta = fit_ridge(x[train], outcome[train], penalty)
        truths.append(concordance(new_outcome, new_x @ beta)[0])
        drawn.append(concordance(outcome[test], x[test] @ beta, draws.of(test)))
    scores = [row[0] for row in drawn]
    resampled = interval(average(drawn))
    return np.mean(truths), {
        "t over folds": nadeau_bengio(scores, 0.0)[1:],
        "Nadeau-Bengio": nadeau_bengio(scores, 1 / (folds - 1))[1:],
        "bootstrap within folds": (resampled["low"], resampled["high"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--patients", type=int, default=240)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--effect", type=float, default=0.25)
    parser.add_argument("--penalty", type=float, default=30.0)
    given = parser.parse_args()
    runs = [
        simulate(given.patients, given.folds, given.effect, given.penalty, seed)
        for seed in range(given.simulations)
    ]
    truths = np.array([truth for truth, _ in runs])
    print(f"{given.simulations} cohorts of {given.patients}, {given.folds} folds: true C ", end="")
    print(f"{truths.mean():.3f} (models of one cohort: SD {truths.std():.3f})")
    print("| interval | holds the method's C | these models' C | mean width |")
    print("|---|---|---|---|")
    for name in runs[0][1]:
        ends = np.array([made[name] for _, made in runs])
        cells = []
        for truth in (truths.mean(), truths):
            share = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
            error = np.sqrt(share * (1 - share) / len(runs))
            cells.append(f"{share:.3f} ± {error:.3f}")
        print(f"| {name} | {cells[0]} | {cells[1]} | {np.diff(ends).mean():.3f} |")


if __name__ == "__main__":
    main()
