"""The measures of a model that predicts the planted truth, and of one that says too much."""

import dataclasses

import numpy as np
import pytest
from fits import fold_fit

from facies.evaluation import performance, pooled
from facies.evaluation.risk_groups import patient_risks
from facies.evaluation.scores import fold_scores
from facies.statistics.bootstrap import draw_patients
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome
from facies.survival.folds import assign_folds

N, SPREAD = 600, 0.8


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(0)
    risk = rng.normal(0, SPREAD, N)
    death, limit = rng.exponential(10 * np.exp(-risk)), rng.exponential(20, N)
    return risk, Outcome(np.minimum(death, limit), death <= limit)


def fits_of(risk, outcome, steepness, repeats=(1, 2), reason=""):
    """Fits that predict exponential times with the log hazard ``steepness`` x ``risk``."""
    ids, fits = np.array([f"{i:03d}" for i in range(N)]), []
    for repeat in repeats:
        fold = assign_folds(outcome, 3, repeat)
        for k in (1, 2, 3):
            train, test = fold != k, fold == k
            times = np.linspace(0, np.quantile(outcome.time[train], 0.9), 101)[1:]
            survival = np.exp(-np.outer(np.exp(steepness * risk[test]) / 10, times))
            made = {"test_ids": ids[test], "test": outcome[test], "train": outcome[train]}
            made |= {"test_risk": risk[test], "inner_oof_risk": risk[train]}
            made |= {"times": times, "survival": survival, "reason": reason}
            fits.append(fold_fit(repeat=repeat, fold=k, **made))
    return fits


def measured(fits, outcome):
    first = [fit for fit in fits if fit.repeat == 1]
    ids = np.concatenate([fit.test_ids for fit in first])
    draws = draw_patients(ids, np.repeat([1, 2, 3], [len(fit.test_ids) for fit in first]), 1, 200)
    end = pooled.last_horizon(fits)
    horizons, _ = pooled.choose_horizons([5.0], outcome, end)
    return performance.measure(fits, draws, horizons, end, patient_risks(fits))


@pytest.fixture(scope="module")
def truth(cohort):
    return measured(fits_of(*cohort, 1.0), cohort[1])


@pytest.fixture(scope="module")
def extreme(cohort):
    return measured(fits_of(*cohort, 2.0), cohort[1])


def test_the_truth_is_calibrated(truth):
    (made,) = truth["calibration"]
    for name in ("observed_to_expected", "slope"):
        assert made[name]["low"] < 1 < made[name]["high"]
    assert made["ici"]["value"] < 0.04
    assert made["ici"]["value"] < made["e90"]["value"] < 0.1
    assert made["e50"]["low"] <= made["e50"]["value"] <= made["e90"]["value"]
    assert truth["d_calibration"]["p"] > 0.01
    assert sum(truth["d_calibration"]["bins"]) == pytest.approx(N)
    inside = np.array(made["curve"]["low"]) <= np.array(made["grid"])
    inside &= np.array(made["grid"]) <= np.array(made["curve"]["high"])
    assert inside.mean() > 0.6


def test_predictions_that_are_too_extreme_are_found_out(truth, extreme):
    (made,), (right,) = extreme["calibration"], truth["calibration"]
    assert made["slope"]["high"] < 0.75
    assert made["ici"]["low"] > right["ici"]["high"]
    assert extreme["d_calibration"]["p"] < 0.01
    # The order is the same, the curves are worse.
    assert extreme["auc"] == truth["auc"] and extreme["hazard"] == truth["hazard"]
    assert extreme["brier"]["value"][-1] > truth["brier"]["value"][-1]


def test_d_calibration_says_how_many_died(cohort, truth):
    assert truth["d_calibration"]["informative"]
    outcome = cohort[1]
    assert 0.5 < truth["d_calibration"]["died"] < outcome.event.mean()  # the last tenth lives on
    rare = Outcome(outcome.time, outcome.event & (np.arange(N) % 6 == 0))
    made = measured(fits_of(cohort[0] / 100, rare, 1.0), rare)["d_calibration"]
    assert made["died"] < 0.15 and not made["informative"]


