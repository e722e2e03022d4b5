"""The nested protocol of one outer fold: tune on inner folds, refit on the training fold.

References
----------
Verweij and van Houwelingen, "Cross-validation in survival analysis", Stat Med 12 (1993) 2305-14.
"""

import json
from dataclasses import dataclass, replace

import numpy as np

from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.cox import fit_ridge, log_likelihood, survival_function
from facies.survival.designs import Split
from facies.survival.folds import assign_folds
from facies.survival.prediction import CandidatePredictions, survival_likelihood, time_grid


@dataclass(frozen=True)
class Fold:
    """Splits of one outer fold in one metric: ``whole`` (training patients against test patients)
    and those of the inner folds."""

    metric: str
    whole: Split
    inner: list[Split]


@dataclass(frozen=True)
class Fit:
    """One tuned model: risks of the n training patients out of the inner folds and of the m test
    patients, whose ``survival`` (m, k) is at ``times`` (k,); ``coefficients`` (p,) of linear models
    of a matrix, else None."""

    chosen: dict
    out_of_fold: np.ndarray
    test: np.ndarray
    times: np.ndarray
    survival: np.ndarray
    coefficients: np.ndarray | None


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
    path = predict(model, fold.whole, outcome, [chosen], seed)
    # Inner folds come one after the other: put their patients back into the training order.
    place = np.argsort(np.concatenate([split.held for split in fold.inner]))
    out_of_fold = held[place][np.argsort(np.argsort(rows))]
    times = time_grid(outcome[rows])
    survival = survival_curves(path, out_of_fold, outcome[rows], times)
    coefficients = None
    if path.coefficients is not None and fold.whole.axes is not None:
        coefficients = design.coefficients(fold.whole, path.coefficients[0])
    chosen = {"metric": fold.metric, **chosen, "score": round(float(score), 6)}
    return Fit(chosen, out_of_fold, path.held[0], times, survival, coefficients)


def predict(model, split: Split, outcome: Outcome, candidates, seed) -> CandidatePredictions:
    """What the model of a split's training patients says of the patients held out."""
    path = model.predict(split, outcome[split.rows], candidates, seed)
    return path if split.owner is None else path.per_patient(split.owner)


def survival_curves(path: CandidatePredictions, out_of_fold, outcome: Outcome, times) -> np.ndarray:
    """Survival (m, len(times)) of the held-out patients under a path's first candidate.

    Its own curves, or those of the baseline hazard that the training patients' out-of-fold
    log-risks give: log-risks of patients whom the model was fitted to are too far apart, and their
    baseline too high for others. Ranks get the log-risk of a Cox model of the out-of-fold scores.
    """
    if path.survival is not None:
        return path.survival[0]
    if path.train is not None:
        return survival_function(out_of_fold, outcome, path.held[0], times)
    centre, spread = out_of_fold.mean(), out_of_fold.std() or 1.0
    known, new = (out_of_fold - centre) / spread, (path.held[0] - centre) / spread
    # A penalty of one patient's worth bounds a perfect order; scores that mislead say nothing.
    slope = max(float(fit_ridge(known[:, None], outcome, 1.0)[0]), 0.0)
    return survival_function(slope * known, outcome, slope * new, times)


def tune(fold: Fold, outcome: Outcome, model, seed):
    """The best score of the model's candidates, with the fold, the candidate and its risks of the
    inner folds' held-out patients."""
    candidates, scores, held = [], [], []
    more = model.candidates(fold.whole, outcome[fold.whole.rows], seed)
    while more:
        paths = [predict(model, split, outcome, more, seed) for split in fold.inner]
        scores.extend(cross_validated_score(fold, paths, outcome))
        held.extend(np.concatenate([path.held for path in paths], axis=1))
        candidates.extend(more)
        best = int(np.argmax(scores))
        more = model.extend(candidates, best)
    return scores[best], fold, candidates[best], held[best]


