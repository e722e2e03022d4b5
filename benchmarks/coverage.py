"""Coverage of the 95 % intervals of cross-validated scores.

    python benchmarks/coverage.py --simulations 200 --repeats 5

Simulated patients have normal covariates, exponential survival and independent censoring. A ridge
Cox model of all covariates, and one of the first three for comparison, are cross-validated in
repeated folds. The true value is the mean score of the fitted models in many new patients, over all
simulations. Printed are coverage with its standard error, and mean width; a star marks the interval
of the report. ``--effect 0`` gives false positives: also printed is the share of p values below
0.05 of the log-rank test between thirds of risk.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.evaluation import performance
from facies.evaluation.inflation import fold_count, variance_inflation
from facies.evaluation.pooled import last_horizon, pool, standard_risk, survival_of
from facies.evaluation.risk_groups import patient_risks, risk_groups
from facies.evaluation.scores import fold_scores
from facies.statistics import bootstrap, calibration, decision_curves, hazards
from facies.statistics.concordance import c_index
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.outcome import Outcome
from facies.survival.cox import fit_ridge, survival_function
from facies.survival.fits import KEYS, Fit, FoldFit
from facies.survival.folds import assign_folds
from facies.survival.prediction import time_grid

COLUMNS, FEW, INNER, MANY, DRAWS = 50, 3, 5, 2000, 300
HORIZON, THRESHOLD = 0.7, 0.5  # of calibration and of the net benefit
KEY = ("face", "full", "cohort", "coxph")


def cohort(n: int, effect: float, rng) -> tuple[np.ndarray, Outcome]:
    """Covariates (n, COLUMNS), of which five carry information about survival, and about a third
    censored."""
    x = rng.normal(size=(n, COLUMNS))
    risk = effect * x[:, :5].sum(1)
    death, limit = rng.exponential(np.exp(-risk)), rng.exponential(2.5, n)
    return x, Outcome(np.minimum(death, limit), death <= limit)


def fit_fold(x, outcome, train, repeat, fold, penalty, new):
    """A FoldFit of the patients that are not in ``train``, and the same model's of new patients."""
    own = outcome[train]
    inner = assign_folds(own, INNER, 1)
    inner_oof_risk = np.empty(len(train))
    for k in range(1, INNER + 1):
        beta = fit_ridge(x[train][inner != k], own[inner != k], penalty)
        inner_oof_risk[inner == k] = x[train][inner == k] @ beta
    beta, times = fit_ridge(x[train], own, penalty), time_grid(own)

    def predict(ids, x, outcome):
        risk = x @ beta
        survival = survival_function(inner_oof_risk, own, risk, times)
        fit = Fit({}, inner_oof_risk, risk, times, survival)
        names = dict(zip(KEYS, KEY, strict=True)) | {"repeat": repeat, "fold": fold}
        patients = {"train_ids": train, "test_ids": ids, "train": own, "test": outcome}
        return FoldFit(**vars(fit), **names, **patients)

    test = np.setdiff1d(np.arange(len(outcome)), train)
    return predict(test, x[test], outcome[test]), predict(np.arange(MANY), *new)


def truths(fit, horizon: float) -> dict[str, float]:
    """The scores of a fold's model in its many new patients."""
    ones, dead = np.ones((1, MANY)), 1 - survival_of(fit, [horizon])[:, 0]
    found = {name: s[0] for name, s in fold_scores(fit, ones).items()}
    found["observed to expected"] = calibration.observed_to_expected(fit.test, dead, horizon, ones)[
        0
    ]
    benefit = decision_curves.net_benefit(fit.test, dead, horizon, [THRESHOLD], ones)
    found["net benefit"] = benefit[0, 0]
    risk, strata = standard_risk(fit), np.zeros(MANY)
    logs = np.log(-np.log1p(-np.clip(dead, 1e-6, 1 - 1e-6)))
    for name, column, known in (
        ("log hazard ratio", risk, fit.test),
        ("calibration slope", logs, fit.test.censored_at(horizon)),
    ):
        found[name] = hazards.fit_cox(column[:, None], known, strata).beta[0]
    table = pd.DataFrame({"risk": risk, "time": fit.test.time, "event": fit.test.event})
    for row in performance.group_hazards(table, 1.0):
        found[f"log hazard ratio, {row['group']} third"] = np.log(row["value"])
    return found


def over_folds(name, scores, fits) -> dict:
    """Intervals of a mean over folds of scores (folds, 1 + draws)."""
    values, drawn = [score[0] for score in scores], bootstrap.average(scores)
    folds = nadeau_bengio(values, fold_count(fits))
    gap = name == "difference of C"
    if not gap and name != "ipa":
        folds = within_unit(folds)
    wide = bootstrap.interval(bootstrap.inflated(drawn, variance_inflation(fits)))
    return {
        "Nadeau-Bengio *": folds,
        "bootstrap": bootstrap.interval(drawn),
        f"bootstrap, inflated{' *' * gap}": wide,
    }


