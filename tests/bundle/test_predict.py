"""A bundle leaves the house without its patients, and says elsewhere what it said at home."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors import safe_open
from tiny import PATIENTS, SURVIVAL, planned, snakemake, write_config

import predict_patients
from facies.bundle.locked import load_bundle, read_card
from facies.common.errors import InputError

BUNDLE = "results/bundle/bundle.safetensors"


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
    assert {"crop_sharpness", "psnr", "log-risk, clinical"} <= {row["measure"] for row in found}
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


def test_whoever_is_missing_in_the_sheet_is_listed(abroad, tmp_path):
    """The rule's script on a sheet without 003, and without the outcome of 004."""
    sheet = pd.read_csv(abroad / "patients.csv", dtype=str)
    sheet = sheet[sheet.patient_id != "003"]
    sheet.loc[sheet.patient_id == "004", "months"] = ""
    sheet.to_csv(tmp_path / "patients.csv", index=False)
    made = abroad / "results/predict"
    inputs = {"bundle": abroad / "bundle.safetensors", "photos": abroad / "photos.csv"}
    inputs |= {"patients": tmp_path / "patients.csv"}
    inputs |= {name: sorted((made / name).glob("*.json")) for name in ("aligned", "latents")}
    outputs = {"predictions": tmp_path / "predictions.csv", "validation": tmp_path / "found.json"}
    gate = read_card(inputs["bundle"])["photos"]["gate"]
    params = {
        "outcome": ["months", "event"],
        "columns": {},
        "gate": gate,
        "seed": 1,
        "store": abroad / "store",
    }
    job = {"input": inputs, "output": outputs, "params": params}
    predict_patients.main(
        SimpleNamespace(**{name: SimpleNamespace(**own) for name, own in job.items()})
    )
    found = json.loads(outputs["validation"].read_text())
    reasons = {
        row.get("patient_id", row.get("photo_id")): row["reason"] for row in found["excluded"]
    }
    assert reasons["003"] == "its patient is not in the patients' sheet"
    assert reasons["004"] == "months is missing: not in the validation"
    assert reasons["005"] == "no usable photo: no risk of the face"
    assert found["patients"] == PATIENTS - 1
    assert found["validation"]["clinical"]["patients"] == PATIENTS - 3  # 007 has no outcome either
    assert found["validation"]["face"]["patients"] == PATIENTS - 4
    table = pd.read_csv(outputs["predictions"], dtype={"patient_id": str})
    assert "003" not in set(table.patient_id) and {"004", "007"} <= set(table.patient_id)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": None}, "predict.time and predict.event: name both columns"),
        ({"patients": None}, "predict.patients: name the sheet with the outcome's columns"),
        ({"photos": "none.csv"}, "predict.photos: none.csv: no such file; correct the path"),
        ({"bundle": "none"}, "none: No such file or directory; set predict.bundle to a bundle"),
    ],
)
def test_what_the_config_lacks_is_refused_before_anything_runs(abroad, tmp_path, changes, words):
    folder = shutil.copytree(abroad, tmp_path / "copy")
    ask(folder, **changes)
    run = snakemake(folder, "predict", "--dry-run")
    assert run.returncode != 0 and words in run.stdout + run.stderr


def test_a_sheet_is_refused_before_its_photos_are_touched(abroad, tmp_path):
    folder = shutil.copytree(abroad, tmp_path / "copy")
    assert (folder / "results/predict/columns.csv").read_text().count("number") == 2
    sheet = pd.read_csv(folder / "patients.csv", dtype=str)
    sheet.loc[3, "age"] = "-999"
    sheet.to_csv(folder / "patients.csv", index=False)
    shutil.rmtree(folder / "results")
    run = snakemake(folder, "predict")
    words = "check_sheets: patients.csv: row 5: age holds -999"
    assert run.returncode != 0 and words in run.stdout + run.stderr
    assert "predict.columns: {age: {missing: [-999]}}" in run.stdout + run.stderr
    assert not (folder / "results/predict/aligned").exists()
    ask(folder, columns={"age": {"missing": [-999]}})
    run = snakemake(folder, "results/predict/columns.csv")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "-999 (1)" in (folder / "results/predict/columns.csv").read_text()


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
    module = folder / "workflow/scripts/facies/generator/losses.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    run = snakemake(folder, "predict")
    assert run.returncode != 0
    assert "does otherwise in: projection" in run.stdout + run.stderr


def test_the_face_is_bundled_where_the_config_fits_others_alone(home, tmp_path):
    folder = shutil.copytree(home, tmp_path / "copy")
    write_config(folder, survival=SURVIVAL | {"features": ["clinical"]})
    # What predicts needs a model of the face; what was fused is not asked for.
    shutil.rmtree(folder / "results/bundle")
    assert planned(folder, "results/bundle/bundle.safetensors")["refit_model"] == 2