def test_hazard_ratio_of_the_planted_spread(truth):
    assert truth["hazard"]["low"] < np.exp(SPREAD) < truth["hazard"]["high"]
    assert truth["proportional"]["p"] > 0.01
    for half in ("before", "after"):
        found = truth["proportional"][half]
        assert found["low"] < np.exp(SPREAD) < found["high"]


def test_intervals_allow_for_folds_that_train_each_other(cohort, truth, monkeypatch):
    monkeypatch.setattr(pooled, "variance_inflation", lambda fits: 1.0)
    given = measured(fits_of(*cohort, 1.0), cohort[1])
    wider = np.sqrt(1 + 3 / 2)  # three folds, each half as large as what trains its model

    def ratios(made):
        halves = (made["proportional"][name] for name in ("before", "after"))
        return [made["hazard"], *halves, *made["group_hazards"]]

    # Of thirds, medium against low bears a fifth of the inflation, high against low three.
    factors = [wider] * 3 + [np.sqrt(1 + share * 3 / 2) for share in (0.2, 0.6)]
    for own, plain, factor in zip(ratios(truth), ratios(given), factors, strict=True):
        assert own["value"] == plain["value"]
        width = np.log(plain["high"] / plain["low"])
        assert np.log(own["high"] / own["low"]) == pytest.approx(factor * width, rel=0.005)
    own, plain = (made["calibration"][0]["slope"] for made in (truth, given))
    assert own["value"] == plain["value"]
    width = plain["high"] - plain["low"]
    assert own["high"] - own["low"] == pytest.approx(wider * width, rel=0.005)


def test_groups_are_thirds_of_the_training_risk(truth):
    medium, high = truth["group_hazards"]
    assert (medium["group"], high["group"]) == ("medium", "high")
    # The mean log hazards of the thirds of a normal distribution are 1.09 SD apart each.
    assert medium["low"] < np.exp(1.09 * SPREAD) < medium["high"]
    assert high["low"] < np.exp(2.18 * SPREAD) < high["high"]


def test_knowing_helps_to_decide(truth):
    (made,) = truth["decision"]
    benefit, everybody = np.array(made["model"]["value"]), np.array(made["everybody"])
    middle = (np.array(made["thresholds"]) > 0.3) & (np.array(made["thresholds"]) < 0.6)
    assert (benefit[middle] > np.maximum(everybody[middle], 0)).all()
    assert truth["brier"]["value"][10] < truth["brier_km"][10]


def test_one_repeat_and_two_tell_the_same_patients(cohort, truth):
    once = measured(fits_of(*cohort, 1.0, repeats=(1,)), cohort[1])
    (one,), (two,) = once["calibration"], truth["calibration"]
    # The prediction does not hang on the fold here, so repeats change nothing but rounding.
    for name in ("observed_to_expected", "slope", "ici"):
        assert one[name]["value"] == pytest.approx(two[name]["value"], rel=0.03)


def test_folds_without_a_model_leave_nothing_to_measure(cohort):
    fits = fits_of(*cohort, 1.0, reason="too few events")
    assert measured(fits, cohort[1]) == {}


def test_a_model_without_any_order_has_no_hazard_ratio(cohort):
    risk, outcome = cohort
    made = measured(fits_of(np.zeros(N), outcome, 1.0), outcome)
    assert made["hazard"] is None and made["proportional"] is None and made["group_hazards"] == []
    assert made["auc"]["value"][10] == pytest.approx(0.5)
    assert np.isnan(made["calibration"][0]["slope"]["value"])


def test_what_a_model_spares_of_the_kaplan_meier_curve_s_score(cohort):
    (fit, *_) = fits_of(*cohort, 1.0)
    weights = draw_patients(fit.test_ids, np.ones(len(fit.test_ids)), 1, 200).weights
    scores = fold_scores(fit, weights)
    np.testing.assert_allclose(scores["ipa"], 1 - scores["ibs"] / scores["ibs_km"])
    assert np.quantile(scores["ipa"][1:], 0.025) > 0
    # The curve itself spares nothing, whoever is drawn.
    flat = np.tile(kaplan_meier_at(fit.train, fit.times), (len(fit.test_ids), 1))
    none = fold_scores(dataclasses.replace(fit, survival=flat), weights)
    np.testing.assert_allclose(none["ipa"], 0, atol=1e-12)
