"""The nested protocol of one outer fold: tune on inner folds, refit on the training fold.

References
----------
Verweij and van Houwelingen, "Cross-validation in survival analysis", Stat Med 12 (1993) 2305-14.
"""

from dataclasses import dataclass, replace

import numpy as np

from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.cox import fit_ridge, log_likelihood, survival_function
from facies.survival.designs import Split
from facies.survival.fits import Fit
from facies.survival.folds import assign_folds
from facies.survival.prediction import CandidatePredictions, survival_likelihood, time_grid


@dataclass(frozen=True)
class Fold:
    """Splits of one outer fold in one metric: ``whole`` (training patients against test patients)
    and those of the inner folds."""

    metric: str
    whole: Split
    inner: list[Split]


def prepare(design, outcome: Outcome, train, test, inner_folds: int, seed) -> list[Fold]:
    """Splits of ``design`` for patients ``train`` and ``test``, one Fold for each metric."""
    assigned = assign_folds(outcome[train], inner_folds, seed)
    inner = [(train[assigned != k], train[assigned == k]) for k in range(1, inner_folds + 1)]
    return [
        Fold(m, design.split(train, test, m), [_lean(design.split(*pair, m)) for pair in inner])
        for m in design.metrics
    ]


def _lean(split: Split) -> Split:
    """Without the axes: only the whole fold's coefficients are led back to columns, and the axes of
    9,216 columns take as much memory as 9,216 patients."""
    return split if split.axes is None else replace(split, axes=None)


def fit(design, folds: list[Fold], outcome: Outcome, model, seed) -> Fit:
    """Choose metric and candidate by cross-validation in the training patients, then refit.

    Only the outcomes of training patients are read; the others may hold anything.
    """
    seed = list(np.atleast_1d(seed))
    score, fold, chosen, held = max(
        (tune(fold, outcome, model, seed) for fold in folds), key=lambda tuned: tuned[0]
    )
    rows = fold.whole.rows
    predictions = predict(model, fold.whole, outcome, [chosen], seed)
    # Inner folds come one after the other: put their patients back into the training order.
    by_patient = np.argsort(np.concatenate([split.held for split in fold.inner]))
    inner_oof_risk = held[by_patient][np.argsort(np.argsort(rows))]
    times = time_grid(outcome[rows])
    survival = survival_curves(predictions, inner_oof_risk, outcome[rows], times)
    coefficients = None
    if predictions.coefficients is not None and fold.whole.axes is not None:
        coefficients = design.coefficients(fold.whole, predictions.coefficients[0])
    chosen = {"metric": fold.metric, **chosen, "score": round(float(score), 6)}
    return Fit(chosen, inner_oof_risk, predictions.held[0], times, survival, coefficients)


def predict(model, split: Split, outcome: Outcome, candidates, seed) -> CandidatePredictions:
    """What each candidate, fitted to a split's training patients, predicts for those held out."""
    predictions = model.predict(split, outcome[split.rows], candidates, seed)
    return predictions if split.owner is None else predictions.per_patient(split.owner)


def survival_curves(
    predictions: CandidatePredictions, inner_oof_risk, outcome: Outcome, times
) -> np.ndarray:
    """Survival (m, len(times)) of the held-out patients under the first candidate.

    Its own curves, or those of the baseline hazard that the training patients' out-of-fold
    log-risks give: log-risks of patients whom the model was fitted to are too far apart, and their
    baseline too high for others. Ranks get the log-risk of a Cox model of the out-of-fold scores.
    """
    if predictions.survival is not None:
        return predictions.survival[0]
    if predictions.train is not None:
        return survival_function(inner_oof_risk, outcome, predictions.held[0], times)
    mean, sd = inner_oof_risk.mean(), inner_oof_risk.std() or 1.0
    train, held = ((risk - mean) / sd for risk in (inner_oof_risk, predictions.held[0]))
    # A penalty of one patient's worth bounds a perfect order; scores that mislead are left out.
    slope = max(float(fit_ridge(train[:, None], outcome, 1.0)[0]), 0.0)
    return survival_function(slope * train, outcome, slope * held, times)


