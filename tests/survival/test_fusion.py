"""Fusion of face and clinical data: a planted truth, and the files of a fold."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from names import Names

import fit_model
import split_patients
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.fits import Fit

N, FOLDS = 160, 3
SETTINGS = {"seed": 1, "folds": FOLDS, "repeats": 2, "inner_folds": 4}
SETTINGS |= {"clinical": ["age"], "photos": "mean_code"}


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """Half of the hazard shows in the face, half of it in the age."""
    root = tmp_path_factory.mktemp("fusion")
    rng = np.random.default_rng(0)
    traits, age = rng.normal(size=(N, 8)), rng.normal(65, 10, N)
    time = 20 * rng.exponential(size=N) * np.exp(-traits[:, 0] - (age - 65) / 10)
    limit = 40 * rng.exponential(size=N)
    ids = np.array([f"{i:03d}" for i in range(N)])
    patients = {"patient_id": ids, "time": np.minimum(time, limit), "event": time <= limit}
    patients = pd.DataFrame(patients | {"age": age}).astype({"event": int})
    patients.to_csv(root / "patients.csv", index=False)
    photos = pd.DataFrame({"photo_id": ids, "patient_id": ids, "path": ids})
    photos.to_csv(root / "photos.csv", index=False)
    photos.assign(used=1).to_csv(root / "full.csv", index=False)
    codes = traits @ rng.normal(size=(8, 120)) + rng.normal(size=(N, 120))
    np.savez(root / "codes.npz", photo_ids=ids, codes=codes.reshape(N, 6, 20))
    run(split_patients, root, {"aligned": root / "full.csv"}, {"folds": root / "folds.csv"})
    return root


def run(script, root, inputs, outputs, settings=SETTINGS, **wildcards):
    tables = {name: root / f"{name}.csv" for name in ("photos", "patients", "folds")}
    wildcards = Names(generator="cohort", view="full", model="coxph", **wildcards)
    params = Names(settings=settings)
    script.main(
        SimpleNamespace(
            input=Names({**tables, **inputs}),
            output=Names(outputs),
            params=params,
            wildcards=wildcards,
            log=[root / "log"],
            threads=1,
        )
    )


def fit(root, features, inputs, fold, fusion="stack", repeat=1):
    output = root / f"{features}-{fusion}-{repeat}-{fold}.npz"
    names = {"features": features, "repeat": str(repeat), "fold": str(fold)}
    settings = SETTINGS | {"fusion": fusion}
    run(fit_model, root, {"features": inputs}, {"fit": output}, settings, **names)
    return output


def scores(root, paths):
    outcomes = pd.read_csv(root / "patients.csv", dtype={"patient_id": str}).set_index("patient_id")
    found = []
    for path in paths:
        made = np.load(path)
        found.append(c_index(Outcome.of(outcomes.loc[made["test_ids"]]), made["test_risk"]))
    return np.array(found)


@pytest.fixture(scope="module")
def alone(road):
    """Fits of the face and of the age, by fold."""
    numbers = range(1, FOLDS + 1)
    face = [fit(road, "face", [road / "codes.npz"], fold) for fold in numbers]
    return face, [fit(road, "clinical", [], fold) for fold in numbers]


@pytest.mark.parametrize("fusion", ["stack", "joint", "average"])
def test_both_together_know_more_than_each(road, alone, fusion):
    face, clinical = alone
    inputs = {
        "stack": [[path] for path in face],
        "joint": [[road / "codes.npz"]] * FOLDS,
        "average": list(zip(face, clinical, strict=True)),
    }[fusion]
    fused = [fit(road, "fused", inputs[k], k + 1, fusion) for k in range(FOLDS)]
    own = scores(road, fused).mean()
    assert own > max(scores(road, face).mean(), scores(road, clinical).mean()) + 0.03
    made = np.load(fused[0])
    assert made["survival"].shape == (len(made["test_ids"]), len(made["times"]))
    assert np.corrcoef(made["test_risk"], made["survival"][:, -1])[0, 1] < -0.8


def test_average_counted_by_hand():
    times = np.array([1.0])
    one = Fit({}, np.array([0.0, 2]), np.array([3.0]), times, np.array([[0.2]]))
    two = Fit({}, np.array([10.0, 30]), np.array([10.0]), times, np.array([[0.6]]))
    made = Fit.average([one, two])
    # Means 1 and 20, deviations 1 and 10: (3 - 1) / 1 = 2 and (10 - 20) / 10 = -1.
    assert made.test_risk.tolist() == [0.5] and made.inner_oof_risk.tolist() == [-1, 1]
    np.testing.assert_allclose(made.survival, [[0.4]])


def test_repeats_assign_the_patients_anew(road):
    first, second = (np.load(fit(road, "clinical", [], 1, repeat=repeat)) for repeat in (1, 2))
    assert set(first["test_ids"]) != set(second["test_ids"])
    assert (first["repeat"], second["repeat"]) == (1, 2)
