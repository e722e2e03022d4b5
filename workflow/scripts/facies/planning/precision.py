"""The precision that a cohort can give, before anything runs.

References
----------
Royston and Sauerbrei, "A new measure of prognostic separation in survival data", Stat Med 23
(2004) 723-48: D and R^2_D.
Riley et al., "Minimum sample size for developing a multivariable prediction model: Part II -
binary and time-to-event outcomes", Stat Med 38 (2019) 1276-96: the criteria.
Jinks et al., "Discrimination-based sample size calculations for multivariable prognostic models for
time-to-event data", BMC Med Res Methodol 15 (2015) 82: D from published C.
Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52 (2003) 239-81.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from facies.statistics.concordance import concordance
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.outcome import Outcome
from facies.survival.folds import assign_folds

NODES = 300  # quantiles of the normal distribution that stand for it
EXTREME_VALUE = np.pi**2 / 6  # variance of the log of an exponential time
SHRINKAGE = 0.9  # Riley's least
OPTIMISM = 0.05  # and his largest loss of Nagelkerke's R^2, and margin of the overall risk


def log_hazard_sd(c: float, share: float) -> float:
    """Standard deviation of a normal log hazard that shows as Harrell's C of ``c`` where a
    ``share`` of the patients die under observation.

    Times to death and to censoring are exponential, with hazards h and k. Of two patients, the one
    with hazard h is seen to die first with probability h / (h + h' + 2 k), so that C is the mean of
    max(h, h') / (h + h' + 2 k) over that of (h + h') / (h + h' + 2 k), and k follows from
    share = mean of h / (h + k). The fewer die, the more C is made by patients of high hazard: the
    same SD shows as a higher C.
    """
    normal = norm.ppf((np.arange(NODES) + 0.5) / NODES)

    def excess(sd):
        hazard = np.exp(sd * normal)
        censoring = brentq(lambda log_k: expit(sd * normal - log_k).mean() - share, -100, 100)
        one, other = hazard[:, None], hazard
        seen = 1 / (one + other + 2 * np.exp(censoring))
        return (np.maximum(one, other) * seen).sum() / ((one + other) * seen).sum() - c

    return brentq(excess, 0.0, 10.0)


def interval_width(c, patients, events, folds, repeats, seed, simulations=200) -> float:
    """Expected width of the report's 95 % interval around a C of ``c``.

    Cohorts of the same size, with exponential times and as many events, are simulated and scored in
    folds by the true risk: the width is the mean of those of the intervals that the report gives.
    """
    sd, rng = log_hazard_sd(c, events / patients), np.random.default_rng(seed)
    widths = []
    for _ in range(simulations):
        risk = rng.normal(0, sd, patients)
        death = rng.exponential(np.exp(-risk))
        limit = rng.exponential(1.0, patients)
        # The censoring times are stretched until as many die before them.
        outcome = _censored(death, limit * _stretch(death / limit, events))
        scores = []
        for _ in range(repeats):
            fold = assign_folds(outcome, folds, int(rng.integers(2**31)))
            tests = [fold == k for k in range(1, folds + 1)]
            scores += [concordance(outcome[test], risk[test])[0] for test in tests]
        interval = within_unit(nadeau_bengio(scores, folds))
        widths.append(interval["high"] - interval["low"])
    return float(np.nanmean(widths))


def _censored(death, limit) -> Outcome:
    return Outcome(np.minimum(death, limit), death <= limit)


def _stretch(ratio, events) -> float:
    """The factor of the censoring times under which ``events`` die first."""
    return float(np.sort(ratio)[min(events, len(ratio)) - 1])


def cox_snell(c: float, patients: int, events: int) -> float:
    """Cox and Snell's R^2 of a model that would show a C of ``c`` (Riley et al., section 4, with
    the SD computed where they take Jinks' empirical formula).

    R^2_D = s^2 / (pi^2 / 6 + s^2) with s the SD of the log hazard; O'Quigley's
    R^2_O = -pi^2 / 6 R^2_D / ((1 - pi^2 / 6) R^2_D - 1); the likelihood ratio is
    -events ln(1 - R^2_O), and R^2_CS = 1 - exp(-ratio / patients).
    """
    explained = log_hazard_sd(c, events / patients) ** 2
    royston = explained / (EXTREME_VALUE + explained)
    oquigley = EXTREME_VALUE * royston / (1 + (EXTREME_VALUE - 1) * royston)
    return float(-np.expm1(events / patients * np.log1p(-oquigley)))


def largest_cox_snell(patients: int, events: int) -> float:
    """Largest possible R^2_CS: 1 - exp(2 lnL / patients) with the exponential null model's
    lnL = events ln(events / patients) - events, time counted in mean follow-ups."""
    log_likelihood = events * np.log(events / patients) - events
    return float(-np.expm1(2 * log_likelihood / patients))


def most_parameters(patients: int, r2: float, shrinkage=SHRINKAGE) -> float:
    """Riley's criterion 1 turned round: parameters = patients (S - 1) ln(1 - R^2_CS / S), the most
    that leave a uniform shrinkage of S."""
    return float(patients * (shrinkage - 1) * np.log1p(-r2 / shrinkage))


def expected_shrinkage(patients: int, parameters: int, r2: float) -> float:
    """The S that solves criterion 1 for ``parameters``; 0 where there is none."""
    if parameters == 0:
        return 1.0

    def excess(s):
        return most_parameters(patients, r2, s) - parameters

    # The right side grows without bound as S falls to R^2_CS, and vanishes at 1.
    low = r2 + 1e-12
    return float(brentq(excess, low, 1.0)) if excess(low) > 0 else 0.0


def least_shrinkage(r2: float, largest: float) -> float:
    """Riley's criterion 2: the S = R^2_CS / (R^2_CS + 0.05 max R^2_CS) under which the apparent
    and the adjusted Nagelkerke's R^2 differ by 0.05."""
    return r2 / (r2 + OPTIMISM * largest)


def risk_margin(events: int, person_time: float, horizon: float) -> float:
    """Riley's criterion 3: half the 95 % interval of the overall risk 1 - exp(-rate horizon), the
    rate being events / person-time with standard error sqrt(events) / person-time."""
    rate, half = events / person_time, 1.96 * np.sqrt(events) / person_time
    low, high = -np.expm1(-np.maximum([rate - half, rate + half], 0) * horizon)
    return float((high - low) / 2)


def precision(outcome: Outcome, parameters: int, settings: dict) -> dict:
    """The plan's statistics: one row for each assumed C, and the margin of the overall risk.

    ``parameters`` are the clinical model's columns; ``settings`` has folds, repeats and seed.
    """
    n, events = len(outcome), int(outcome.event.sum())
    horizon = float(np.median(outcome.time[outcome.event]))
    largest = largest_cox_snell(n, events)
    rows = []
    for c in (0.6, 0.7, 0.8):
        r2 = cox_snell(c, n, events)
        needed = max(SHRINKAGE, least_shrinkage(r2, largest))
        most = most_parameters(n, r2, needed)
        rows.append(
            {
                "c_index": c,
                "width": interval_width(
                    c, n, events, settings["folds"], settings["repeats"], settings["seed"]
                ),
                "shrinkage_needed": needed,
                "most_parameters": most,
                "events_per_parameter": events / most,
                "clinical_shrinkage": expected_shrinkage(n, parameters, r2),
            }
        )
    return {
        "patients": n,
        "events": events,
        "clinical_parameters": parameters,
        "horizon": horizon,
        "risk_margin": risk_margin(events, outcome.time.sum(), horizon),
        "rows": rows,
    }
