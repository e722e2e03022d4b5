"""From the folds' fits to scores, risk groups, comparisons and the demo's ground truth."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from scipy.stats import rankdata, ttest_1samp

from facies.statistics import bootstrap, ipcw
from facies.statistics.concordance import concordance
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.kaplan_meier import kaplan_meier, kaplan_meier_at, log_rank, median_follow_up
from facies.statistics.outcome import Outcome
from facies.survival.designs import PhotoDesign

GROUPS = ("low risk", "medium risk", "high risk")
KEYS = ("features", "view", "scope", "model")
SHARES = (1.0, 0.9, 0.75, 0.5, 0.25)  # of the patients, those whose photos are rebuilt best
OF_THIRDS = {"all": 0.4, "medium": 0.2, "high": 0.6}
STEP = 5  # of the fits' times, for the AUC over time


@dataclass(frozen=True)
class FoldFit:
    """One fit file with the outcomes of its patients."""

    key: tuple  # features, view, scope, model
    repeat: int
    fold: int
    ids: np.ndarray  # test patients
    test: Outcome
    train: Outcome
    risk: np.ndarray  # of the test patients
    inner_oof_risk: np.ndarray  # of the training patients, out of the inner folds
    times: np.ndarray
    survival: np.ndarray  # (test patients, times)
    reason: str  # why there is no model, else ""


def read_fit(path, patients: pd.DataFrame) -> FoldFit:
    """The fit written by ``fit_model``; ``patients`` has patient_id, time, event."""
    with np.load(path, allow_pickle=False) as file:
        fit = dict(file)
    outcomes = patients.set_index("patient_id")

    return FoldFit(
        tuple(str(fit[name]) for name in KEYS),
        int(fit["repeat"]),
        int(fit["fold"]),
        fit["test_ids"],
        Outcome.of(outcomes.loc[fit["test_ids"]]),
        Outcome.of(outcomes.loc[fit["train_ids"]]),
        fit["test_risk"],
        fit["inner_oof_risk"],
        fit["times"],
        fit["survival"],
        str(fit["reason"]),
    )


def by_key(fits):
    """The fits of each (features, view, scope, model), by repeat and fold."""
    fits = sorted(fits, key=lambda fit: (fit.key, fit.repeat, fit.fold))
    return {key: list(group) for key, group in groupby(fits, key=lambda fit: fit.key)}


def fold_scores(fit: FoldFit, weights) -> dict[str, np.ndarray]:
    """The scores of one test fold, (draws,) each, in the draws ``weights`` (draws, n) of its
    patients; NaN where it cannot be scored. ``ipa`` is the share of the Kaplan-Meier curve's IBS
    that the model spares: Kattan and Gerds, "The index of prediction accuracy", Diagn Progn Res 2
    (2018) 7."""
    times = fit.times[STEP - 1 :: STEP]
    baseline = np.tile(kaplan_meier_at(fit.train, fit.times), (len(fit.test), 1))
    aucs = ipcw.auc(fit.train, fit.test, fit.risk, times, weights)
    own, reference = (integrated_brier(fit, s, weights) for s in (fit.survival, baseline))
    return {
        "c_index": concordance(fit.test, fit.risk, weights),
        "uno_c": ipcw.uno_c(fit.train, fit.test, fit.risk, fit.times[-1], weights),
        "auc": ipcw.mean_auc(aucs, kaplan_meier_at(fit.test, times)),
        "ibs": own,
        "ibs_km": reference,
        "ipa": 1 - np.divide(own, reference, out=np.full(len(own), np.nan), where=reference > 0),
    }


def integrated_brier(fit: FoldFit, survival, weights) -> np.ndarray:
    """Integrated Brier score (draws,) of a fold's ``survival`` (n, times)."""
    terms = ipcw.brier_terms(fit.train, fit.test, survival, fit.times)
    return ipcw.weighted_mean(ipcw.integrated_brier(terms, fit.times), weights)