def simulate(given, seed: int):
    """By measure: its true mean over the folds' models, and the intervals around the estimate; and
    the log-rank test's p value."""
    rng = np.random.default_rng(seed)
    n, folds = given.patients, given.folds
    (x, outcome), new = cohort(n, given.effect, rng), cohort(MANY, given.effect, rng)
    assigned = [assign_folds(outcome, folds, [seed, r]) for r in range(1, given.repeats + 1)]
    fits, news, fewer, new_fewer = [], [], [], []
    for repeat, folds_of in enumerate(assigned, 1):
        for k in range(1, folds + 1):
            train = np.flatnonzero(folds_of != k)
            for columns, own, many in ((COLUMNS, fits, news), (FEW, fewer, new_fewer)):
                some = new[0][:, :columns], new[1]
                fit = fit_fold(x[:, :columns], outcome, train, repeat, k, given.penalty, some)
                own.append(fit[0])
                many.append(fit[1])
    draws = bootstrap.draw_patients(np.arange(n), assigned[0], seed, DRAWS)
    horizon = min(HORIZON, last_horizon(fits))
    rows = [truths(fit, horizon) for fit in news]
    true = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    few = np.mean([c_index(fit.test, fit.test_risk) for fit in new_fewer])
    true["difference of C"] = true["c_index"] - few
    own, other = (
        [fold_scores(fit, draws.of(fit.test_ids)) for fit in some] for some in (fits, fewer)
    )
    found = {name: over_folds(name, [score[name] for score in own], fits) for name in own[0]}
    gaps = [a["c_index"] - b["c_index"] for a, b in zip(own, other, strict=True)]
    found["difference of C"] = over_folds("difference of C", gaps, fits)
    found |= of_pooled(pool(fits, draws, [horizon]), horizon)
    risks = patient_risks(fits)
    found |= of_groups(risks, variance_inflation(fits))
    p = risk_groups(KEY, risks, variance_inflation(fits))["logrank_p"]
    return {name: (true[name], found[name]) for name in found}, p


def of_pooled(sets, horizon: float) -> dict:
    """Intervals of measures in the pooled test patients of all folds."""
    benefits, ratios, inflation = [], [], sets[0].inflation
    for s in sets:
        p = s.predicted[:, 0]
        benefit = decision_curves.net_benefit(s.outcome, p, horizon, [THRESHOLD], s.weights)
        benefits.append(benefit[:, 0])
        ratios.append(calibration.observed_to_expected(s.outcome, p, horizon, s.weights))
    found = {}
    for name, drawn, star in (("net benefit", benefits, 1), ("observed to expected", ratios, 0)):
        drawn = bootstrap.average(drawn)
        wide = bootstrap.interval(bootstrap.inflated(drawn, inflation))
        found[name] = {
            f"bootstrap{' *' * (1 - star)}": bootstrap.interval(drawn),
            f"bootstrap, inflated{' *' * star}": wide,
        }
    slopes = [performance.calibration_slope(s, 0, horizon) for s in sets]
    risks = [hazards.fit_cox(s.risk[:, None], s.outcome, s.fold) for s in sets]
    for name, made in (("calibration slope", slopes), ("log hazard ratio", risks)):
        found[name] = {
            "Wald": performance.average_wald(made, 1.0),
            "Wald, inflated *": performance.average_wald(made, inflation),
        }
    return found


def of_groups(risks, inflation: float) -> dict:
    """Intervals of the log hazard ratios of thirds of risk."""
    found = {}
    for name, factor in (("Wald", 1.0), ("Wald, inflated *", inflation)):
        for row in performance.group_hazards(risks, factor):
            ends = {end: np.log(row[end]) for end in ("low", "high")}
            found.setdefault(f"log hazard ratio, {row['group']} third", {})[name] = ends
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--patients", type=int, default=240)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--effect", type=float, default=0.25)
    parser.add_argument("--penalty", type=float, default=30.0)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.simulations)
    runs, p = zip(*(simulate(given, seed) for seed in seeds), strict=True)
    print(vars(given))
    print("| measure | true value | interval | coverage | mean width |")
    print("|---|---|---|---|---|")
    for measure in runs[0]:
        show(measure, *zip(*(run[measure] for run in runs), strict=True))
    print(f"log-rank between thirds: size {share(np.array(p) < 0.05)}")


def share(hits) -> str:
    return f"{np.mean(hits):.3f} ± {np.std(hits) / len(hits) ** 0.5:.3f}"


def show(measure: str, truths, made):
    """A row for each interval of one measure."""
    truth = np.mean(truths)
    for name in made[0]:
        low, high = (np.array([row[name][end] for row in made]) for end in ("low", "high"))
        holds = share((low <= truth) & (truth <= high))
        print(f"| {measure} | {truth:.3f} | {name} | {holds} | {np.nanmean(high - low):.3f} |")


if __name__ == "__main__":
    main()
