from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from facies.common.errors import InputError
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import kaplan_meier_at
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.cox import fit_ridge
from facies.survival.designs import (
    ClinicalDesign,
    PhotoDesign,
    patient_means,
    photo_owners,
    small_images,
)
from facies.survival.features import FEATURES, FUSIONS
from facies.survival.folds import assign_folds
from facies.survival.linear import RidgeCox
from facies.survival.models import MODELS
from facies.survival.prediction import survival_likelihood, time_grid

# The convolutional network sees photos, not columns: tests/survival/test_convolution.py.
TABULAR = [name for name in MODELS if name != "cnn"]


def cohort(n=150, p=300, effect=1.0, seed=0):
    """Columns that mirror ten hidden traits, the first of which moves the hazard."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(n, 10))
    values = traits @ rng.normal(size=(10, p)) + rng.normal(size=(n, p))
    time = rng.exponential(size=n) * np.exp(-effect * traits[:, 0])
    limit = 2 * rng.exponential(size=n)
    return values, Outcome(np.minimum(time, limit), time <= limit)


def one_fold(outcome, number=1, seed=1):
    """Rows of the training and of the test patients of one of five folds."""
    folds = assign_folds(outcome, 5, seed)
    return np.flatnonzero(folds != number), np.flatnonzero(folds == number)


def fit_fold(design, outcome, model, train, test, seed=1):
    ready = crossval.prepare(design, outcome, train, test, 5, seed)
    return crossval.fit(design, ready, outcome, model, seed)


def single(values, **settings):
    """One photo per patient."""
    return PhotoDesign(values, np.arange(len(values)), **settings)


def test_photos_find_their_patients():
    photos = pd.DataFrame({"photo_id": list("abc"), "patient_id": ["q", "p", "r"]})
    known, owner = photo_owners(np.array(["a", "b", "c"]), photos, np.array(["p", "q"]))
    assert known.tolist() == [True, True, False] and owner.tolist() == [1, 0]
    with pytest.raises(InputError, match="1 patients of the folds have no photo"):
        photo_owners(np.array(["a", "b"]), photos, np.array(["p", "q", "s"]))


def test_means_of_patients_leave_out_what_a_photo_lacks():
    values = [[1.0, np.nan], [3.0, 5.0], [7.0, 9.0]]
    means = patient_means(values, np.array([0, 0, 2]), 3)
    assert means[0].tolist() == [2.0, 5.0] and means[2].tolist() == [7.0, 9.0]
    assert np.isnan(means[1]).all()


def test_photos_of_a_patient_are_averaged():
    design = PhotoDesign(np.array([[1.0], [2], [6], [9]]), np.array([0, 1, 1, 2]))
    rows = np.array([0, 1, 2])
    split = design.split(rows, rows[:0])
    np.testing.assert_allclose(np.abs(split.x[:, 0]), np.abs(np.array([1, 4, 9]) - 14 / 3))


@pytest.mark.parametrize("p", [2, 40])
def test_metric_wccn_shrinks_what_differs_between_photos_of_a_patient(p):
    # Photos of a patient differ along the first column alone, by 2 sqrt(2) = 2 sd of 2.
    means = np.random.default_rng(0).normal(size=(20, p))
    shift = 2**0.5 * np.eye(p)[:1]
    design = PhotoDesign(np.concatenate([means + shift, means - shift]), np.tile(np.arange(20), 2))
    rows = np.arange(20)
    # S has one eigenvalue v, its own mean, so that its direction shrinks by (1 / 0.1 + 1)^(-1/2).
    expected = (means - means.mean(0)) * np.where(np.arange(p) == 0, 11**-0.5, 1)
    for metric, x in (("wccn", expected), ("plain", means - means.mean(0))):
        split = design.split(rows[:15], rows[15:], metric)
        x = x - x[:15].mean(0)
        seen = np.concatenate([split.x, split.x_held])
        np.testing.assert_allclose(seen @ seen[:15].T, x @ x[:15].T, atol=1e-8)
        # Coefficients speak of the original columns whatever the metric.
        beta = design.coefficients(split, np.arange(split.x.shape[1]))
        risk = (means - means[:15].mean(0)) @ beta
        np.testing.assert_allclose(seen @ np.arange(split.x.shape[1]), risk, atol=1e-8)


def test_metric_wccn_learns_from_training_patients_only():
    values = np.random.default_rng(0).normal(size=(40, 60))
    owner = np.tile(np.arange(20), 2)
    moved = values.copy()
    moved[19] += 100  # one of the two photos of the last patient
    rows, held = np.arange(15), np.arange(15, 20)
    seen = [PhotoDesign(v, owner).split(rows, held, "wccn") for v in (values, moved)]
    np.testing.assert_allclose(seen[0].x @ seen[0].x.T, seen[1].x @ seen[1].x.T, atol=1e-7)


def test_single_photos_know_one_metric():
    assert single(np.eye(3)).metrics == ("plain",)


def test_small_images_average_blocks():
    image = np.zeros((1, 128, 128, 3), np.uint8)
    image[0, :2, 0, 0] = 255
    small = small_images(image)
    assert small.shape == (1, 64, 64, 3)
    assert small[0, 0, 0].tolist() == [0.5, 0, 0]
    assert small.sum() == 0.5


def test_principal_axes_are_sorted_and_centred_on_training():
    split = single(cohort()[0], rank=7).split(np.arange(100), np.arange(100, 150))
    gram = split.x.T @ split.x
    assert split.x.shape == (100, 7) and split.x_held.shape == (50, 7)
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-8 * gram[0, 0])
    assert (np.diff(np.diag(gram)) < 0).all()
    np.testing.assert_allclose(split.x.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(split.axes @ split.axes.T, np.eye(7), atol=1e-10)


def test_table_takes_median_scale_and_levels_from_training():
    frame = pd.DataFrame({"age": [1.0, 2, 6, np.nan, 100], "stage": ["I", "II", "II", None, "III"]})
    split = ClinicalDesign(frame).split(np.array([0, 1, 2, 3]), np.array([4]))
    # Median 2 stands in for the gap: 1, 2, 6, 2 has mean 2.75 and variance 3.6875.
    np.testing.assert_allclose(split.x[:, 0], np.array([-1.75, -0.75, 3.25, -0.75]) / 3.6875**0.5)
    np.testing.assert_allclose(split.x_held[0, 0], 97.25 / 3.6875**0.5)
    # Columns: age, its gap, stage II, no stage; an unknown stage is neither.
    assert split.x.shape == (4, 4)
    np.testing.assert_allclose(split.x_held[0, 2], -1.0)
    np.testing.assert_allclose(split.x[3, 1], split.x[3, 3])


def test_table_refuses_an_empty_column():
    with pytest.raises(InputError, match="grade"):
        ClinicalDesign(pd.DataFrame({"age": [1, 2], "grade": [None, None]}))


def quick(name):
    """A model of the registry with fewer members, epochs and trees."""
    model = copy(MODELS[name])
    if hasattr(model, "members"):
        model.members, model.epochs = 1, (20, 40)
    if hasattr(model, "trees"):
        model.trees, model.leaves = 50, (10,)
    return model


@pytest.fixture(scope="module", params=TABULAR)
def fitted(request):
    """A model's fit to a planted effect, twice, the second time with the test outcomes blanked."""
    values, outcome = cohort(effect=1.5)
    train, test = one_fold(outcome)
    blank = Outcome(outcome.time.copy(), outcome.event.copy())
    blank.time[test], blank.event[test] = np.nan, False
    model = quick(request.param)
    fits = [fit_fold(single(values), o, model, train, test) for o in (outcome, blank)]
    return request.param, outcome, train, test, *fits


