"""The training and the test of benchmarks/covered.py in small, on rendered portraits."""

import sys

import numpy as np
import pytest
import torch
from face_models import needs_models
from PIL import Image
from tiny import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import covered

from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render


@pytest.fixture
def folder(tmp_path):
    for i, portrait in enumerate(pretraining_portraits(50, 4)):
        Image.fromarray(render(portrait)[0]).save(tmp_path / f"{i}.png")
    return tmp_path


@needs_models
def test_weights_are_learned_from_a_folder(folder, monkeypatch):
    monkeypatch.setattr(covered, "WEIGHTS", folder / "weights.npz")
    monkeypatch.setattr(covered, "pretraining_portraits", lambda *_: pretraining_portraits(60, 2))
    seen = []
    monkeypatch.setattr(covered, "fit", lambda *parts: seen.append(parts) or {"hidden": np.ones(1)})
    covered.train(folder)
    activations, hidden, oval = seen[0]
    # Half of the folder and the rendered ones, each with every cover in which a face is found.
    assert 2 * len(covered.SHOWN) < len(activations) <= 4 * len(covered.SHOWN)
    assert activations.shape[1:] == (576, 12, 12)
    inside = (hidden * oval).sum((1, 2)) / oval.sum((1, 2))
    assert inside.min() < 0.02 and 0.3 < inside.max() < 1
    assert np.load(folder / "weights.npz")["hidden"] == 1


@needs_models
def test_the_table_counts_what_is_found(folder, capsys):
    covered.test(covered.photographs(folder))
    rows = {row.split(" | ")[0].strip("| "): row for row in capsys.readouterr().out.splitlines()}
    assert rows["plain"] == "| plain | 4 | 0.0% (0.0% to 49.0%) | 0.0% |"
    assert rows["mask"].startswith("| mask | 4 | 100.0% (51.0% to 100.0%) |")
    assert set(rows) == {*covered.HARMLESS, *covered.COVERS, "cut"}


def test_the_channel_that_tells_of_covers_is_found():
    activations = torch.randn(800, 6, 12, 12, generator=torch.Generator().manual_seed(0))
    hidden = (activations[:, 2] > 0.5).float()
    weights = covered.fit(activations, hidden, torch.ones(800, 12, 12))
    inner = np.tensordot(weights["hidden"], activations.numpy(), (1, 1))
    inner = np.maximum(inner + weights["hidden_bias"][:, None, None, None], 0)
    told = np.tensordot(weights["output"], inner, 1) + weights["output_bias"] > 0
    assert (
        told == hidden.numpy()
    ).mean() > 0.94  # after a hundred steps; the more frequent answer is right for .69
