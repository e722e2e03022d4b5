import numpy as np
import pandas as pd
import pytest
from fits import fold_fit
from sklearn.covariance import ledoit_wolf_shrinkage

from facies.common.errors import InputError
from facies.explanation import direction
from facies.explanation.direction import FoldModel, learn_direction, orthogonalise, read_columns
from facies.survival.fits import Fit

N, P = 300, 24


@pytest.fixture
def codes():
    """Correlated codes (300, 24) of unequal spread."""
    random = np.random.default_rng(0)
    return random.normal(size=(N, P)) @ (random.normal(size=(P, P)) * random.uniform(0.2, 2, P))


def test_one_step_raises_the_risk_by_one_sd(codes):
    found = learn_direction(np.random.default_rng(1).normal(size=P), codes, sd=0.7)
    assert found.risk(codes).mean() == pytest.approx(0)
    assert found.risk(codes + found.step) - found.risk(codes) == pytest.approx(np.full(N, 0.7))


def test_the_step_is_the_closest_code_of_its_risk(codes):
    found = learn_direction(np.random.default_rng(1).normal(size=P), codes, sd=0.7)
    inverse = np.linalg.inv(np.cov(codes.T, bias=True))

    def length(change):
        return np.sqrt(change @ inverse @ change)

    assert length(found.step) == pytest.approx(found.length)
    random = np.random.default_rng(2)
    for _ in range(50):
        other = found.step + 0.1 * random.normal(size=P)
        other *= 0.7 / (other @ found.beta)
        assert length(other) > found.length


def test_random_steps_have_the_length_they_are_given(codes):
    random = np.random.default_rng(0)
    steps = direction.random_steps(codes, 1.5, 400, random)
    inverse = np.linalg.inv(np.cov(codes.T, bias=True))
    assert np.einsum("ij,jk,ik->i", steps, inverse, steps) == pytest.approx(np.full(400, 1.5**2))
    # More columns than codes: each step is a mean of codes, and its length is that of the weights.
    wide = random.normal(size=(10, 50))
    steps = direction.random_steps(wide, 1.0, 5, random)
    centred = wide - wide.mean(axis=0)
    inverse = np.linalg.pinv(centred.T @ centred / 10)
    assert np.einsum("ij,jk,ik->i", steps, inverse, steps) == pytest.approx(np.ones(5))


def test_shrinkage_is_that_of_the_reference_library(codes):
    for rows in (codes, codes[:12]):
        centred = rows - rows.mean(axis=0)
        expected = ledoit_wolf_shrinkage(centred, assume_centered=True)
        assert direction.ledoit_wolf(centred) == pytest.approx(expected)


def test_reading_is_the_ridge_regression_of_columns_on_codes(codes):
    columns = codes[:, :2] + np.random.default_rng(3).normal(size=(N, 2))
    for some in (slice(None), slice(0, 15)):  # also with more columns of codes than patients
        x, d = codes[some], columns[some]
        centred, known = x - x.mean(axis=0), d - d.mean(axis=0)
        covariance, share = centred.T @ centred / len(x), direction.ledoit_wolf(centred)
        shrunk = (1 - share) * covariance + share * np.trace(covariance) / P * np.eye(P)
        found = read_columns(x, d)
        assert found.pattern == pytest.approx(centred.T @ known / len(x))
        assert found.weights == pytest.approx(np.linalg.solve(shrunk, found.pattern))


def test_adjusted_risk_does_not_vary_with_the_columns_and_changes_least(codes):
    random = np.random.default_rng(4)
    columns = np.column_stack([codes[:, 0] + random.normal(size=N), codes @ random.normal(size=P)])
    columns = np.column_stack([columns, columns[:, 0]])  # a twin must not disturb
    beta = random.normal(size=P)
    found = orthogonalise(beta, read_columns(codes, columns))
    before = [np.corrcoef(codes @ beta, column)[0, 1] for column in columns.T]
    after = [np.corrcoef(codes @ found, column)[0, 1] for column in columns.T]
    assert np.abs(before).max() > 0.2 and np.abs(after).max() < 1e-9
    # Risk that has nothing to do with the column stays as it is.
    alone = orthogonalise(found, read_columns(codes, columns))
    assert alone == pytest.approx(found)