def cross_validated_score(fold: Fold, paths, outcome: Outcome) -> np.ndarray:
    """How well each candidate predicts patients it was not fitted to, (c,), the higher the better.

    Survival curves are judged by their likelihood, log-risks by the partial likelihood, and ranks,
    which have none, by the mean of the inner folds' C.
    """
    pairs = list(zip(fold.inner, paths, strict=True))
    if paths[0].survival is not None:
        return sum(
            survival_likelihood(path.survival, outcome[split.held], time_grid(outcome[split.rows]))
            for split, path in pairs
        )
    if paths[0].train is not None:
        return cross_validated_likelihood(fold, paths, outcome)
    scores = [[c_index(outcome[split.held], risk) for risk in path.held] for split, path in pairs]
    # A fold without a comparable pair has no C, whoever is the candidate.
    return np.nan_to_num(scores, nan=0.5).mean(0)


def permuted_scores(design, outcome: Outcome, orders, folds, model, score, settings) -> np.ndarray:
    """Scores (orders, folds) of the nested protocol under each order of the outcomes.

    ``folds`` (n,) stay as they are, so each fold's rotations are made once for all orders.
    ``score(outcome, risk)`` rates a test fold; ``settings`` has seed and inner_folds.
    """
    scores = []
    for number in np.unique(folds):
        train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        seed = [settings["seed"], 1, int(number)]
        ready = prepare(design, outcome, train, test, settings["inner_folds"], seed)
        dealt = [outcome[order] for order in orders]
        scores.append([score(o[test], test_risk(design, ready, o, model, seed)) for o in dealt])
    return np.array(scores).T


def cross_validated_likelihood(fold: Fold, paths, outcome: Outcome) -> np.ndarray:
    """Verweij and van Houwelingen's sum over inner folds of l(all) - l(without the fold), (c,)."""
    total = 0.0
    for split, path in zip(fold.inner, paths, strict=True):
        everyone = np.concatenate([split.rows, split.held])
        risks = np.concatenate([path.train, path.held], axis=1)
        total = total + log_likelihood(risks, outcome[everyone])
        total = total - log_likelihood(path.train, outcome[split.rows])
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
    return fit(design, folds, outcome, model, seed).test


def held_out_risk(design, outcome: Outcome, train, held, model, inner_folds, seed) -> np.ndarray:
    """``test_risk`` of the patients ``held`` by a model tuned and fitted on ``train``."""
    ready = prepare(design, outcome, train, held, inner_folds, seed)
    return test_risk(design, ready, outcome, model, seed)


def result(fit: Fit) -> dict[str, np.ndarray]:
    """The arrays of a fit's file: risks, survival until the horizon, choice and coefficients."""
    arrays = {
        "test_risk": fit.test,
        "inner_oof_risk": fit.out_of_fold,
        "times": fit.times,
        "survival": fit.survival,
        "chosen": json.dumps(fit.chosen),
    }
    if fit.coefficients is not None:
        arrays["coefficients"] = fit.coefficients
    return arrays


def average(fits: list[dict]) -> dict[str, np.ndarray]:
    """One fit's arrays from those of several in the same fold: the mean of their curves, and of
    their risks in standard deviations of the training patients' out-of-fold risks."""
    centres = [fit["inner_oof_risk"].mean() for fit in fits]
    spreads = [fit["inner_oof_risk"].std() or 1.0 for fit in fits]
    scales = list(zip(fits, centres, spreads, strict=True))
    return {
        name: np.mean([(fit[name] - centre) / spread for fit, centre, spread in scales], axis=0)
        for name in ("test_risk", "inner_oof_risk")
    } | {
        "times": fits[0]["times"],
        "survival": np.mean([fit["survival"] for fit in fits], axis=0),
        "chosen": "{}",
    }


def no_result(train, held, outcome: Outcome) -> dict[str, np.ndarray]:
    """The same arrays of a fold without a model: NaN."""
    times = time_grid(outcome[train])
    return {
        "test_risk": np.full(len(held), np.nan),
        "inner_oof_risk": np.full(len(train), np.nan),
        "times": times,
        "survival": np.full((len(held), len(times)), np.nan),
        "chosen": "{}",
    }
