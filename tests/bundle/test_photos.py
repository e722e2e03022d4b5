"""Means over the photos of patients, and who is left out."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facies.bundle.photos import (
    DUPLICATE,
    NO_PHOTO,
    NOT_IN_SHEET,
    Usable,
    average_photos,
    usable_photos,
)
from facies.bundle.schema import MEASURES
from facies.common.errors import InputError
from facies.common.store import Store
from facies.projection.gate import Gate

PHOTOS = pd.DataFrame({"photo_id": list("12345"), "patient_id": ["a", "a", "b", "z", "c"]})
USABLE = Usable(list("1234"), np.array([[1.0], [3], [5], [9]]), np.array([[2.0], [4], [6], [9]]))

GATE = Gate(action="leave out", psnr_face=18.0, landmark_drift=0.05)


def test_photos_are_averaged_and_others_are_listed():
    codes, measures, excluded = average_photos(USABLE, PHOTOS, pd.Index(["a", "b", "c"]))
    assert codes[:2].tolist() == [[2], [5]] and np.isnan(codes[2])
    assert measures[:2].tolist() == [[3], [6]]
    assert excluded == [
        {"photo_id": "4", "reason": NOT_IN_SHEET},
        {"patient_id": "c", "reason": NO_PHOTO},
    ]


def test_photos_of_nobody_in_the_sheet_are_refused():
    with pytest.raises(InputError, match="no photo of its patients can be used"):
        average_photos(USABLE, PHOTOS, pd.Index(["x"]))


def test_the_bundle_s_gate_holds_for_other_hospitals(tmp_path):
    dim = "reconstruction: less than 18 dB inside the face"
    store, psnr = Store(tmp_path), {"clear": 30.0, "dim": 10.0, "same": 30.0}
    meta = json.dumps(dict.fromkeys(MEASURES["aligned"], 1.0))
    figures = dict.fromkeys(MEASURES["latents"], 0.01)
    for key, psnr_face in psnr.items():
        store.save("aligned", key, meta=meta)
        store.save("latents", key, codes=np.ones((2, 3)), **figures | {"psnr_face": psnr_face})
    manifests = []
    for name in ("aligned", "latents"):
        items = {key: {"key": key, "reason": None} for key in psnr}
        items["same"]["reason"] = "no face found" if name == "aligned" else None
        manifests.append(items)
    photos = pd.DataFrame({"photo_id": list(psnr), "patient_id": ["a", "b", "c"]})

    def used(gate):
        usable, excluded = usable_photos(store, *manifests, photos, replace(GATE, **gate))
        assert len(usable.codes) == len(usable.measures) == len(usable.photo_ids)
        return usable.photo_ids, {row["photo_id"]: row["reason"] for row in excluded}

    assert used({}) == (["clear"], {"dim": dim, "same": "no face found"})
    with pytest.raises(InputError, match="none of 3 photos can be used: .* 40 dB"):
        used({"psnr_face": 40})
    assert used({"action": "keep"}) == (["clear", "dim"], {"same": "no face found"})


def test_a_duplicate_of_the_same_patient_is_left_out(tmp_path):
    store, key = Store(tmp_path), {"key": "1", "reason": None}
    store.save("aligned", "1", meta=json.dumps(dict.fromkeys(MEASURES["aligned"], 1.0)))
    figures = dict.fromkeys(MEASURES["latents"], 0.01) | {"psnr_face": 30.0}
    store.save("latents", "1", codes=np.ones((2, 3)), **figures)
    photos = pd.DataFrame({"photo_id": list("123"), "patient_id": ["a", "a", "b"]})
    items = dict.fromkeys("123", key)
    usable, excluded = usable_photos(store, items, items, photos, GATE)
    assert usable.photo_ids == ["1", "3"]
    assert excluded == [{"photo_id": "2", "reason": DUPLICATE}]
