"""Facies compared with R on data sets that scikit-survival ships, with and without ties.

    python benchmarks/references.py                # prints both and their difference
    python benchmarks/references.py --write tests/references.json

Needs Rscript with the packages survival (3.5) and riskRegression (2022.11). The data are written to
a folder that both read: veterans' lung cancer in months, German breast cancer in years, the
Worcester heart attacks in months, all rounded up so that deaths share their times, and the veterans
in days with every tie broken. ``figures`` computes with Facies what ``REFERENCE`` computes in R, by
the same names; ``tests/statistics/test_references.py`` compares with the saved values of R.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sksurv import datasets

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.statistics import calibration, hazards, ipcw
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import (
    kaplan_meier_at,
    log_rank,
    median_follow_up,
    survival_with_interval,
)
from facies.statistics.outcome import Outcome
from facies.survival.cox import baseline_hazard, fit_ridge, log_likelihood

PENALTY = 5.0
STRATA = 3
TIMES = (0.2, 0.4, 0.5, 0.7, 0.8)  # quantiles of the follow-up

REFERENCE = r"""
suppressMessages({library(survival); library(riskRegression)})
folder <- commandArgs(TRUE)[1]
row <- function(...) cat(paste(c(...), collapse = "\t"), "\n", sep = "")
for (set in strsplit(commandArgs(TRUE)[2], ",")[[1]]) {
  d <- read.csv(file.path(folder, paste0(set, ".csv")))
  d <- d[order(d$time, -d$event), ]  # as prodlim has them
  at <- read.csv(file.path(folder, paste0(set, "-times.csv")))$time
  horizon <- at[3]; n <- nrow(d)
  give <- function(name, x) row(set, name, formatC(as.numeric(x), digits = 15, format = "g"))
  x <- as.matrix(d[, startsWith(names(d), "x")])
  y <- Surv(d$time, d$event)
  exact <- coxph.control(eps = 1e-12, iter.max = 100)
  fit <- coxph(y ~ x, ties = "efron", control = exact)
  give("coefficients", coef(fit)); give("errors", sqrt(diag(vcov(fit))))
  give("likelihood", fit$loglik)
  base <- basehaz(fit, centered = FALSE)
  give("baseline", c(0, base$hazard)[findInterval(at, base$time) + 1])
  give("proportional", cox.zph(fit, "rank")$table["GLOBAL", "p"])
  strata <- coxph(y ~ x + strata(d$stratum), ties = "efron", control = exact)
  give("stratified", c(coef(strata), strata$loglik[2]))
  give("proportional in strata", cox.zph(strata, "rank")$table["GLOBAL", "p"])
  ridged <- coxph(y ~ ridge(x, theta = PENALTY, scale = FALSE), ties = "efron", control = exact)
  give("ridge", coef(ridged))
  risk <- as.numeric(x %*% coef(fit))
  give("harrell", concordance(y ~ risk, reverse = TRUE)$concordance)
  give("uno", concordance(y ~ risk, reverse = TRUE, timewt = "n/G2")$concordance)
  give("log-rank", pchisq(survdiff(y ~ d$group)$chisq, 2, lower.tail = FALSE))
  km <- summary(survfit(y ~ 1, conf.type = "log-log"), times = at)
  give("survival", km$surv); give("survival low", km$lower); give("survival high", km$upper)
  alive <- summary(survfit(Surv(d$time, 1 - d$event) ~ 1, conf.type = "log-log"))$table
  give("median follow-up", alive[c("median", "0.95LCL", "0.95UCL")])
  predicted <- 1 - exp(-outer(exp(risk), c(0, base$hazard)[findInterval(at, base$time) + 1]))
  scored <- Score(list(model = predicted), formula = Surv(time, event) ~ 1, data = d, times = at,
                  metrics = c("auc", "brier"), summary = "ipa", conf.int = FALSE, se.fit = FALSE,
                  cens.model = "km", null.model = TRUE)
  give("auc", scored$AUC$score[model == "model"]$AUC)
  brier <- scored$Brier$score
  give("brier", brier[model == "model"]$Brier)
  give("brier of the curve", brier[model == "Null model"]$Brier)
  give("ipa", brier[model == "model"]$IPA)
  area <- function(v) sum(diff(at) * (head(v, -1) + tail(v, -1)) / 2) / diff(range(at))
  give("integrated brier", area(brier[model == "model"]$Brier))
  cut_time <- pmin(d$time, horizon); cut_event <- d$event * (d$time <= horizon)
  spread <- log(-log(1 - predicted[, 3]))
  slope <- coxph(Surv(cut_time, cut_event) ~ spread + strata(d$stratum), ties = "efron")
  give("slope", coef(slope))
  give("observed to expected", (1 - km$surv[3]) / mean(predicted[, 3]))
  censored <- prodlim::prodlim(Surv(time, event) ~ 1, data = d, reverse = TRUE)
  before <- prodlim::predictSurvIndividual(censored, lag = 1)
  later <- predict(censored, times = horizon)
  known <- ifelse(d$time > horizon, 1 / later, ifelse(cut_event == 1, 1 / before, 0))
  give("weights", c(mean(known), max(known)))
  dead <- as.numeric(cut_event)
  # loess() stops at neighbourhoods of weight 0, so that its local lines are written out.
  line <- function(p) {
    distance <- abs(predicted[, 3] - p)
    kernel <- pmax(1 - (distance / sort(distance)[ceiling(0.75 * n)])^3, 0)^3 * known
    sum(coef(lm(dead ~ predicted[, 3], weights = kernel)) * c(1, p))
  }
  gap <- abs(pmin(pmax(sapply(predicted[, 3], line), 0), 1) - predicted[, 3])
  give("indices", c(mean(gap), quantile(gap, c(0.5, 0.9), type = 1)))
}
"""


def cohorts() -> dict[str, pd.DataFrame]:
    """Tables with time, event, stratum, group and the covariates x1, x2, ... of every data set."""
    veterans, veterans_y = datasets.load_veterans_lung_cancer()
    german, german_y = datasets.load_gbsg2()
    heart, heart_y = datasets.load_whas500()
    days = veterans_y["Survival_in_days"]
    columns = [veterans.Karnofsky_score, veterans.Age_in_years, veterans.Treatment == "test"]
    receptors = [np.log1p(german[name]) for name in ("progrec", "estrec")]
    german_columns = [german.age, german.pnodes, german.tsize, german.horTh == "yes", *receptors]
    heart_columns = [heart[name] for name in ("age", "bmi", "hr", "chf")]
    return {
        "veterans in months": table(np.ceil(days / 30.4375), veterans_y["Status"], columns),
        "breast cancer in years": table(
            np.ceil(german_y["time"] / 365.25), german_y["cens"], german_columns
        ),
        "heart attacks in months": table(
            np.ceil(heart_y["lenfol"] / 30.4375), heart_y["fstat"], heart_columns
        ),
        "veterans without ties": table(
            days + np.arange(len(days)) / 1000, veterans_y["Status"], columns
        ),
    }


def table(time, event, columns) -> pd.DataFrame:
    """Covariates are standardised, so that one penalty suits them all."""
    x = np.column_stack(columns).astype(float)
    x = (x - x.mean(0)) / x.std(0)
    frame = pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(x.shape[1])])
    frame = frame.assign(time=time, event=np.asarray(event).astype(int))
    thirds = np.argsort(np.argsort(frame.x1, kind="stable")) * 3 // len(frame)
    return frame.assign(stratum=np.arange(len(frame)) % STRATA, group=thirds)


def horizons(cohort: pd.DataFrame) -> np.ndarray:
    """Times at which curves are read: different ones, however coarse the follow-up."""
    times = np.quantile(cohort.time, TIMES, method="lower")
    return times if len(np.unique(times)) == len(times) else np.arange(1.0, len(times) + 1)


def figures(cohort: pd.DataFrame) -> dict[str, list[float]]:
    """The figures of Facies for a data set, by the names in ``REFERENCE``."""
    x = cohort.filter(regex="^x").to_numpy()
    outcome, at, one = Outcome.of(cohort), horizons(cohort), np.ones((1, len(cohort)))
    stratum, alone = cohort.stratum.to_numpy(), np.zeros(len(cohort))
    fit = hazards.fit_cox(x, outcome, alone)
    strata = hazards.fit_cox(x, outcome, stratum)
    risk = x @ fit_ridge(x, outcome, 0.0)
    known, hazard = baseline_hazard(risk, outcome)
    baseline = np.concatenate([[0], hazard])[np.searchsorted(known, at, "right")]
    follow_up = median_follow_up(outcome)
    curve = [survival_with_interval(outcome, time) for time in at]
    found = {
        "coefficients": fit.beta,
        "errors": np.sqrt(np.diag(fit.covariance)),
        "likelihood": log_likelihood([np.zeros(len(x)), risk], outcome),
        "baseline": baseline,
        "proportional": hazards.proportionality(fit, outcome),
        "stratified": [*strata.beta, strata.likelihood],
        "proportional in strata": hazards.proportionality(strata, outcome),
        "ridge": fit_ridge(x, outcome, PENALTY),
        "harrell": c_index(outcome, risk),
        "uno": ipcw.uno_c(outcome, outcome, risk, np.inf)[0],
        "log-rank": log_rank(outcome, cohort.group, 1.0),
        "survival": [c["survival"] for c in curve],
        "survival low": [c["low"] for c in curve],
        "survival high": [c["high"] for c in curve],
        "median follow-up": [follow_up[name] for name in ("value", "low", "high")],
    }
    survival = np.exp(-np.outer(np.exp(risk), baseline))
    null = np.tile(kaplan_meier_at(outcome, at), (len(x), 1))
    brier, null_brier = (ipcw.brier_terms(outcome, outcome, s, at) for s in (survival, null))
    found |= {
        "auc": ipcw.auc(outcome, outcome, risk, at, one)[0],
        "brier": brier.mean(0),
        "brier of the curve": null_brier.mean(0),
        "ipa": 1 - brier.mean(0) / null_brier.mean(0),
        "integrated brier": ipcw.integrated_brier(brier, at).mean(),
    }
    found |= calibrated(outcome, 1 - survival[:, 2], at[2], stratum)
    return {name: np.atleast_1d(values).tolist() for name, values in found.items()}


def calibrated(outcome, predicted, horizon, stratum) -> dict:
    one, spread = np.ones((1, len(predicted))), np.log(-np.log1p(-predicted))
    known = ipcw.horizon_weights(outcome, outcome, horizon)
    dead, grid = outcome.event & (outcome.time <= horizon), np.unique(predicted)
    curve = calibration.smooth(dead, predicted, known, grid, one)
    indices = calibration.indices(calibration.distances(curve, grid, predicted), one)
    return {
        "slope": hazards.fit_cox(spread[:, None], outcome.censored_at(horizon), stratum).beta,
        "observed to expected": calibration.observed_to_expected(outcome, predicted, horizon, one),
        "weights": [known.mean(), known.max()],
        "indices": [indices[name][0] for name in ("ici", "e50", "e90")],
    }


def reference(made: dict[str, pd.DataFrame]) -> dict[str, dict[str, list[float]]]:
    """The figures of R for the same tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cohort in made.items():
            cohort.to_csv(f"{folder}/{name}.csv", index=False)
            pd.DataFrame({"time": horizons(cohort)}).to_csv(f"{folder}/{name}-times.csv")
        script = Path(folder) / "reference.R"
        script.write_text(REFERENCE.replace("PENALTY", str(PENALTY)))
        command = ["Rscript", script, folder, ",".join(made)]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {name: {} for name in made}
    for line in lines.splitlines():
        name, label, *values = line.split("\t")
        found[name][label] = [float(value.replace("NA", "nan")) for value in values]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="file for the figures of R")
    given = parser.parse_args()
    made = cohorts()
    expected = reference(made)
    for name, cohort in made.items():
        events, times = cohort.event.sum(), cohort.time[cohort.event == 1].nunique()
        print(f"\n{name}: {len(cohort)} patients, {events} deaths at {times} times")
        for label, values in figures(cohort).items():
            theirs = expected[name][label]
            gap = np.nanmax(np.abs(np.subtract(values, theirs)), initial=0.0)
            print(f"  {label:<24} {values[0]:12.6f} {theirs[0]:12.6f}   difference {gap:.1e}")
    if given.write:
        sets = {
            name: ",\n".join(
                f"  {json.dumps(label)}: {json.dumps(values)}" for label, values in own.items()
            )
            for name, own in expected.items()
        }
        text = ",\n".join(f"{json.dumps(name)}: {{\n{rows}}}" for name, rows in sets.items())
        given.write.write_text(f"{{{text}}}\n")


if __name__ == "__main__":
    main()
