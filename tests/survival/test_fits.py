import numpy as np
import pandas as pd
from fits import fold_fit

from facies.survival.fits import Fit, FoldFit, by_key


def some_fit(**given):
    fit = Fit({"penalty": 2.0}, np.array([0.5, 1.5]), np.array([3.0]), np.array([1.0, 2.0]), None)
    parts = vars(fit) | {"survival": np.array([[0.9, 0.8]])}
    ids = {"train_ids": np.array(["a", "b"]), "test_ids": np.array(["c"])}
    return fold_fit(**parts | ids | given)


def test_a_fit_comes_back_from_its_file(tmp_path):
    fit = some_fit(repeat=2, fold=3, coefficients=np.array([1.0, -1.0]))
    fit.save(tmp_path / "fit.npz")
    again = FoldFit.load(tmp_path / "fit.npz")
    assert again.key == ("face", "full", "cohort", "coxph")
    assert (again.repeat, again.fold, again.reason) == (2, 3, "")
    assert again.chosen == {"penalty": 2.0} and again.train is again.test is None
    for name in ("inner_oof_risk", "test_risk", "times", "survival", "coefficients", "test_ids"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fit, name))


def test_outcomes_are_joined_by_patient_and_stand_in_no_file(tmp_path):
    some_fit().save(tmp_path / "fit.npz")
    with np.load(tmp_path / "fit.npz") as file:
        assert not {"train", "test", "coefficients"} & set(file)
    patients = {"patient_id": ["c", "b", "a"], "time": [3.0, 2.0, 1.0], "event": [1, 0, 1]}
    fit = FoldFit.load(tmp_path / "fit.npz", pd.DataFrame(patients))
    assert fit.train.time.tolist() == [1, 2] and fit.train.event.tolist() == [True, False]
    assert fit.test.time.tolist() == [3] and fit.coefficients is None


def test_a_fold_without_a_model_is_not_a_number():
    fit = Fit.missing(3, 2, np.array([1.0, 2.0]))
    assert fit.inner_oof_risk.shape == (3,) and fit.test_risk.shape == (2,)
    assert fit.survival.shape == (2, 2) and np.isnan(fit.survival).all()


def test_fits_stand_by_key_repeat_and_fold():
    places = [(2, 1), (1, 2), (1, 1)]
    fits = [fold_fit(repeat=repeat, fold=fold) for repeat, fold in places]
    groups = by_key([*fits, fold_fit(features="clinical")])
    assert [key[0] for key in groups] == ["clinical", "face"]
    face = groups["face", "full", "cohort", "coxph"]
    assert [(fit.repeat, fit.fold) for fit in face] == [(1, 1), (1, 2), (2, 1)]
