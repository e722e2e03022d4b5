"""How often do the 95 % intervals of cross-validated scores hold the truth?

    python benchmarks/coverage.py --simulations 200 --repeats 5

Patients with normal covariates, an exponential survival and independent censoring; a ridge Cox
model of all covariates, and one of the first three to compare it with, in repeated folds. The truth
is known from patients without number: it is the mean over models fitted to as many patients as a
training fold has, over all simulations. Printed is the share of intervals that hold it, with its
standard error, and how wide they are; the names of those in the report are marked with a star.
``--effect 0`` shows how often noise passes for information, and ``size`` the share of p values of
the log-rank test between thirds of risk below 0.05.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies import bootstrap, calibration, evaluation, hazards, measures, utility
from facies.cox import Outcome, fit_ridge, survival_function
from facies.folds import assign_folds
from facies.metrics import nadeau_bengio, within_unit
from facies.pooled import last_horizon, pool, standard_risk, survival_of
from facies.prediction import time_grid

COLUMNS, FEW, INNER, MANY, DRAWS = 50, 3, 5, 2000, 300
THRESHOLD = 0.5  # of the net benefit
KEY = ("face", "full", "cohort", "coxph")


def cohort(n: int, effect: float, rng) -> tuple[np.ndarray, Outcome]:
    """Covariates (n, COLUMNS), of which five carry information about survival, and about a third
    censored."""
    x = rng.normal(size=(n, COLUMNS))
    risk = effect * x[:, :5].sum(1)
    death, limit = rng.exponential(np.exp(-risk)), rng.exponential(2.5, n)
    return x, Outcome(np.minimum(death, limit), death <= limit)


def fit_fold(x, outcome, train, place, penalty, new):
    """A FoldFit of the patients that are not in ``train``, and the same model's of new patients."""
    own = outcome[train]
    inner = assign_folds(own, INNER, 1)
    out_of_fold = np.empty(len(train))
    for k in range(1, INNER + 1):
        beta = fit_ridge(x[train][inner != k], own[inner != k], penalty)
        out_of_fold[inner == k] = x[train][inner == k] @ beta
    beta, times = fit_ridge(x[train], own, penalty), time_grid(own)

    def predict(ids, x, outcome):
        risk = x @ beta
        survival = survival_function(out_of_fold, own, risk, times)
        parts = ids, outcome, own, risk, out_of_fold, times, survival, ""
        return evaluation.FoldFit(KEY, *place, *parts)

    test = np.setdiff1d(np.arange(len(outcome)), train)
    return predict(test, x[test], outcome[test]), predict(np.arange(MANY), *new)


def truths(fit, horizon: float) -> dict[str, float]:
    """What a fold's model does among its many patients."""
    ones, dead = np.ones((1, MANY)), 1 - survival_of(fit, [horizon])[:, 0]
    found = {name: s[0] for name, s in evaluation.fold_scores(fit, ones).items()}
    found["observed to expected"] = calibration.observed_to_expected(fit.test, dead, horizon, ones)[
        0
    ]
    benefit = utility.net_benefit(fit.test, dead, horizon, [THRESHOLD], ones)
    found["net benefit"] = benefit[0, 0]
    risk, strata = standard_risk(fit), np.zeros(MANY)
    logs = np.log(-np.log1p(-np.clip(dead, 1e-6, 1 - 1e-6)))
    for name, column, known in (
        ("log hazard ratio", risk, fit.test),
        ("calibration slope", logs, fit.test.until(horizon)),
    ):
        found[name] = hazards.fit_cox(column[:, None], known, strata).beta[0]
    return found


def over_folds(name, scores, folds: int) -> dict:
    """Intervals of a mean over folds of scores (folds, 1 + draws)."""
    values, drawn = [s[0] for s in scores], bootstrap.average(scores)
    star = nadeau_bengio(values, folds)
    if name not in ("ipa", "difference of C"):
        star = within_unit(star)
    as_new = nadeau_bengio(values, len(values))
    overlap = folds / (folds - 1) + 1
    return {
        "Nadeau-Bengio *": star,
        "the same, repeats as new": as_new,
        "bootstrap": bootstrap.interval(drawn),
        "bootstrap, widened": bootstrap.interval(bootstrap.widened(drawn, overlap)),
    }


def simulate(given, seed: int):
    """By measure: its true mean over the folds' models, and the intervals around the estimate."""
    rng = np.random.default_rng(seed)
    n, folds = given.patients, given.folds
    (x, outcome), new = cohort(n, given.effect, rng), cohort(MANY, given.effect, rng)
    fits, news, others, other_news = [], [], [], []
    for repeat in range(1, given.repeats + 1):
        fold = assign_folds(outcome, folds, [seed, repeat])
        first = fold if repeat == 1 else first
        for k in range(1, folds + 1):
            train, place = np.flatnonzero(fold != k), (repeat, k)
            for some, kept, kept_new in ((COLUMNS, fits, news), (FEW, others, other_news)):
                many = new[0][:, :some], new[1]
                made = fit_fold(x[:, :some], outcome, train, place, given.penalty, many)
                kept.append(made[0])
                kept_new.append(made[1])
    draws = bootstrap.draw_patients(np.arange(n), first, seed, DRAWS)
    horizon = min(0.7, last_horizon(fits))
    true = [truths(fit, horizon) for fit in news]
    true = {name: np.mean([row[name] for row in true]) for name in true[0]}
    few = np.mean([truths(fit, horizon)["c_index"] for fit in other_news])
    true["difference of C"] = true["c_index"] - few
    scores, fewer = (
        [evaluation.fold_scores(fit, draws.of(fit.ids)) for fit in some] for some in (fits, others)
    )
    found = {name: over_folds(name, [s[name] for s in scores], folds) for name in scores[0]}
    gaps = [a["c_index"] - b["c_index"] for a, b in zip(scores, fewer, strict=True)]
    found["difference of C"] = over_folds("difference of C", gaps, folds)
    found |= pooled_intervals(pool(fits, draws, [horizon]), horizon)
    risks = evaluation.patient_risks(fits)
    p = evaluation.risk_groups(KEY, risks, evaluation.overlap(fits))["logrank_p"]
    return {name: (true[name], found[name]) for name in found}, p


def pooled_intervals(sets, horizon) -> dict:
    made, benefit = measures.calibrate(sets, 0, horizon), []
    for s in sets:
        p = s.predicted[:, 0]
        benefit.append(utility.net_benefit(s.outcome, p, horizon, [THRESHOLD], s.weights))
    benefit = bootstrap.average(benefit)[:, 0]
    ratios = [
        calibration.observed_to_expected(s.outcome, s.predicted[:, 0], horizon, s.weights)
        for s in sets
    ]
    ratios, widening = bootstrap.average(ratios), sets[0].widening
    slopes = [measures.calibration_slope(s, 0, horizon) for s in sets]
    risks = [hazards.fit_cox(s.risk[:, None], s.outcome, s.fold) for s in sets]
    found = {
        name: {
            "bootstrap": bootstrap.interval(drawn),
            "bootstrap, widened": bootstrap.interval(bootstrap.widened(drawn, widening)),
        }
        for name, drawn in (("net benefit", benefit), ("observed to expected", ratios))
    }
    for name, fitted in (("calibration slope", slopes), ("log hazard ratio", risks)):
        found[name] = {
            "Wald": measures.average_wald(fitted, 1.0),
            "Wald, widened *": measures.average_wald(fitted, widening),
        }
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
    print("| measure | truth | interval | holds it | mean width |")
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
