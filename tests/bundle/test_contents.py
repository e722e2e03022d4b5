"""Arrays of a bundle by hand."""

import json

import numpy as np
import pandas as pd

from facies.bundle.contents import model_arrays, photo_arrays, read_refit
from facies.bundle.schema import MEASURES


def test_models_are_named_by_their_features(tmp_path):
    card = json.dumps({"chosen": {"l2": 1}, "encoder": []})
    arrays = {"model.hazard": np.arange(3.0), "model.encoder.kept": np.array([1])}
    np.savez(tmp_path / "m.npz", ids=["a", "b"], risk=[1.0, 3.0], card=card, **arrays)
    refit = read_refit(tmp_path / "m.npz")
    assert refit.ids.tolist() == ["a", "b"] and refit.card["chosen"] == {"l2": 1}
    found = model_arrays({"clinical": refit})
    assert list(found) == [
        "clinical.hazard",
        "clinical.encoder.kept",
        "clinical.risk.mean",
        "clinical.risk.sd",
    ]
    assert (found["clinical.risk.mean"][0], found["clinical.risk.sd"][0]) == (2, 1)


def test_moments_are_over_patients_not_photos(tmp_path):
    ids = np.array(["1", "2", "3"])
    photos = pd.DataFrame({"photo_id": ids, "patient_id": ["a", "a", "b"]})
    values = np.array([0.0, 2, 5], np.float32)  # patients' means are 1 and 5
    latents = {name: values for name in MEASURES["latents"]}
    codes = np.repeat(values, 4).reshape(3, 2, 2)
    np.savez(tmp_path / "l.npz", photo_ids=ids, codes=codes, **latents)
    table = pd.DataFrame({name: values for name in MEASURES["aligned"]}, index=ids)
    found = photo_arrays(tmp_path / "l.npz", table, photos, ["a", "b"])
    assert found["codes.mean"].tolist() == [3] * 4 and found["codes.sd"].tolist() == [2] * 4
    count = sum(map(len, MEASURES.values()))
    assert found["measures.mean"].tolist() == [3] * count
    assert found["measures.sd"].tolist() == [2] * count
