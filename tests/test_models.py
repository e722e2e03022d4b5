import numpy as np
import pandas as pd
import pytest

from facies import crossval
from facies.cox import Outcome
from facies.errors import InputError
from facies.features import Matrix, Table, photo_owners, small_images
from facies.folds import assign_folds
from facies.linear import RidgeCox
from facies.metrics import c_index
from facies.models import MODELS
from facies.neural import DeepSurv


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
    return Matrix(values, np.arange(len(values)), **settings)


def test_photos_find_their_patients():
    photos = pd.DataFrame({"photo_id": list("abc"), "patient_id": ["q", "p", "r"]})
    known, owner = photo_owners(np.array(["a", "b", "c"]), photos, np.array(["p", "q"]))
    assert known.tolist() == [True, True, False] and owner.tolist() == [1, 0]
    with pytest.raises(InputError, match="first is s"):
        photo_owners(np.array(["a", "b"]), photos, np.array(["p", "q", "s"]))


def test_photos_of_a_patient_are_averaged():
    design = Matrix(np.array([[1.0], [2], [6], [9]]), np.array([0, 1, 1, 2]))
    rows = np.array([0, 1, 2])
    split = design.split(rows, rows[:0])
    np.testing.assert_allclose(np.abs(split.x[:, 0]), np.abs(np.array([1, 4, 9]) - 14 / 3))


@pytest.mark.parametrize("p", [2, 40])
def test_metric_within_shrinks_what_differs_between_photos_of_a_patient(p):
    # Photos of a patient differ along the first column alone, by 2 sqrt(2) = 2 sd of 2.
    means = np.random.default_rng(0).normal(size=(20, p))
    shift = 2**0.5 * np.eye(p)[:1]
    design = Matrix(np.concatenate([means + shift, means - shift]), np.tile(np.arange(20), 2))
    rows = np.arange(20)
    # S has one eigenvalue v, its own mean, so that its direction shrinks by (1 / 0.1 + 1)^(-1/2).
    expected = (means - means.mean(0)) * np.where(np.arange(p) == 0, 11**-0.5, 1)
    for metric, x in (("within", expected), ("plain", means - means.mean(0))):
        split = design.split(rows[:15], rows[15:], metric)
        x = x - x[:15].mean(0)
        seen = np.concatenate([split.x, split.x_held])
        np.testing.assert_allclose(seen @ seen[:15].T, x @ x[:15].T, atol=1e-8)
        # Coefficients speak of the original columns whatever the metric.
        beta = design.coefficients(split, np.arange(split.x.shape[1]))
        risk = (means - means[:15].mean(0)) @ beta
        np.testing.assert_allclose(seen @ np.arange(split.x.shape[1]), risk, atol=1e-8)


def test_metric_within_learns_from_training_patients_only():
    values = np.random.default_rng(0).normal(size=(40, 60))
    owner = np.tile(np.arange(20), 2)
    moved = values.copy()
    moved[19] += 100  # one of the two photos of the last patient
    rows, held = np.arange(15), np.arange(15, 20)
    seen = [Matrix(v, owner).split(rows, held, "within") for v in (values, moved)]
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
    split = Table(frame).split(np.array([0, 1, 2, 3]), np.array([4]))
    # Median 2 stands in for the gap: 1, 2, 6, 2 has mean 2.75 and variance 3.6875.
    np.testing.assert_allclose(split.x[:, 0], np.array([-1.75, -0.75, 3.25, -0.75]) / 3.6875**0.5)
    np.testing.assert_allclose(split.x_held[0, 0], 97.25 / 3.6875**0.5)
    # Columns: age, its gap, stage II, no stage; an unknown stage is neither.
    assert split.x.shape == (4, 4)
    np.testing.assert_allclose(split.x_held[0, 2], -1.0)
    np.testing.assert_allclose(split.x[3, 1], split.x[3, 3])


def test_table_refuses_an_empty_column():
    with pytest.raises(InputError, match="grade"):
        Table(pd.DataFrame({"age": [1, 2], "grade": [None, None]}))


