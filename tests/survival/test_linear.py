import copy

import numpy as np
import pandas as pd
import pytest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from facies.common.errors import InputError
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.cox import fit_ridge, survival_function
from facies.survival.designs import ClinicalDesign, JointDesign, PhotoDesign, load_photo_design
from facies.survival.linear import ElasticNetCox, RidgeCox, largest_eigenvalue
from facies.survival.models import MODELS
from facies.survival.prediction import CandidatePredictions


def weak(n=300, p=40, seed=0):
    """Many columns that matter a little each, and whole years of follow-up: many ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * np.linspace(2, 0.5, p)
    time = np.ceil(8 * rng.exponential(size=n) * np.exp(-x @ rng.normal(0, 0.06, p)))
    limit = np.ceil(12 * rng.exponential(size=n))
    return x, Outcome(np.minimum(time, limit), time <= limit)


def split_of(x, held=50):
    rows = np.arange(len(x))
    return PhotoDesign(x, rows).split(rows[held:], rows[:held])


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (5, 1)])
def test_largest_eigenvalue_equals_that_of_all(shape):
    x = np.random.default_rng(0).normal(size=shape)
    assert largest_eigenvalue(x) == pytest.approx(np.linalg.norm(x, 2) ** 2, rel=1e-12)


def test_net_without_lasso_is_ridge():
    x, outcome = weak()
    split = split_of(x)
    own, n = outcome[split.rows], len(split.rows)
    found = ElasticNetCox().predict(split, own, [{"l1_ratio": 1e-6, "alpha": 0.2}], [1])
    # Coxnet's likelihood is a mean over patients, ridge's a sum.
    expected = fit_ridge(split.x, own.ranked([1]), 0.2 * n)
    np.testing.assert_allclose(found.coefficients[0], expected, atol=2e-4)


def test_path_of_the_net_goes_on_where_times_are_tied():
    x, outcome = weak()
    split = split_of(x)
    net = ElasticNetCox()
    candidates = net.candidates(split, outcome[split.rows], [1])
    path = net.predict(split, outcome[split.rows], candidates, [1])
    used = (path.coefficients != 0).sum(1)[[c["l1_ratio"] == 0.5 for c in candidates]]
    assert used[0] == 0 and used[-1] > 35  # from nothing to nearly everything
    assert len(np.unique(path.coefficients, axis=0)) > 70


def test_net_is_no_worse_than_ridge_where_many_columns_matter_a_little():
    x, outcome = weak()
    train, test = np.arange(250), np.arange(250, 300)
    folds = crossval.prepare(PhotoDesign(x, np.arange(300)), outcome, train, test, 5, 1)
    ridge, net = (
        crossval.tune(folds[0], outcome, MODELS[name], [1])[0] for name in ("coxph", "coxnet")
    )
    assert net > ridge - 0.5


def test_clinical_columns_of_a_joint_model_are_not_penalised():
    x, outcome = weak(n=200, p=300)
    frame = pd.DataFrame({"age": np.random.default_rng(1).normal(size=200)})
    rows = np.arange(200)
    split = JointDesign(PhotoDesign(x, rows), ClinicalDesign(frame)).split(rows[50:], rows[:50])
    own, r = outcome[rows[50:]], split.x.shape[1] - 1
    found = RidgeCox().predict(split, own, [{"penalty": 50.0}], [1]).coefficients[0]
    penalties = np.append(np.full(r, 50.0), RidgeCox.least)
    reference = CoxPHSurvivalAnalysis(alpha=penalties, ties="efron", tol=1e-12, n_iter=100)
    reference.fit(split.x, Surv.from_arrays(own.event, own.time))
    np.testing.assert_allclose(found, reference.coef_, atol=1e-6)
    # The net leaves them free as well: at the largest penalty they alone are in the model.
    net = ElasticNetCox()
    first = net.candidates(split, own, [1])[60:61]
    coefficients = net.predict(split, own, first, [1]).coefficients[0]
    assert coefficients[-1] != 0 and (coefficients[:-1] != 0).sum() <= 3


def test_ranks_get_curves_from_a_cox_model_of_out_of_fold_scores():
    rng = np.random.default_rng(0)
    score = rng.normal(size=400)
    time, limit = rng.exponential(size=400) * np.exp(-score), rng.exponential(size=400)
    outcome = Outcome(np.minimum(time, limit), time <= limit)
    path, times = CandidatePredictions(np.array([[5.0, 15.0, 25.0]])), np.array([0.2, 0.5])
    # Scores in another unit: 10 is an SD, 15 the mean.
    curves = crossval.survival_curves(path, 15 + 10 * score, outcome, times)
    risk = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_allclose(curves, np.exp(-np.exp(risk)[:, None] * times), atol=0.06)
    # Scores that mislead, and scores that are all the same, say nothing of anybody.
    for poor in (-score, np.zeros(400)):
        flat = crossval.survival_curves(path, poor, outcome, times)
        assert np.ptp(flat, axis=0) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_net_stops_at_the_least_penalty_that_can_be_computed(seed):
    # More columns than patients: without a penalty, any order can be had.
    rng = np.random.default_rng(seed)
    outcome = Outcome(rng.exponential(size=80), rng.random(80) < 0.7)
    split, net = split_of(rng.normal(size=(80, 400)), held=10), ElasticNetCox()
    candidates = net.candidates(split, outcome[split.rows], [1])
    path = net.predict(split, outcome[split.rows], candidates, [1])
    assert np.isfinite(path.coefficients).all()
    own = path.coefficients[[c["l1_ratio"] == 0.9 for c in candidates]]
    assert not own[0].any() and np.allclose(own[-1], own[-2], atol=2e-3)
    assert np.ptp(own[-1] @ split.x.T) > 10  # by then the patients are told apart


def test_held_out_risk_orders_patients_it_never_saw_and_needs_events():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(120, 4))
    outcome = Outcome(rng.exponential(size=120) * np.exp(-2 * x[:, 0]), np.ones(120, bool))
    train, held = np.arange(80), np.arange(80, 120)
    design = PhotoDesign(x, np.arange(120))
    parts = (train, held, MODELS["coxph"], 4, [1, 1])
    risk = crossval.held_out_risk(design, outcome, *parts)
    assert np.corrcoef(risk, x[held, 0])[0, 1] > 0.95
    # Three deaths among those who train are too few for four inner folds.
    few = Outcome(outcome.time, np.arange(120) < 3)
    assert np.isnan(crossval.held_out_risk(design, few, *parts)).all()


def test_an_order_that_leaves_a_fold_too_few_deaths_has_no_score_there():
    # Four deaths; whichever fold holds one of them leaves three, too few for four inner folds.
    x, deaths = np.random.default_rng(4).normal(size=(60, 3)), np.arange(60) < 4
    outcome = Outcome(np.arange(60.0, 0, -1), deaths)
    scores = crossval.nested_scores(
        PhotoDesign(x, np.arange(60)),
        [outcome, outcome[np.roll(np.arange(60), 30)]],
        np.repeat([1, 2, 3], 20),
        MODELS["coxph"],
        lambda _, risk: np.isnan(risk).all(),
        {"seed": 1, "inner_folds": 4},
    )
    np.testing.assert_array_equal(scores, [[True, False, False], [False, True, False]])


def test_first_penalty_of_the_net_is_the_library_s():
    from sksurv.linear_model import CoxnetSurvivalAnalysis

    x, outcome = weak()
    split = split_of(x)
    ranked = outcome[split.rows].ranked([1])
    net = CoxnetSurvivalAnalysis(l1_ratio=1.0, n_alphas=2, alpha_min_ratio=0.9)
    first = net.fit(split.x, Surv.from_arrays(ranked.event, ranked.time)).alphas_[0]
    start, largest = ElasticNetCox()._start(split, ranked)
    assert largest == pytest.approx(first, rel=1e-9) and not start.any()


def test_curves_are_calibrated_for_patients_whom_the_model_never_saw():
    """Observed over predicted deaths of 2000 new patients, over ten cohorts: a baseline of the
    training patients' own log-risks promises too many."""
    ratios = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x, n = rng.normal(size=(2250, 60)), 250
        death = rng.exponential(10 * np.exp(-1.2 * x[:, :9].sum(1) / 3))
        limit = rng.uniform(2, 25, len(x))
        outcome = Outcome(np.minimum(death, limit), death <= limit)
        rows, held = np.arange(n), np.arange(n, len(x))
        design = PhotoDesign(x, np.arange(len(x)))
        (fold,) = crossval.prepare(design, outcome, rows, held, 4, [1])
        fit = crossval.fit(design, [fold], outcome, MODELS["coxph"], [1])
        train = (
            fold.whole.x
            @ RidgeCox().predict(fold.whole, outcome[rows], [fit.chosen], [1]).coefficients[0]
        )
        observed = 1 - kaplan_meier_at(outcome[held], [8.0])[0]
        own = [np.interp(8.0, fit.times, curve) for curve in fit.survival]
        in_sample = survival_function(train, outcome[rows], fit.test_risk, [8.0])
        ratios.append([observed / (1 - np.mean(s)) for s in (own, in_sample)])
    ours, theirs = np.mean(ratios, axis=0)
    assert ours == pytest.approx(1, abs=0.04)
    assert theirs < 0.96