def test_planted_effect_is_found(fitted):
    name, outcome, train, test, fit, _ = fitted
    c_test, c_train = (
        c_index(outcome[test], fit.test_risk),
        c_index(outcome[train], fit.inner_oof_risk),
    )
    if name == "kaplanmeier":
        assert c_test == c_train == 0.5
    else:
        assert c_test > 0.6 and c_train > 0.6


def test_same_seed_gives_the_same_bytes_and_test_outcomes_are_never_read(fitted):
    *_, fit, again = fitted
    for field in ("test_risk", "inner_oof_risk", "survival"):
        assert getattr(fit, field).tobytes() == getattr(again, field).tobytes()
        assert np.isfinite(getattr(fit, field)).all()
    assert fit.chosen == again.chosen


def test_curves_fall_and_predict_better_than_kaplan_meier(fitted):
    name, outcome, train, test, fit, _ = fitted
    assert fit.times.tolist() == time_grid(outcome[train]).tolist()
    assert fit.survival.shape == (len(test), len(fit.times))
    assert fit.survival.min() >= 0 and fit.survival.max() <= 1 + 1e-6
    assert (np.diff(fit.survival) <= 1e-6).all()
    average = kaplan_meier_at(outcome[train], fit.times)
    both = np.stack([fit.survival, np.tile(average, (len(test), 1))])
    own, null = survival_likelihood(both, outcome[test], fit.times)
    assert own == null if name == "kaplanmeier" else own > null + 0.5
    if name != "kaplanmeier":  # whoever has the higher risk has the lower curve
        assert np.corrcoef(fit.test_risk, fit.survival.mean(1))[0, 1] < -0.8


