"""Test for leakage: the C-index of each model on noise that is independent of the outcome.

    python benchmarks/null.py --seeds 20 --jobs 14

Each model, and ridge Cox of clinical noise alone and with every kind of fusion, runs in nested
cross-validation on 200 patients with 9216 columns of noise. Any leakage of test outcomes raises the
mean C above 0.5. Printed is a row per model: the mean over seeds of the mean over folds, its
standard error, and seconds a fold. Fused models depend on the clinical noise of the same cohort: a
second table has their paired difference to clinical noise alone. Fusion alone is fast in many more
cohorts (``--first 20 --seeds 100 --models``).
"""

import argparse
import sys
import time
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.convolution import ImageDesign
from facies.survival.designs import ClinicalDesign, JointDesign, PhotoDesign
from facies.survival.fits import Fit
from facies.survival.folds import assign_folds
from facies.survival.models import MODELS

PATIENTS, COLUMNS, FOLDS, INNER = 200, 9216, 5, 3
SIDE = 56  # of the convolutional network's pictures of noise, which have about as many columns
FUSED = ("fused by stack", "fused by joint", "fused by average")


def noise(seed: int):
    """Columns, a clinical table and outcomes, all independent."""
    rng = np.random.default_rng(seed)
    clinical = {"age": rng.normal(65, 10, PATIENTS), "sex": rng.choice(["F", "M"], PATIENTS)}
    time, limit = rng.exponential(10, PATIENTS), rng.exponential(15, PATIENTS)
    outcome = Outcome(np.minimum(time, limit), time <= limit)
    return rng.normal(size=(PATIENTS, COLUMNS)), pd.DataFrame(clinical), outcome


def small(model):
    """A model with fast settings, as the protocol is tested."""
    model = copy(model)
    if hasattr(model, "members"):
        model.members, model.epochs = 1, (10, 25, 50)
    if hasattr(model, "trees"):
        model.trees = 50
    if hasattr(model, "channels"):
        model.epochs = (10, 20)
    return model


def fold_scores(values, clinical, outcome, train, test, seed, models):
    """C of every model on one test fold, and the seconds that it took."""
    face, table = PhotoDesign(values, np.arange(PATIENTS)), ClinicalDesign(clinical)
    ready = crossval.prepare(face, outcome, train, test, INNER, seed)
    seen = {name: (face, ready) for name in models}
    if "cnn" in models:
        pixels = np.random.default_rng(seed).integers(0, 256, (PATIENTS, SIDE, SIDE, 3), np.uint8)
        photos = ImageDesign(pixels, np.arange(PATIENTS))
        seen["cnn"] = photos, crossval.prepare(photos, outcome, train, test, INNER, seed)
    scores, seconds = {}, {}

    def score(name, risk, start):
        scores[name], seconds[name] = c_index(outcome[test], risk), time.perf_counter() - start

    for name, model in models.items():
        start = time.perf_counter()
        score(name, crossval.fit(*seen[name], outcome, model, seed).test_risk, start)

    def ridge(design):
        folds = crossval.prepare(design, outcome, train, test, INNER, seed)
        return crossval.fit(design, folds, outcome, MODELS["coxph"], seed)

    start = time.perf_counter()
    own, other = (ridge(design) for design in (face, table))
    score("clinical alone", other.test_risk, start)
    risk = np.empty(PATIENTS)
    risk[train], risk[test] = own.inner_oof_risk, own.test_risk
    score(FUSED[0], ridge(ClinicalDesign(clinical.assign(face_risk=risk))).test_risk, start)
    score(FUSED[1], ridge(JointDesign(face, table)).test_risk, start)
    score(FUSED[2], Fit.average([own, other]).test_risk, start)
    return scores, seconds


def mean_scores(seed, models):
    """Mean C over folds of every model in one cohort of noise, and mean seconds a fold."""
    values, clinical, outcome = noise(seed)
    assigned = assign_folds(outcome, FOLDS, seed)
    rows = np.arange(PATIENTS)
    by_fold = [
        fold_scores(
            values, clinical, outcome, rows[assigned != k], rows[assigned == k], [seed], models
        )
        for k in range(1, FOLDS + 1)
    ]
    return [
        {name: np.mean([row[name] for row in part]) for name in part[0]}
        for part in zip(*by_fold, strict=True)
    ]


def one_cohort(seed, models):
    """``mean_scores`` on one thread: sums over several threads differ in their last digits."""
    import torch

    torch.set_num_threads(1)
    with threadpool_limits(1):
        return mean_scores(seed, models)


def mean_and_error(values):
    """The mean over seeds and its standard error."""
    values = np.array(values)
    return values.mean(), values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--jobs", type=int, default=1, help="seeds side by side")
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    given = parser.parse_args()
    models = {name: small(MODELS[name]) for name in given.models}
    seeds = range(given.first, given.first + given.seeds)
    results = Parallel(given.jobs, verbose=10)(delayed(one_cohort)(seed, models) for seed in seeds)
    print(f"{'model':<18}{'mean C':>8}{'error':>8}{'s a fold':>10}")
    for name in results[0][0]:
        mean, error = mean_and_error([scores[name] for scores, _ in results])
        seconds = np.mean([times[name] for _, times in results])
        print(f"{name:<18}{mean:>8.3f}{error:>8.3f}{seconds:>10.2f}")
    print(f"{'to clinical alone':<18}{'mean':>8}{'error':>8}")
    for name in FUSED:
        pairs = [scores[name] - scores["clinical alone"] for scores, _ in results]
        print("{:<18}{:>8.3f}{:>8.3f}".format(name, *mean_and_error(pairs)))


if __name__ == "__main__":
    main()
