"""The incremental value of one model over another, on the same patients and folds."""

import numpy as np
from scipy import stats

from facies.evaluation.inflation import fold_count, variance_inflation
from facies.evaluation.pooled import joined, standard_risk
from facies.statistics import bootstrap, hazards
from facies.statistics.intervals import nadeau_bengio
from facies.survival.features import FEATURES
from facies.survival.fits import KEYS, FoldFit

SCORES = ("c_index", "uno_c", "ibs")


def compare(scores: dict, fits: dict) -> list[dict]:
    """What one set of features has over another: differences in C, Uno's C and IBS, each with its
    bootstrap interval and p value (the same draws for both, their variance inflated, because folds
    share training patients) and Nadeau and Bengio's interval over folds, and the likelihood-ratio
    test of its out-of-fold risk beside the other's."""
    rows = []
    for key in scores:
        for other in [other for other in counterparts(key) if other in scores]:
            row = dict(zip(KEYS, key, strict=True))
            row |= {"against": other[0], "against_model": other[-1]}
            row |= differences(scores[key], scores[other], fits[key])
            rows.append(row | {"likelihood": likelihood_ratio_test(fits[key], fits[other])})
    return rows


def counterparts(key) -> list[tuple]:
    """Keys of the models that a model is compared with: itself on other features, and, where it
    sees the face, the network that learns from the pixels end to end."""
    features, view, generator, model = key
    others = [(other, view, generator, model) for other in FEATURES[features].compared_with]
    return others + ([("pixels", view, generator, "cnn")] if features == "face" else [])


def leakage(scores: dict, fits: dict) -> list[dict]:
    """Information leakage through a generator tuned on the test patients' photos: scores with one
    generator of all photos (cohort) less those with a generator per fold (fold), in the
    folds that have both."""
    rows = []
    for key in [key for key in scores if key[2] == "fold"]:
        features, view, _, model = key
        whole = features, view, "cohort", model
        pairs = zip(fits[whole], scores[whole], strict=True)
        by_fold = {(fit.repeat, fit.fold): score for fit, score in pairs}
        cohort = [by_fold[fit.repeat, fit.fold] for fit in fits[key]]
        row = {"features": features, "view": view, "model": model}
        for name, part in (("cohort", cohort), ("fold", scores[key])):
            row[name] = float(np.nanmean([score["c_index"][0] for score in part]))
        rows.append(row | differences(cohort, scores[key], fits[key]))
    return rows


def differences(scores: list[dict], others: list[dict], fits: list[FoldFit]) -> dict:
    """By how much ``scores`` exceed ``others`` of the same folds."""
    pairs = list(zip(scores, others, strict=True))
    return {name: difference([a[name] - b[name] for a, b in pairs], fits) for name in SCORES}


def difference(gaps, fits: list[FoldFit]) -> dict:
    """Mean over folds of paired ``gaps`` (folds, 1 + draws), and how sure it is: the bootstrap's
    interval and p value, the draws' variance times ``variance_inflation`` of the ``fits``, and
    Nadeau and Bengio's interval."""
    draws = bootstrap.inflated(bootstrap.average(gaps), variance_inflation(fits))
    folds = nadeau_bengio([gap[0] for gap in gaps], fold_count(fits))
    return bootstrap.interval(draws) | {
        "p": bootstrap.p_value(draws),
        "folds_low": folds["low"],
        "folds_high": folds["high"],
    }


def likelihood_ratio_test(fits: list[FoldFit], others: list[FoldFit]) -> dict:
    """Likelihood-ratio test of adding the risks of ``fits`` to those of ``others``: chi2, a mean
    over repeats divided by the ``variance_inflation`` of the folds, and p."""
    ratios = []
    for repeat in sorted({fit.repeat for fit in fits}):
        pairs = [
            pair
            for pair in zip(fits, others, strict=True)
            if pair[0].repeat == repeat and not pair[0].reason and not pair[1].reason
        ]
        if pairs:
            strata = np.repeat(np.arange(len(pairs)), [len(fit.test_ids) for fit, _ in pairs])
            outcome = joined([fit.test for fit, _ in pairs])
            ours, theirs = (
                np.concatenate([standard_risk(pair[i]) for pair in pairs]) for i in (0, 1)
            )
            ratios.append(hazards.likelihood_ratio(ours, theirs, outcome, strata))
    chi2 = float(np.mean(ratios)) / variance_inflation(fits) if ratios else np.nan
    return {"chi2": chi2, "p": float(stats.chi2.sf(chi2, 1))}