@pytest.mark.parametrize("name", TABULAR)
def test_folds_that_say_little_are_borne(name):
    """One class of the only covariate, as many events as inner folds, a patient of time zero."""
    rng = np.random.default_rng(0)
    time, event = rng.exponential(10, 60).round(1), np.zeros(60, bool)
    event[rng.permutation(60)[:10]] = True
    time[np.flatnonzero(event)[0]] = 0.0
    train, test = one_fold(Outcome(time, event))
    event[train[event[train]][5:]] = False
    outcome, model = Outcome(time, event), quick(name)
    frame = pd.DataFrame({"age": rng.normal(65, 10, 60)})
    flat = pd.DataFrame({"sex": np.where(np.isin(np.arange(60), test[:3]), "M", "F")})
    for table in (frame, flat):
        fit = fit_fold(ClinicalDesign(table), outcome, model, train, test)
        assert np.isfinite(fit.test_risk).all() and np.isfinite(fit.inner_oof_risk).all()
        assert np.isfinite(fit.survival).all()
    assert np.ptp(fit.test_risk) < 1e-6  # nothing is known of anybody


def test_config_offers_every_model_feature_set_and_fusion():
    schema = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
    survival = yaml.safe_load(schema.read_text())["properties"]["survival"]["properties"]
    assert survival["models"]["items"]["enum"] == list(MODELS)
    assert set(survival["features"]["items"]["enum"]) == set(FEATURES)
    assert set(survival["fusion"]["enum"]) == set(FUSIONS)


def test_photos_of_a_patient_can_be_averaged_by_their_risks():
    values, outcome = cohort(n=80, p=20)
    rng = np.random.default_rng(1)
    photos = np.concatenate([values, values + 3 * rng.normal(size=values.shape)])
    owner = np.tile(np.arange(80), 2)
    train, test = one_fold(outcome)
    for name, same in (("coxph", True), ("forest", False)):
        code, risk = (
            fit_fold(design, outcome, quick(name), train, test)
            for design in (
                PhotoDesign(photos, owner, ("plain",), each_photo=each) for each in (False, True)
            )
        )
        assert len(risk.test_risk) == len(test) and len(risk.inner_oof_risk) == len(train)
        # A linear risk of the mean is the mean of the risks; a forest's is not.
        assert np.allclose(code.test_risk, risk.test_risk, atol=1e-6) == same


