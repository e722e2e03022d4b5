"""How often do the 95 % intervals of cross-validated scores hold the truth?

    python benchmarks/coverage.py --simulations 500

Patients with normal covariates, an exponential survival and independent censoring; a ridge Cox
model in five folds, its C and the log hazard ratio of a standard deviation of its risk. The truth
is known from patients without number: ``the method's`` is the mean over models fitted to as many
patients as a training fold has, over all simulations; ``these models'`` is the mean of the very
models of a simulation. Printed is the share of intervals that hold either, with its standard error,
and how wide they are. ``--effect 0`` tells how often noise is held for news.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies import hazards
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


def log_hazard(risk, outcome: Outcome, strata) -> tuple[float, float]:
    """The coefficient of a risk, and its standard error."""
    fit = hazards.fit_cox(risk[:, None], outcome, strata)
    return fit.beta[0], fit.covariance[0, 0] ** 0.5


def simulate(n: int, folds: int, effect: float, penalty: float, seed: int):
    """By measure: its true mean over the folds' models, and the intervals around the estimate."""
    rng = np.random.default_rng(seed)
    x, outcome = cohort(n, effect, rng)
    new_x, new_outcome = cohort(MANY, effect, rng)
    fold = assign_folds(outcome, folds, seed)
    draws = draw_patients(np.arange(n), fold, seed)
    truths, drawn, risk = [], [], np.empty(n)
    for k in range(1, folds + 1):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        beta = fit_ridge(x[train], outcome[train], penalty)
        beta /= (x[train] @ beta).std()
        risk[test], new = x[test] @ beta, new_x @ beta
        told = log_hazard(new, new_outcome, np.zeros(MANY))[0]
        truths.append((concordance(new_outcome, new)[0], told))
        drawn.append(concordance(outcome[test], risk[test], draws.of(test)))
    scores = [row[0] for row in drawn]
    resampled = interval(average(drawn))
    value, error = log_hazard(risk, outcome, fold)
    wald = value + np.outer([1, (1 + folds / (folds - 1)) ** 0.5], [-1.96 * error, 1.96 * error])
    c_index, ratio = np.mean(truths, axis=0)
    return {
        "C": (
            c_index,
            {
                "t over folds": nadeau_bengio(scores, 0.0)[1:],
                "Nadeau-Bengio": nadeau_bengio(scores, 1 / (folds - 1))[1:],
                "bootstrap within folds": (resampled["low"], resampled["high"]),
            },
        ),
        "log hazard ratio": (ratio, dict(zip(("Wald", "Wald, widened"), wald, strict=True))),
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
    print(f"{given.simulations} cohorts of {given.patients}, {given.folds} folds")
    for measure in runs[0]:
        show(measure, *zip(*(run[measure] for run in runs), strict=True))


def show(measure: str, truths, made):
    """A table of the intervals of one measure."""
    truths = np.array(truths)
    print(f"\n{measure}: truly {truths.mean():.3f} (models of one cohort: SD {truths.std():.3f})")
    print("| interval | holds the method's | these models' | mean width |")
    print("|---|---|---|---|")
    for name in made[0]:
        ends = np.array([intervals[name] for intervals in made])
        cells = []
        for truth in (truths.mean(), truths):
            share = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
            error = np.sqrt(share * (1 - share) / len(made))
            cells.append(f"{share:.3f} ± {error:.3f}")
        print(f"| {name} | {cells[0]} | {cells[1]} | {np.diff(ends).mean():.3f} |")


if __name__ == "__main__":
    main()