def score_row(key, fits, scores) -> dict:
    """One row of the summary: means over folds and repeats with Nadeau and Bengio's intervals."""
    own = [score["c_index"][0] for score in scores]
    missing = [
        {"repeat": fit.repeat, "fold": fit.fold, "reason": fit.reason or "no comparable pair"}
        for fit, value in zip(fits, own, strict=True)
        if np.isnan(value)
    ]
    row = dict(zip(KEYS, key, strict=True))
    for name in scores[0]:
        found = nadeau_bengio([s[name][0] for s in scores], fold_count(fits))
        if name != "ipa":  # it has no lower end
            found = within_unit(found)
        row |= {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    return row | {
        "folds": fold_count(fits),
        "repeats": len({fit.repeat for fit in fits}),
        "unscored": missing,
    }


def fold_count(fits) -> int:
    """How many folds a repeat has."""
    return len({fit.fold for fit in fits})


def test_to_train(fits) -> float:
    """Mean size of a test fold over that of its training fold."""
    return float(np.mean([len(fit.test) / len(fit.train) for fit in fits]))


def variance_inflation(fits) -> float:
    """By how much the folds of one repeat together are less sure than so many patients would be if
    nobody tested in one had trained another: Nadeau and Bengio's variance (1/J + test / train) s^2
    of J folds over the s^2/J of folds that have nothing in common.

    Tests and Wald intervals of out-of-fold risks take the models as given, but cannot take the
    patients as new to them all (Simon et al., "Using cross-validation to evaluate predictive
    accuracy of survival risk classifiers", Brief Bioinform 12 (2011) 203-14).
    """
    return 1 + fold_count(fits) * test_to_train(fits)


def of_thirds(inflation: float, contrast: str) -> float:
    """The variance inflation of a comparison of thirds of risk: of ``all``, or of the ``medium`` or
    the ``high`` third with the low one.

    Models of folds that share patients err alike along the order of risk. That is one of the two
    degrees of freedom between three groups, most of high against low and little of medium against
    low, so that each bears a share of what the ``inflation`` adds to the variance: by simulation
    (docs/evaluation.md), because no formula is known.
    """
    return 1 + OF_THIRDS[contrast] * (inflation - 1)


def patient_risks(fits) -> pd.DataFrame:
    """Table (patient_id, risk, time, event) of patients with at least one prediction.

    Raw risks of different folds share no scale. A patient's risk is the share of the training
    patients' out-of-fold risks that lie below the patient's own (ties count half), 0 to 1,
    averaged over repeats.
    """
    tables = []
    for fit in fits:
        known = np.sort(fit.inner_oof_risk)
        below = np.searchsorted(known, fit.risk, "left") + np.searchsorted(known, fit.risk, "right")
        tables.append(
            pd.DataFrame(
                {
                    "patient_id": fit.ids,
                    "risk": np.where(np.isnan(fit.risk), np.nan, below / (2 * len(known))),
                    "time": fit.test.time,
                    "event": fit.test.event,
                }
            )
        )
    table = pd.concat(tables).dropna(subset="risk")
    return table.groupby("patient_id", as_index=False).mean()


def thirds(risks) -> np.ndarray:
    """Third of each of the ``risks`` (n,), 0 the lowest, ties together. They are ranked anew,
    because means over repeats crowd in the middle."""
    places = (rankdata(risks) - 0.5) / max(len(risks), 1)
    return np.minimum((places * len(GROUPS)).astype(int), len(GROUPS) - 1)


def risk_groups(key, risks: pd.DataFrame, inflation: float) -> dict:
    """Kaplan-Meier curves of the thirds of ``patient_risks``, and the log-rank test between them,
    its variance times that ``of_thirds`` for the folds' ``variance_inflation``."""
    outcome, group = Outcome.of(risks), thirds(risks.risk)
    curves = []
    for index in np.unique(group):
        own = outcome[group == index]
        curve = {name: np.round(v, 6).tolist() for name, v in kaplan_meier(own).items()}
        counts = {"n": len(own), "events": int(own.event.sum())}
        curves.append({"name": GROUPS[index], **curve, **counts})
    inflation = of_thirds(inflation, "all")
    logrank_p = log_rank(outcome, group, inflation) if len(risks) else np.nan
    return {**dict(zip(KEYS, key, strict=True)), "groups": curves, "logrank_p": logrank_p}


def probe(matrix: PhotoDesign, target, folds) -> float:
    """Correlation between ``target`` (n,) and what ridge regression reads of it from ``matrix``
    in held-out folds (n,); the penalty is chosen by leave-one-out in the training fold."""
    from sklearn.linear_model import RidgeCV

    read = np.empty(len(target))
    for fold in np.unique(folds):
        split = matrix.split(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
        penalties = np.linalg.norm(split.x, 2) ** 2 * np.logspace(0, -6, 25)
        ridge = RidgeCV(alphas=penalties).fit(split.x, target[split.rows])
        read[split.held] = ridge.predict(split.x_held)
    return float(np.corrcoef(read, target)[0, 1])


def c_by_threshold(fits, draws, quality: pd.Series) -> list[dict]:
    """C of the patients whose ``quality`` passes each threshold, by the models as they are fitted.

    ``fits`` are the folds' of one model, ``draws`` the cohort's. Rows {share, threshold, patients,
    c_index}: C is the mean over folds with the interval of drawing test patients.
    """
    rows = []
    for share in SHARES:
        threshold = float(np.quantile(quality, 1 - share))
        passing = quality.index[quality >= threshold]
        scores = [
            concordance(fit.test, fit.risk, draws.of(fit.ids) * np.isin(fit.ids, passing))
            for fit in fits
        ]
        rows.append(
            {
                "share": share,
                "threshold": threshold,
                "patients": len(passing),
                "c_index": bootstrap.interval(bootstrap.average(scores)),
            }
        )
    return rows


def permutation_test(scores) -> dict:
    """Summary of C (1 + permutations, folds), the first row observed: mean C per permutation,
    their mean with its 95 % t-interval and their 2.5-97.5 % range (``low``, ``high``)."""
    observed, *permuted = bootstrap.average(np.transpose(scores))
    permuted = np.array(permuted)
    permuted = permuted[~np.isnan(permuted)]
    beaten = 1 + int((permuted >= observed).sum())
    mean_low, mean_high = np.nan, np.nan
    if len(permuted) > 1:
        mean_low, mean_high = ttest_1samp(permuted, 0.5).confidence_interval()
    low, high = np.quantile(permuted, [0.025, 0.975]) if len(permuted) else (np.nan, np.nan)
    return {
        "c_index": permuted.tolist(),
        "mean": float(permuted.mean()) if len(permuted) else np.nan,
        "mean_low": mean_low,
        "mean_high": mean_high,
        "low": low,
        "high": high,
        "p_value": np.nan if np.isnan(observed) else beaten / (1 + len(permuted)),
        "observed": observed,
    }


def flow_summary(flow, photos, patients, used, aligned, gate) -> dict:
    """Counts of photos and patients, and everything left out with its reason.

    ``flow`` is check_cohort's account; ``photos`` and ``patients`` are what it let through;
    ``used`` are the patients with folds, ``aligned`` the photos' table of alignment, which also
    has the photos that check_cohort left out, and so may ``gate``, the photos' table of
    reconstructions.
    """
    aligned = aligned[aligned.photo_id.isin(photos.photo_id)]
    rebuilt = gate[gate.photo_id.isin(photos.photo_id)]
    faceless = pd.concat([table[table.used != 1] for table in (aligned, rebuilt)])
    photoless = patients[~patients.patient_id.isin(used.patient_id)]
    excluded = list(flow["excluded"])
    excluded += faceless[["photo_id", "reason"]].to_dict("records")
    excluded += [
        {"patient_id": patient, "reason": "no usable photo"} for patient in photoless.patient_id
    ]
    return {
        "photos_in": flow["photos_in"],
        "photos_used": len(photos) - len(faceless),
        "patients_in": flow["patients_in"],
        "patients_used": len(used),
        "events": int(used.event.sum()),
        "follow_up": median_follow_up(Outcome.of(used)),
        "excluded": excluded,
        "notes": flow.get("notes", []),
    }
