"""Scores of one test fold, and their means over folds with intervals."""

import numpy as np

from facies.evaluation.inflation import fold_count
from facies.statistics import ipcw
from facies.statistics.concordance import concordance
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.survival.fits import KEYS, FoldFit

STEP = 5  # of the fits' times, for the AUC over time


def fold_scores(fit: FoldFit, weights) -> dict[str, np.ndarray]:
    """The scores of one test fold, (draws,) each, in the draws ``weights`` (draws, n) of its
    patients; NaN where it cannot be scored. ``ipa`` is the share of the Kaplan-Meier curve's IBS
    that the model saves: Kattan and Gerds, "The index of prediction accuracy", Diagn Progn Res 2
    (2018) 7."""
    times = fit.times[STEP - 1 :: STEP]
    baseline = np.tile(kaplan_meier_at(fit.train, fit.times), (len(fit.test), 1))
    aucs = ipcw.auc(fit.train, fit.test, fit.test_risk, times, weights)
    ibs, reference = (integrated_brier(fit, s, weights) for s in (fit.survival, baseline))
    return {
        "c_index": concordance(fit.test, fit.test_risk, weights),
        "uno_c": ipcw.uno_c(fit.train, fit.test, fit.test_risk, fit.times[-1], weights),
        "auc": ipcw.mean_auc(aucs, kaplan_meier_at(fit.test, times)),
        "ibs": ibs,
        "ibs_km": reference,
        "ipa": 1 - np.divide(ibs, reference, out=np.full(len(ibs), np.nan), where=reference > 0),
    }


def integrated_brier(fit: FoldFit, survival, weights) -> np.ndarray:
    """Integrated Brier score (draws,) of a fold's ``survival`` (n, times)."""
    terms = ipcw.brier_terms(fit.train, fit.test, survival, fit.times)
    return ipcw.weighted_mean(ipcw.integrated_brier(terms, fit.times), weights)


def score_row(key, fits: list[FoldFit], scores: list[dict]) -> dict:
    """One row of the summary: means over folds and repeats with Nadeau and Bengio's intervals."""
    row = dict(zip(KEYS, key, strict=True))
    for name in scores[0]:
        score = nadeau_bengio([s[name][0] for s in scores], fold_count(fits))
        if name != "ipa":  # it has no lower end
            score = within_unit(score)
        row |= {name: score["value"], f"{name}_low": score["low"], f"{name}_high": score["high"]}
    return row | {
        "folds": fold_count(fits),
        "repeats": len({fit.repeat for fit in fits}),
        "unscored": [
            {"repeat": fit.repeat, "fold": fit.fold, "reason": fit.reason or "no comparable pair"}
            for fit, score in zip(fits, scores, strict=True)
            if np.isnan(score["c_index"][0])
        ],
    }
