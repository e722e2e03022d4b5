"""A planted truth against the health scores of two folds."""

import numpy as np
import pandas as pd
import pytest

from facies.demo.portraits import HEALTH
from facies.explanation.direction import FoldModel, learn_direction
from facies.explanation.recovery import recovery


def test_planted_hazard_is_recovered_and_noise_is_not():
    random = np.random.default_rng(0)
    ids, n = [f"p{i:03d}" for i in range(200)], 200
    hazard, shown = random.normal(size=n), random.normal(size=12)
    values = np.outer(hazard, shown) + 0.3 * random.normal(size=(n, 12))
    index = pd.MultiIndex.from_arrays([ids, [f"{i}-1" for i in ids]])
    codes = pd.DataFrame(values, index=index.set_names(["patient_id", "photo_id"]))
    truth = pd.DataFrame({name: random.random(n) for name in HEALTH}, index=ids)
    truth["log_hazard_face"] = hazard
    portraits = pd.DataFrame({"warmth": random.random(n), "seed": 1}, index=index.levels[1])
    models, directions = [], []
    for fold in (1, 2):
        held = np.arange(n) % 2 == fold - 1
        names = np.array(ids)
        beta = shown / (shown @ shown)
        models.append(FoldModel(1, fold, beta, 1.0, names[~held], names[held]))
        directions.append(learn_direction(beta, values[~held], 1.0))
    found = recovery(truth, portraits, models, directions, codes, 1)
    planted = {row["name"]: row["value"] for row in found["planted"]}
    assert planted["log_hazard_face"] < -0.95  # health falls where hazard rises
    assert abs(planted[HEALTH[0]]) < 0.3
    assert [row["name"] for row in found["nuisance"]] == ["warmth"]  # not the seed
    assert found["chance"]["count"] == 1
    assert found["cosine"]["value"] > 0.95
    assert found["cosine"]["low"] <= found["cosine"]["value"] <= found["cosine"]["high"]
    assert found["cosine"]["value"] == pytest.approx(1, abs=0.05)
