"""A bundle leaves the house without its patients, and says elsewhere what it said at home."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors import safe_open
from tiny import PATIENTS, snakemake

from facies.bundle import load_bundle, read_card
from facies.errors import InputError

BUNDLE = "results/bundle/bundle.safetensors"


@pytest.fixture(scope="module")
def home(road, tmp_path_factory):
    """The tiny cohort's workflow with its bundle."""
    folder = shutil.copytree(road, tmp_path_factory.mktemp("home") / "copy")
    run = snakemake(folder, "bundle")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def abroad(home, tmp_path_factory):
    """Another hospital with the same patients, who went under no checks, and no store."""
    folder = shutil.copytree(home, tmp_path_factory.mktemp("abroad") / "copy")
    shutil.move(folder / BUNDLE, folder / "bundle.safetensors")
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "store")
    ask(folder)
    run = snakemake(folder, "predict")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def ask(folder, **changes):
    section = {"bundle": "bundle.safetensors", "photos": "photos.csv", "folder": "photos"}
    section |= {"patients": "patients.csv", "time": "months", "event": "event", "shards": 3}
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    # The settings of the bundle count, not those of the config.
    config |= {"predict": section | changes, "projection": {"steps": 1}, "resolution": 64}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize("features", ["face", "clinical", "fused"])
def test_the_risks_of_the_cohort_come_back(home, abroad, features):
    with np.load(home / f"results/bundle/{features}.npz") as model:
        expected = pd.Series(model["risk"], model["ids"])
    table = pd.read_csv(abroad / "results/predict/predictions.csv", dtype={"patient_id": str})
    found = table[table.features == features].set_index("patient_id")
    assert set(expected.index) <= set(found.index)
    assert np.abs(found.risk.loc[expected.index] - expected).max() < 1e-6
    assert expected.std() > 1e-4 or features == "face"
    survival = found.filter(like="survival_at_").to_numpy()
    assert (np.diff(survival, axis=1) <= 0).all() and (survival > 0).all() and (survival <= 1).all()


def test_nobody_is_in_the_bundle(home):
    raw = (home / BUNDLE).read_bytes()
    ids = pd.read_csv(home / "patients.csv", dtype=str).patient_id
    assert len(ids) == PATIENTS
    with safe_open(home / BUNDLE, "numpy") as file:
        words = json.loads(file.metadata()["card"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert not any(f'"{patient}"' in json.dumps(words) for patient in ids)
    assert b"photos.csv" not in raw and str(home).encode() not in raw
    models = {
        name: value
        for name, value in tensors.items()
        if name.split(".")[0] in ("face", "clinical", "fused", "codes", "measures")
    }
    # No array has an entry per patient or photo, and none is a patient's row.
    used = words["cohort"]["patients"], words["cohort"]["photos"], PATIENTS
    assert not [name for name, value in models.items() if set(value.shape) & set(used)]
    with np.load(home / "results/latents/cohort/full.npz") as latents:
        rows = latents["codes"].reshape(len(latents["codes"]), -1)
    for value in (v for v in models.values() if v.shape == rows.shape[1:]):
        assert not np.isclose(rows, value).all(1).any()
    # The baseline tells of twenty equal intervals, not of the times of deaths.
    grid = np.concatenate([[0.0], models["face.times"]])
    assert len(grid) == 21 and np.allclose(np.diff(grid), grid[1])


def test_the_card_says_how_good_the_models_were(home):
    summary = json.loads((home / "results/evaluation/summary.json").read_text())
    face = next(row for row in summary["scores"] if row["features"] == "face")
    card = load_bundle(home / BUNDLE).card
    assert card["models"]["face"]["scores"]["c_index"] == face["c_index"]
    words = (home / "results/bundle/card.md").read_text()
    assert card["digest"] in words and f"| {face['c_index']:.3f} (" in words
    assert "Not a medical device" in words


def test_same_patients_do_not_drift(abroad):
    result = json.loads((abroad / "results/predict/validation.json").read_text())
    drift = result["drift"]
    # In what an untrained generator draws no face is found: no landmark drifts.
    found = [row for row in drift["measures"] if row["difference"] is not None]
    assert {"sharpness", "psnr", "log-risk, clinical"} <= {row["measure"] for row in found}
    assert all(row["low"] < 0 < row["high"] for row in found)
    assert drift["codes"]["shift"] < drift["codes"]["by_chance"]
    excluded = {row.get("photo_id", row.get("patient_id")) for row in result["excluded"]}
    assert "005" in excluded  # a damaged photo
    face = result["validation"]["face"]
    assert face["patients"] == 22  # without 005, and 007 who has no outcome
    # Breslow's baseline of a cohort expects as many deaths as there were.
    clinical = result["validation"]["clinical"]
    assert clinical["expected"] == pytest.approx(clinical["observed"], rel=0.25)
    assert clinical["c_index_low"] <= clinical["c_index"] <= clinical["c_index_high"]


def test_a_changed_bundle_is_refused_in_one_message(abroad, tmp_path):
    folder = shutil.copytree(abroad, tmp_path / "copy")
    whole = (folder / "bundle.safetensors").read_bytes()
    (folder / "bundle.safetensors").write_bytes(whole[:-4] + b"\x00\x00\x01\x00")
    with pytest.raises(InputError, match="changed after it was written"):
        load_bundle(folder / "bundle.safetensors")
    run = snakemake(folder, "predict")
    assert run.returncode != 0
    assert "check_bundle: bundle.safetensors: changed after" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    (folder / "bundle.safetensors").write_bytes(b"\x80\x02}.")
    with pytest.raises(InputError, match="no bundle of this workflow"):
        read_card(folder / "bundle.safetensors")


def test_another_version_is_refused(abroad, tmp_path):
    folder = shutil.copytree(abroad, tmp_path / "copy")
    module = folder / "workflow/scripts/facies/perceptual.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    run = snakemake(folder, "predict")
    assert run.returncode != 0
    assert "does otherwise in: projection" in run.stdout + run.stderr
