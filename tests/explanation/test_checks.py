"""Checks of edits: planted slopes and known identities."""

import json

import numpy as np
import pandas as pd
import pytest

from facies.explanation import checks


def test_slope_and_order_of_recovered_risks():
    risks = np.array([[-2.0, -1, 0, 1, 2], [-1, -0.5, 0, 0.5, 1], [-2, 0, -1, 1, 2]])
    assert checks.slopes(risks).tolist() == [1, 0.5, 0.9]
    assert checks.slopes(risks + 7) == pytest.approx(checks.slopes(risks))
    assert checks.monotone(risks).tolist() == [True, True, False]


def test_identity_is_measured_against_other_people():
    own = np.array([[0.0, 0], [4, 0], [0, 3]])  # distances 4, 3 and 5: the median is 4
    features = np.repeat(own[:, None], 3, axis=1)
    features[0, 0] += [1, 0]
    features[0, 2] += [3, 0]  # nearer to the second person
    distance, recognised = checks.identity(features)
    assert distance == pytest.approx([2 / 4, 0, 0])
    assert recognised.tolist() == [False, True, True]


def test_scores_are_those_of_the_fits_and_patients_stay_unseen(road):
    folder = road / "results/explanation"
    health = pd.read_csv(folder / "health.csv", dtype={"patient_id": str}).set_index("patient_id")
    for fold in (1, 2):
        with np.load(road / f"results/fits/cohort/full/face/coxph/1-{fold}.npz") as fit:
            found = -health.health[fit["test_ids"]]
            assert found.to_numpy() == pytest.approx(fit["test_risk"], rel=1e-3, abs=1e-5)
    names = {path.name for path in folder.iterdir()}
    assert {"edits.json", "walks.webp", "attribution.json"} <= names
    assert not any(name.startswith("patients") for name in names)
    found = json.loads((folder / "edits.json").read_text())
    assert 0 < found["faces"] <= 24 and len(found["risk"]) == 5
    report = (road / "results/report.html").read_text()
    assert "image/webp" in report and "edited by models fitted without them" not in report
