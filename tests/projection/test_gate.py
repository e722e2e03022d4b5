import json
import shutil
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from names import Names
from tiny import PATIENTS, snakemake

import gate_photos
from facies.common.errors import InputError
from facies.projection.gate import MEASURES, NO_FACE, Gate, quality_control, worst_of_each

MOVED = "reconstruction: eyes and mouth moved by more than 5 % of the crop"
GATE = Gate(action="leave out", psnr_face=18.0, landmark_drift=0.05)
DIM = "reconstruction: less than 18 dB inside the face"


def measures(psnr_face, drift):
    ids = [f"{i:03d}" for i in range(len(psnr_face))]
    return pd.DataFrame({"photo_id": ids, "psnr_face": psnr_face, "landmark_drift": drift})


def test_reasons_by_hand():
    assert GATE.reason(18.0, 0.05) is None
    assert GATE.reason(30.0, float("nan")) == NO_FACE
    assert GATE.reason(17.9, 0.051) == MOVED
    assert GATE.reason(17.9, 0.0) == DIM
    blind = replace(GATE, landmark_drift=None)
    assert blind.reason(30.0, float("nan")) is None and blind.reason(10.0, 0.9) == DIM
    assert replace(GATE, psnr_face=None).reason(-5.0, 0.0) is None


def test_photos_that_fail_are_left_out_or_listed():
    rows = measures([30, 10, 30], [0.01, 0.01, np.nan])
    left, kept = quality_control(rows, GATE), quality_control(rows, replace(GATE, action="keep"))
    assert left.reason.tolist() == kept.reason.tolist() == [None, DIM, NO_FACE]
    assert left.used.tolist() == [1, 0, 0] and kept.used.tolist() == [1, 1, 1]


def test_a_patient_is_as_good_as_the_worst_photo_in_use():
    table = measures([30.0, 20.0, 10.0, 25.0], 0.0).assign(used=[1, 1, 0, 1])
    photos = table[["photo_id"]].assign(patient_id=["a", "a", "a", "b"])
    assert worst_of_each(table, photos).to_dict() == {"a": 20.0, "b": 25.0}


def run(folder, psnr_face, gate):
    """The rule's script on photos 000 .. of patients a, a, b."""
    n = len(psnr_face)
    columns = {name: np.full(n, 0.01, np.float32) for name in MEASURES}
    columns["psnr_face"] = np.array(psnr_face, np.float32)
    ids = np.array([f"{i:03d}" for i in range(n)])
    np.savez(folder / "latents.npz", photo_ids=ids, steps=np.full(n, 3), **columns)
    photos = pd.DataFrame({"photo_id": ids, "patient_id": ["a", "a", "b"], "path": "x"})
    photos.to_csv(folder / "photos.csv", index=False)
    folds = pd.DataFrame({"patient_id": ["a", "b"], "repeat": 1, "fold": [1, 2]})
    folds.to_csv(folder / "folds.csv", index=False)
    outputs = {name: folder / f"out-{name}.csv" for name in ("table", "photos", "folds")}
    inputs = {name: folder / f"{name}.csv" for name in ("photos", "folds")}
    inputs["latents"] = folder / "latents.npz"
    params = Names(gate=asdict(GATE) | gate)
    gate_photos.main(SimpleNamespace(input=Names(inputs), output=Names(outputs), params=params))
    return {name: pd.read_csv(path, dtype=str) for name, path in outputs.items()}


def test_a_patient_whose_only_photo_fails_leaves_photos_and_folds(tmp_path):
    made = run(tmp_path, [30, 10, 10], {})
    assert made["table"].used.tolist() == ["1", "0", "0"]
    assert made["photos"].photo_id.tolist() == ["000"]
    assert made["folds"].patient_id.tolist() == ["a"]
    kept = run(tmp_path, [30, 10, 10], {"action": "keep"})
    assert len(kept["photos"]) == 3 and len(kept["folds"]) == 2


def test_a_gate_that_nobody_passes_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(InputError, match=r"none of 3 photos passes .* 18 dB .* to keep"):
        run(tmp_path, [10, 10, 10], {})


def test_the_road_goes_on_with_those_who_pass(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    listed = pd.read_csv(copy / "results/gate/table.csv", dtype={"photo_id": str})
    assert (listed.used == 1).all()
    limit = float(listed.psnr_face.sort_values().iloc[3]) + 1e-4  # four photos are below it
    config = yaml.safe_load((copy / "tiny.yaml").read_text())
    config["projection"]["gate"] = {"psnr_face": limit, "landmark_drift": None}
    config["survival"] |= {"features": ["face", "pixels"], "permutations": 1}
    (copy / "tiny.yaml").write_text(yaml.safe_dump(config))
    ran = snakemake(copy, "results/evaluation/summary.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "project_photos" not in ran.stderr  # another gate needs no other codes
    table = pd.read_csv(copy / "results/gate/table.csv", dtype={"photo_id": str})
    failed = set(table.photo_id[table.used == 0])
    assert len(failed) == 4 and set(table.photo_id[table.psnr_face < limit]) == failed
    summary = json.loads((copy / "results/evaluation/summary.json").read_text())
    cohort = set(pd.read_csv(copy / "results/cohort/photos.csv", dtype=str).photo_id)
    reasons = {row.get("photo_id"): row["reason"] for row in summary["excluded"]}
    assert all("dB inside the face" in reasons[photo] for photo in failed & cohort)
    lost = {row["patient_id"] for row in summary["excluded"] if "patient_id" in row}
    assert failed & cohort <= lost  # each patient has one photo
    assert summary["patients_used"] + len(lost) == PATIENTS
    photos = [row for row in summary["excluded"] if "photo_id" in row]
    assert summary["photos_used"] + len(photos) == PATIENTS
    for path in (copy / "results/fits").rglob("*-1.npz"):
        if path.parts[-3] in ("face", "pixels"):
            with np.load(path) as fit:
                assert not failed & {*fit["test_ids"], *fit["train_ids"]}
    measured = json.loads((copy / "results/evaluation/measures.json").read_text())
    assert measured["gate"][0]["patients"] == summary["patients_used"]
    assert measured["gate"][0]["threshold"] >= limit
