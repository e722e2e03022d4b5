"""Codes of patients, and C by view."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from facies.reliance import controls
from facies.statistics.outcome import Outcome
from facies.survival.designs import patient_codes


def test_codes_of_a_patient_are_the_mean_of_the_photos():
    latents = {"photo_ids": np.array(["a", "b", "c"]), "codes": np.arange(6.0).reshape(3, 1, 2)}
    photos = pd.DataFrame({"photo_id": ["a", "b", "c"], "patient_id": ["1", "2", "1"]})
    assert patient_codes(latents, photos, np.array(["2", "1"])).tolist() == [
        [2, 3],
        [2, 3],
    ]
    assert patient_codes(latents, photos, np.array(["2"])).tolist() == [[2, 3]]


def test_c_is_given_for_each_view_in_the_order_of_the_config():
    outcome = Outcome(np.array([1.0, 2, 3]), np.ones(3, bool))

    def fit(view, fold, risk):
        key, risk = ("face", view, "cohort", "coxph"), np.array(risk, float)
        return SimpleNamespace(
            key=key, fold=fold, repeat=1, test=outcome, train=outcome, test_risk=risk
        )

    fits = [fit("face", 1, [3, 2, 1]), fit("face", 2, [1, 2, 3])]
    fits += [fit("full", 1, [3, 2, 1]), fit("full", 2, [3, 2, 1])]
    rows = controls.c_by_view(fits, ["full", "face"])
    assert list(rows) == ["full", "face"]
    assert (rows["full"]["value"], rows["face"]["value"]) == pytest.approx((1, 0.5))