@pytest.mark.parametrize("name", MODELS)
def test_model_finds_a_planted_effect_and_repeats_itself(name):
    values, outcome = cohort()
    train, test = one_fold(outcome)
    fits = [fit_fold(single(values), outcome, MODELS[name], train, test) for _ in range(2)]
    assert c_index(outcome[test], fits[0].test) > 0.6
    assert c_index(outcome[train], fits[0].out_of_fold) > 0.65
    for field in ("test", "out_of_fold", "fitted"):
        assert getattr(fits[0], field).tobytes() == getattr(fits[1], field).tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_outcomes_of_test_patients_are_never_read(name):
    values, outcome = cohort()
    train, test = one_fold(outcome)
    blank = Outcome(outcome.time.copy(), outcome.event.copy())
    blank.time[test] = np.nan
    model = MODELS[name] if name != "deepsurv" else short_deepsurv()
    seen, unseen = (fit_fold(single(values), o, model, train, test) for o in (outcome, blank))
    np.testing.assert_array_equal(seen.test, unseen.test)
    assert np.isfinite(unseen.test).all()


def short_deepsurv():
    model = DeepSurv()
    model.epochs, model.members = (5,), 1
    return model


def test_features_of_a_test_patient_move_only_its_own_risk():
    values, outcome = cohort()
    train, test = one_fold(outcome)
    moved = values.copy()
    moved[test[-1]] += 50
    before, after = (
        fit_fold(single(v), outcome, MODELS["coxph"], train, test).test for v in (values, moved)
    )
    np.testing.assert_allclose(after[:-1], before[:-1], atol=1e-6)
    assert abs(after[-1] - before[-1]) > 0.1


def test_metric_within_is_chosen_where_it_serves():
    # Two photos per patient; what differs between them drowns the trait that matters.
    values, outcome = cohort(p=60)
    nuisance = np.random.default_rng(1).normal(size=(300, 5))
    values = np.tile(values, (2, 1)) + 6 * nuisance @ np.linalg.qr(values[:60].T)[0][:, :5].T
    train, test = one_fold(outcome)
    owner = np.tile(np.arange(150), 2)
    made = fit_fold(Matrix(values, owner), outcome, MODELS["coxph"], train, test)
    plain = Matrix(values, owner, metrics=("plain",))
    without = fit_fold(plain, outcome, MODELS["coxph"], train, test)
    assert made.chosen["metric"] == "within"
    assert made.chosen["likelihood"] > without.chosen["likelihood"]


def test_noise_is_worth_half():
    scores = []
    for seed in range(6):
        values, outcome = cohort(n=120, p=500, effect=0.0, seed=seed)
        design = single(values)
        for number in range(1, 6):
            train, test = one_fold(outcome, number, seed)
            made = fit_fold(design, outcome, MODELS["coxph"], train, test, seed)
            scores.append(c_index(outcome[test], made.test))
    assert np.mean(scores) == pytest.approx(0.5, abs=0.04)


def test_out_of_fold_risks_come_back_in_order():
    # One strong column: a patient's out-of-fold risk follows the patient's own value.
    values, outcome = cohort(p=1, effect=0.0)
    outcome = Outcome(np.exp(-values[:, 0]), np.ones(len(values), bool))
    train, test = one_fold(outcome)
    made = fit_fold(single(values), outcome, MODELS["coxph"], train, test)
    assert np.corrcoef(made.out_of_fold, values[train, 0])[0, 1] > 0.95


def test_ridge_grid_grows_beyond_its_edges():
    model = RidgeCox()
    grid = [{"penalty": 10.0 * step, "unit": 10.0} for step in model.steps]
    assert model.extend(grid, 5) == []
    lower = [c["penalty"] for c in model.extend(grid, len(grid) - 1)]
    assert lower[0] == pytest.approx(grid[-1]["penalty"] * 10**-0.3) and len(lower) == 5
    upper = [c["penalty"] for c in model.extend(grid, 0)]
    assert min(upper) == pytest.approx(grid[0]["penalty"] * 10**0.3) and len(upper) == 5
    assert model.extend([{"penalty": 2e3, "unit": 10.0}, grid[0]], 0) == []


@pytest.mark.parametrize("seed", range(4))
def test_coxnet_bears_columns_that_say_nothing(seed):
    """The path of such a fit ends before the smallest penalty."""
    rng = np.random.default_rng(seed)
    outcome = Outcome(rng.exponential(10, 60), rng.random(60) < 0.6)
    table = Table(pd.DataFrame({"age": rng.normal(65, 10, 60), "sex": rng.choice(["F", "M"], 60)}))
    train, test = one_fold(outcome)
    fitted = fit_fold(table, outcome, MODELS["coxnet"], train, test)
    assert np.isfinite(fitted.test).all() and np.isfinite(fitted.out_of_fold).all()