def extremes():
    """Designs and outcomes of 60 patients, 48 of whom train, that leave little to learn."""
    rng = np.random.default_rng(0)
    n, x, time = 60, rng.normal(size=(60, 30)), rng.exponential(10, 60) + 0.1
    died, rows = rng.random(60) < 0.5, np.arange(60)
    codes, usual = PhotoDesign(x, rows), Outcome(time, died)
    few = np.isin(rows, rng.permutation(48)[:3])
    odd = np.where(rows == np.flatnonzero(died)[0], "odd", "usual")

    def joint(columns):
        return JointDesign(codes, ClinicalDesign(pd.DataFrame(columns)))

    return {
        "three deaths": (codes, Outcome(time, few)),
        "one time for all": (codes, Outcome(np.full(n, 5.0), died)),
        "all deaths at one time": (codes, Outcome(np.where(died, 5.0, time), died)),
        "all deaths last": (codes, Outcome(np.where(died, 100.0, time), died)),
        "nothing varies": (PhotoDesign(np.ones((n, 30)), rows), usual),
        "a category of one": (joint({"kind": odd}), usual),
        "separation": (joint({"dead": died * 1.0}), usual),
        "perfect order": (joint({"score": -time}), usual),
    }


@pytest.mark.parametrize("model", ["coxph", "coxnet", "svm", "forest", "boosting"])
@pytest.mark.parametrize("kind", extremes())
def test_extreme_cohorts_are_fitted(kind, model):
    design, outcome = extremes()[kind]
    rows = np.arange(60)
    assert not crossval.too_few_events(outcome[:48], 3)
    small = copy.copy(MODELS[model])
    small.trees, small.stages = 5, (10,)
    folds = crossval.prepare(design, outcome, rows[:48], rows[48:], 3, [1])
    fit = crossval.fit(design, folds, outcome, small, [1])
    assert np.isfinite(fit.test_risk).all() and np.isfinite(fit.inner_oof_risk).all()
    assert (fit.survival >= 0).all() and (fit.survival <= 1).all()


def test_codes_that_are_no_numbers_stop_the_fit(tmp_path):
    ids = np.array(["a", "b", "c"])
    codes = np.random.default_rng(0).normal(size=(3, 4, 8))
    codes[1, 2, 3] = np.nan
    np.savez(tmp_path / "codes.npz", photo_ids=ids, codes=codes)
    photos = pd.DataFrame({"photo_id": ids, "patient_id": ids})
    with pytest.raises(InputError, match="codes.npz: codes of 1 of 3 photos hold NaN"):
        load_photo_design(tmp_path / "codes.npz", "codes", photos, pd.Index(ids))
