"""Time and memory of nested cross-validation of ridge Cox for a large study.

    OMP_NUM_THREADS=1 python benchmarks/nested.py

1000 patients with 9216 columns, 5 outer folds with 5 inner folds each, 15 penalties and more where
the best one is at an edge. Each fold starts from the matrix, as its job does. Printed are CPU
seconds by part and peak memory. ``--patients 15000 --folds 1`` runs one of the five outer folds of
a cohort as large as the paper's: one job of the workflow.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import PhotoDesign
from facies.survival.folds import assign_folds
from facies.survival.linear import RidgeCox

TRAITS, FOLDS, PENALTIES = 60, 5, 15


def cohort(n: int, columns: int) -> tuple[np.ndarray, Outcome]:
    """Columns that depend on latent traits, one of which determines the hazard, and noise."""
    rng = np.random.default_rng(0)
    traits = rng.normal(size=(n, TRAITS))
    values = rng.normal(0, 3, size=(n, columns))
    values += traits @ rng.normal(size=(TRAITS, columns))
    death, limit = rng.exponential(np.exp(-0.7 * traits[:, 0])), 2 * rng.exponential(size=n)
    return values, Outcome(np.minimum(death, limit), death <= limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=9216)
    parser.add_argument("--folds", type=int, default=FOLDS, help="outer folds to run")
    given = parser.parse_args()
    values, outcome = cohort(given.patients, given.columns)
    model = RidgeCox()
    model.steps = 10.0 ** np.linspace(0.5, -4, PENALTIES)
    assigned = assign_folds(outcome, FOLDS, 0)
    seconds, scores = np.zeros(3), []
    for fold in range(1, given.folds + 1):
        train, test = np.flatnonzero(assigned != fold), np.flatnonzero(assigned == fold)
        marks = [time.process_time()]
        design = PhotoDesign(values, np.arange(len(values)))
        marks.append(time.process_time())
        ready = crossval.prepare(design, outcome, train, test, FOLDS, [fold])
        marks.append(time.process_time())
        made = crossval.fit(design, ready, outcome, model, [fold])
        marks.append(time.process_time())
        seconds += np.diff(marks)
        scores.append(c_index(outcome[test], made.test_risk))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.patients} patients, {given.columns} columns: C {np.mean(scores):.3f}")
    for name, spent in zip(
        ("matrix", "rotations", "fits", "all"), [*seconds, seconds.sum()], strict=True
    ):
        print(f"{name:<10}{spent:6.1f} s")
    print(f"{'memory':<10}{memory:6.0f} MB")


if __name__ == "__main__":
    main()
