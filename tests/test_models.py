import numpy as np
import pandas as pd
import pytest

from facies import crossval
from facies.cox import Outcome
from facies.errors import InputError
from facies.features import Matrix, Table, patient_means, small_images
from facies.folds import assign_folds
from facies.metrics import c_index
from facies.models import MODELS, DeepSurv, RidgeCox


def cohort(n=150, p=300, effect=1.0, seed=0):
    """Columns that mirror ten hidden traits, the first of which moves the hazard."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(n, 10))
    values = traits @ rng.normal(size=(10, p)) + rng.normal(size=(n, p))
    time = rng.exponential(size=n) * np.exp(-effect * traits[:, 0])
    limit = 2 * rng.exponential(size=n)
    return values, Outcome(np.minimum(time, limit), time <= limit)


def fold_of(design, outcome, number=1, seed=1):
    folds = assign_folds(outcome, 5, seed)
    train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
    return crossval.prepare(design, outcome, train, test, 5, [seed, number])


def test_patient_means_average_photos():
    photos = pd.DataFrame({"photo_id": list("abc"), "patient_id": ["q", "p", "p"]})
    values = np.array([[[9.0]], [[1.0]], [[2.0]]], np.float32)
    means = patient_means(np.array(["a", "b", "c"]), values, photos, np.array(["p", "q"]))
    assert means.tolist() == [[1.5], [9.0]]
    with pytest.raises(InputError, match="first is r"):
        patient_means(np.array(["a", "b", "c"]), values, photos, np.array(["p", "q", "r"]))


def test_small_images_average_blocks():
    image = np.zeros((1, 128, 128, 3), np.uint8)
    image[0, :2, 0, 0] = 255
    small = small_images(image)
    assert small.shape == (1, 64, 64, 3)
    assert small[0, 0, 0].tolist() == [0.5, 0, 0]
    assert small.sum() == 0.5


def test_principal_axes_are_sorted_and_centred_on_training():
    split = Matrix(cohort()[0], rank=7).split(np.arange(100), np.arange(100, 150))
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
    fold = fold_of(Matrix(values), outcome)
    fits = [crossval.fit(fold, outcome, MODELS[name], [1, 1]) for _ in range(2)]
    assert c_index(outcome[fold.whole.held], fits[0].test) > 0.6
    assert c_index(outcome[fold.whole.rows], fits[0].out_of_fold) > 0.65
    for field in ("test", "out_of_fold", "fitted"):
        assert getattr(fits[0], field).tobytes() == getattr(fits[1], field).tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_outcomes_of_test_patients_are_never_read(name):
    values, outcome = cohort()
    fold = fold_of(Matrix(values), outcome)
    blank = Outcome(outcome.time.copy(), outcome.event.copy())
    blank.time[fold.whole.held] = np.nan
    model = MODELS[name] if name != "deepsurv" else short_deepsurv()
    seen, unseen = (crossval.fit(fold, o, model, 1) for o in (outcome, blank))
    np.testing.assert_array_equal(seen.test, unseen.test)
    assert np.isfinite(unseen.test).all()


def short_deepsurv():
    model = DeepSurv()
    model.epochs, model.members = (5,), 1
    return model


def test_features_of_test_patients_move_only_their_own_risk():
    values, outcome = cohort()
    moved = values.copy()
    before = crossval.fit(fold_of(Matrix(values), outcome), outcome, MODELS["coxph"], 1)
    last = fold_of(Matrix(values), outcome).whole.held[-1]
    moved[last] += 50
    after = crossval.fit(fold_of(Matrix(moved), outcome), outcome, MODELS["coxph"], 1)
    np.testing.assert_allclose(after.test[:-1], before.test[:-1], atol=1e-6)
    assert abs(after.test[-1] - before.test[-1]) > 0.1


def test_noise_is_worth_half():
    scores = []
    for seed in range(6):
        values, outcome = cohort(n=120, p=500, effect=0.0, seed=seed)
        design = Matrix(values)
        for number in range(1, 6):
            fold = fold_of(design, outcome, number, seed)
            fit = crossval.fit(fold, outcome, MODELS["coxph"], [seed, number])
            scores.append(c_index(outcome[fold.whole.held], fit.test))
    assert np.mean(scores) == pytest.approx(0.5, abs=0.04)


def test_out_of_fold_risks_come_back_in_order():
    # One strong column: a patient's out-of-fold risk follows the patient's own value.
    values, outcome = cohort(p=1, effect=0.0)
    outcome = Outcome(np.exp(-values[:, 0]), np.ones(len(values), bool))
    fold = fold_of(Matrix(values), outcome)
    fit = crossval.fit(fold, outcome, MODELS["coxph"], 1)
    assert np.corrcoef(fit.out_of_fold, values[fold.whole.rows, 0])[0, 1] > 0.95


def test_ridge_grid_grows_beyond_its_edges():
    model = RidgeCox()
    grid = [{"penalty": 10.0 * step, "unit": 10.0} for step in model.steps]
    assert model.extend(grid, 5) == []
    lower = [c["penalty"] for c in model.extend(grid, len(grid) - 1)]
    assert lower[0] == pytest.approx(grid[-1]["penalty"] * 10**-0.3) and len(lower) == 5
    upper = [c["penalty"] for c in model.extend(grid, 0)]
    assert min(upper) == pytest.approx(grid[0]["penalty"] * 10**0.3) and len(upper) == 5
    assert model.extend([{"penalty": 1e-7, "unit": 1.0}], 0) != []