def plant(n=800, seed=0):
    """Codes in which two hidden traits show: illness, and age, which shortens life as well."""
    random = np.random.default_rng(seed)
    illness, age = random.normal(size=(2, n))
    shown = random.normal(size=(2, P))
    codes = np.outer(illness, shown[0]) + np.outer(age, shown[1]) + random.normal(size=(n, P))
    ids = pd.Index([f"p{i}" for i in range(n)])
    return pd.DataFrame(codes, index=ids), illness, pd.DataFrame({"age": age}, index=ids), shown


def fold_model(codes, hazard, fold=1):
    """Least squares in place of Cox, fitted to all but a fifth of the patients."""
    held = np.arange(len(codes)) % 5 == fold - 1
    x, y = codes.to_numpy()[~held], hazard[~held]
    beta = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    return FoldModel(1, fold, beta, 1.0, codes.index[~held], codes.index[held])


def test_planted_trait_is_recovered_and_age_is_taken_out_in_held_out_patients():
    codes, illness, traits, shown = plant()
    model = fold_model(codes, illness + traits.age.to_numpy())
    directions, table = direction.score_fold(model, codes, traits)
    assert set(table.adjusted) == {"", "age"}
    held = pd.Index(model.test_ids)
    truth = pd.Series(illness, codes.index)[held], traits.age[held]
    for name, expected in (("", (0.6, 0.6)), ("age", (0.85, 0.0))):
        own = table[table.adjusted == name].set_index("patient_id").risk[held]
        found = [np.corrcoef(own, of)[0, 1] for of in truth]
        assert found[0] > expected[0] and abs(found[1] - expected[1]) < (0.2 if name else 0.15)
    pattern = directions["age"].pattern
    assert pattern @ shown[0] / np.linalg.norm(pattern) / np.linalg.norm(shown[0]) > 0.95


def test_nothing_is_learned_of_the_patients_held_out():
    codes, illness, traits, _ = plant(200)
    model = fold_model(codes, illness)
    _, table = direction.score_fold(model, codes, traits)
    spoiled, other = codes.copy(), traits.copy()
    spoiled.loc[model.test_ids[1:]] = 1e3
    other.loc[model.test_ids] = 99.0
    _, again = direction.score_fold(model, spoiled, other)
    first = table.patient_id == model.test_ids[0]
    pd.testing.assert_frame_equal(table[first], again[first])


def test_directions_are_read_as_they_were_written(tmp_path):
    codes, illness, traits, _ = plant(100)
    models = [fold_model(codes, illness, fold) for fold in (1, 2, 3)]
    models[2] = FoldModel(2, 1, *[getattr(models[2], n) for n in ("beta", "sd")], [], [])
    found = [
        learn_direction(m.beta, codes.to_numpy(), sd)
        for m, sd in zip(models, (1, 2, 6), strict=True)
    ]
    direction.save_directions(tmp_path / "d.npz", models, (4, 6), fitted=found)
    read = direction.load_directions(tmp_path / "d.npz", "fitted")
    assert read.shape == (4, 6) and read.repeat == 1 and set(read.by_fold) == {1, 2}
    assert np.array_equal(read.by_fold[2].step, found[1].step)
    assert read.mean.sd == 3


def test_folds_without_a_model_are_left_out(tmp_path):
    fit = vars(Fit.missing(2, 1, np.array([1.0])))
    fit |= {"train_ids": np.array(["a", "b"]), "test_ids": np.array(["c"]), "fold": 2}
    fold_fit(**fit).save(tmp_path / "1.npz")
    fit |= {"inner_oof_risk": np.array([1.0, 3.0]), "coefficients": np.ones(3)}
    fold_fit(**fit).save(tmp_path / "2.npz")
    (model,) = direction.read_models([tmp_path / "1.npz", tmp_path / "2.npz"])
    assert (model.fold, model.sd) == (2, 1.0)
    with pytest.raises(InputError, match="too few events"):
        direction.read_models([tmp_path / "1.npz"])


def test_cosine_of_pairs():
    assert direction.mean_cosine(np.array([[1.0, 0], [0, 2], [3, 0]])) == pytest.approx(1 / 3)
    assert np.isnan(direction.mean_cosine(np.ones((1, 2))))