def tune(fold: Fold, outcome: Outcome, model, seed):
    """The best score of the model's candidates, with the fold, the candidate and its risks of the
    inner folds' held-out patients."""
    candidates, scores, held = [], [], []
    more = model.candidates(fold.whole, outcome[fold.whole.rows], seed)
    while more:
        predictions = [predict(model, split, outcome, more, seed) for split in fold.inner]
        scores.extend(cross_validated_score(fold, predictions, outcome))
        held.extend(np.concatenate([p.held for p in predictions], axis=1))
        candidates.extend(more)
        best = int(np.argmax(scores))
        more = model.extend(candidates, best)
    return scores[best], fold, candidates[best], held[best]


def cross_validated_score(fold: Fold, predictions, outcome: Outcome) -> np.ndarray:
    """How well each candidate predicts patients it was not fitted to, (c,), the higher the better.

    Survival curves are judged by their likelihood, log-risks by the partial likelihood, and ranks,
    which have none, by the mean of the inner folds' C.
    """
    pairs = list(zip(fold.inner, predictions, strict=True))
    if predictions[0].survival is not None:
        return sum(
            survival_likelihood(p.survival, outcome[split.held], time_grid(outcome[split.rows]))
            for split, p in pairs
        )
    if predictions[0].train is not None:
        return cross_validated_likelihood(pairs, outcome)
    scores = [[c_index(outcome[split.held], risk) for risk in p.held] for split, p in pairs]
    # A fold without a comparable pair has no C, whoever is the candidate.
    return np.nan_to_num(scores, nan=0.5).mean(0)


def nested_scores(design, outcomes, folds, model, score, settings) -> np.ndarray:
    """Scores (outcomes, folds) of the nested protocol for several ``outcomes`` of the patients.

    ``folds`` (n,), and the inner folds that the first outcome stratifies, stay as they are, so that
    each fold's rotations are made once for all outcomes. ``score(outcome, risk)`` rates a test
    fold; ``settings`` has seed and inner_folds.
    """
    scores = []
    for number in np.unique(folds):
        train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        seed = [settings["seed"], 1, int(number)]
        ready = prepare(design, outcomes[0], train, test, settings["inner_folds"], seed)
        risks = [test_risk(design, ready, outcome, model, seed) for outcome in outcomes]
        pairs = zip(outcomes, risks, strict=True)
        scores.append([score(outcome[test], risk) for outcome, risk in pairs])
    return np.array(scores).T


def cross_validated_likelihood(pairs, outcome: Outcome) -> np.ndarray:
    """Verweij and van Houwelingen's sum over inner folds of l(all) - l(without the fold), (c,), of
    the ``pairs`` of a split and its predictions."""
    total = 0.0
    for split, predictions in pairs:
        everyone = np.concatenate([split.rows, split.held])
        risks = np.concatenate([predictions.train, predictions.held], axis=1)
        total = total + log_likelihood(risks, outcome[everyone])
        total = total - log_likelihood(predictions.train, outcome[split.rows])
    return total


def too_few_events(outcome: Outcome, inner_folds: int) -> str:
    """Why the training patients cannot be fitted, or ''."""
    events = int(outcome.event.sum())
    if events >= inner_folds:
        return ""
    return f"{events} events among the training patients are too few for {inner_folds} inner folds"


def test_risk(design, folds: list[Fold], outcome: Outcome, model, seed) -> np.ndarray:
    """Risks of the patients held out, NaN where too few of the training patients died."""
    whole, inner = folds[0].whole, folds[0].inner
    if too_few_events(outcome[whole.rows], len(inner)):
        return np.full(len(whole.held), np.nan)
    return fit(design, folds, outcome, model, seed).test_risk


def held_out_risk(design, outcome: Outcome, train, held, model, inner_folds, seed) -> np.ndarray:
    """``test_risk`` of the patients ``held`` by a model tuned and fitted on ``train``."""
    ready = prepare(design, outcome, train, held, inner_folds, seed)
    return test_risk(design, ready, outcome, model, seed)