def test_features_of_a_test_patient_move_only_its_own_risk():
    values, outcome = cohort()
    train, test = one_fold(outcome)
    moved = values.copy()
    moved[test[-1]] += 50
    before, after = (
        fit_fold(single(v), outcome, MODELS["coxph"], train, test).test_risk
        for v in (values, moved)
    )
    np.testing.assert_allclose(after[:-1], before[:-1], atol=1e-6)
    assert abs(after[-1] - before[-1]) > 0.1


def test_metric_wccn_is_chosen_where_it_serves():
    # Two photos per patient; what differs between them drowns the trait that matters.
    values, outcome = cohort(p=60)
    nuisance = np.random.default_rng(1).normal(size=(300, 5))
    values = np.tile(values, (2, 1)) + 6 * nuisance @ np.linalg.qr(values[:60].T)[0][:, :5].T
    train, test = one_fold(outcome)
    owner = np.tile(np.arange(150), 2)
    made = fit_fold(PhotoDesign(values, owner), outcome, MODELS["coxph"], train, test)
    plain = PhotoDesign(values, owner, metrics=("plain",))
    without = fit_fold(plain, outcome, MODELS["coxph"], train, test)
    assert made.chosen["metric"] == "wccn"
    assert made.chosen["score"] > without.chosen["score"]


def test_out_of_fold_risks_come_back_in_order():
    # One strong column: a patient's out-of-fold risk follows the patient's own value.
    values, outcome = cohort(p=1, effect=0.0)
    outcome = Outcome(np.exp(-values[:, 0]), np.ones(len(values), bool))
    train, test = one_fold(outcome)
    made = fit_fold(single(values), outcome, MODELS["coxph"], train, test)
    assert np.corrcoef(made.inner_oof_risk, values[train, 0])[0, 1] > 0.95


def test_out_of_fold_risks_are_of_models_that_never_saw_the_patient():
    # 300 columns of noise: a model that saw a patient knows the outcome by heart.
    values, outcome = cohort(effect=0.0)
    train, test = one_fold(outcome)
    train = np.random.default_rng(0).permutation(train)
    design = single(values, metrics=("plain",))
    (fold,) = crossval.prepare(design, outcome, train, test, 5, 1)
    made = crossval.fit(design, [fold], outcome, MODELS["coxph"], 1)
    assert sorted(np.concatenate([split.held for split in fold.inner])) == sorted(train)
    for split in fold.inner:
        assert not np.isin(split.held, split.rows).any()
        beta = fit_ridge(split.x, outcome[split.rows], made.chosen["penalty"])
        own = made.inner_oof_risk[[train.tolist().index(patient) for patient in split.held]]
        np.testing.assert_allclose(own, split.x_held @ beta, rtol=1e-4, atol=1e-6)


def test_ridge_grid_grows_beyond_its_edges():
    model = RidgeCox()
    grid = [{"penalty": 10.0 * step, "unit": 10.0} for step in model.steps]
    assert model.extend(grid, 5) == []
    lower = [c["penalty"] for c in model.extend(grid, len(grid) - 1)]
    assert lower[0] == pytest.approx(grid[-1]["penalty"] * 10**-0.3) and len(lower) == 5
    upper = [c["penalty"] for c in model.extend(grid, 0)]
    assert min(upper) == pytest.approx(grid[0]["penalty"] * 10**0.3) and len(upper) == 5
    assert model.extend([{"penalty": 2e3, "unit": 10.0}, grid[0]], 0) == []


@pytest.mark.parametrize("seed", range(2))
def test_coxnet_bears_columns_that_say_nothing(seed):
    """The path of such a fit ends before the smallest penalty."""
    rng = np.random.default_rng(seed)
    outcome = Outcome(rng.exponential(10, 60), rng.random(60) < 0.6)
    table = ClinicalDesign(
        pd.DataFrame({"age": rng.normal(65, 10, 60), "sex": rng.choice(["F", "M"], 60)})
    )
    train, test = one_fold(outcome)
    fitted = fit_fold(table, outcome, MODELS["coxnet"], train, test)
    assert np.isfinite(fitted.test_risk).all() and np.isfinite(fitted.inner_oof_risk).all()
