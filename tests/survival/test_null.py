"""The leak detector of benchmarks/null.py in small: ridge Cox and its fusions, a few cohorts."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import null

from facies.survival.models import MODELS


def test_noise_is_worth_half(monkeypatch):
    monkeypatch.setattr(null, "COLUMNS", 300)
    monkeypatch.setattr(null, "PATIENTS", 120)
    scores = [null.mean_scores(seed, {"coxph": MODELS["coxph"]})[0] for seed in range(6)]
    assert set(scores[0]) == {"coxph", "clinical alone", *null.FUSED}
    for name in scores[0]:
        assert abs(np.mean([own[name] for own in scores]) - 0.5) < 0.05, name
