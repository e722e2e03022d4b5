"""Variance shares, layers, nuisances and rules by hand, and the verdict on three known cohorts."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import portrait_cohorts
from fits import fold_fit

import weigh_nuisance
from facies.cohort import columns
from facies.reliance import verdict
from facies.survival.fits import Fit

DOCS = Path(__file__).parents[2] / "docs" / "reliance.md"


def words_of(found):
    return {row["test"]: row["verdict"] for row in found["tests"]}


def test_the_planted_cohort_passes():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.planted())
    assert found["verdict"] == "pass", found["tests"]
    assert found["views"]["face"]["value"] > 0.7 > 0.6 > found["views"]["background"]["value"]
    lost = {
        cover["region"]: cover["inpainted"]["variance_lost"]["value"] for cover in found["covers"]
    }
    assert lost["face"] > 0.8 > 0.4 > lost["background"]


def test_the_confounded_cohort_fails_and_the_background_is_named():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.confounded())
    assert found["verdict"] == "fail"
    failed = {test for test, word in words_of(found).items() if word == "fail"}
    assert {"background alone", "face covered", "background covered"} <= failed
    assert {"face alone", "backgrounds swapped", "beyond nuisance"} <= failed
    assert words_of(found)["whole photo"] == "pass"  # the model is good: for the wrong reason
    assert found["swap"]["background"]["value"] > 0.9
    assert any(
        "background" in row["sentence"] for row in found["tests"] if row["verdict"] == "fail"
    )


def test_in_the_null_cohort_no_view_beats_chance():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.null())
    assert not any(verdict.beats_chance(score) for score in found["views"].values())
    assert found["verdict"] == "warn"
    words = words_of(found)
    assert "fail" not in words.values()
    # A model without signal passes nothing.
    assert "pass" not in words.values()
    judged = {test for test, word in words.items() if word == "warn"}
    assert judged == {"whole photo", "face alone", "beyond nuisance"}


def test_nuisances_of_a_patient():
    table = pd.DataFrame(
        {"photo_id": list("abc"), "x": [1.0, 2, 3], "camera": ["A", "B", "B"], "no": [np.nan] * 3}
    )
    photos = pd.DataFrame({"photo_id": list("abc"), "patient_id": list("112")})
    found = columns.per_patient(table, photos, ["2", "1"])
    assert found.x.tolist() == [3, 1.5] and found.camera.tolist() == ["B", "A"]
    assert list(found) == ["x", "camera"]


def test_a_fold_with_too_few_deaths_for_a_model_leaves_the_nuisances_unscored(tmp_path):
    n = 24
    ids = np.array([f"{i:02d}" for i in range(n)])
    fold, rng = np.tile([1, 2], n // 2), np.random.default_rng(0)
    tables = {
        "patients": {"patient_id": ids, "time": np.arange(1.0, n + 1), "event": [0] * 23 + [1]},
        "folds": {"patient_id": ids, "repeat": 1, "fold": fold},
        "photos": {"photo_id": ids, "patient_id": ids},
        "nuisance": {"photo_id": ids, "log_sharpness": rng.normal(size=n)},
    }
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
    for k in (1, 2):
        train, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        missing = vars(Fit.missing(len(train), len(held), np.arange(1.0, 4)))
        parts = {"train_ids": ids[train], "test_ids": ids[held], "reason": "too few"}
        fold_fit(fold=k, **missing, **parts).save(tmp_path / f"{k}.npz")
    inputs = {name: tmp_path / f"{name}.csv" for name in tables}
    settings = {"seed": 1, "inner_folds": 2, "clinical": []}
    weigh_nuisance.main(
        SimpleNamespace(
            input=SimpleNamespace(**inputs, fits=[tmp_path / "1.npz", tmp_path / "2.npz"]),
            output=SimpleNamespace(nuisance=tmp_path / "found.json"),
            params=SimpleNamespace(settings=settings),
        )
    )
    found = json.loads((tmp_path / "found.json").read_text())
    assert all(
        found[name]["value"] is None for name in ("nuisance", "baseline", "with_face", "gain")
    )
