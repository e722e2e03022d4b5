import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

import finetune_generator
from facies.common.errors import InputError
from facies.generator import tuning
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.evaluator import GeneratorEvaluator
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.generator.training import Trainer

OUTPUTS = ("generator.safetensors", "log.csv", "samples.png", "quality.json", "closest.npz")
SETTINGS = {"kimg": 0.08, "batch": 4, "noise": "random", "freeze_d": 0, "precision": "float32"}
SMALL = {"channel_base": 64, "channel_max": 8}


@pytest.fixture
def tune(tmp_path):
    """Run the rule's script on random photos; returns the bytes of its outputs."""
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, mapping_layers=1, **SMALL)
    networks = {"generator": generator, "discriminator": Discriminator(16, **SMALL)}
    networks["encoder"] = Encoder(generator.num_ws, 8, 16, **SMALL)
    save_networks(tmp_path / "start.safetensors", networks)

    del networks["encoder"]
    save_networks(tmp_path / "foreign.safetensors", networks)
    perception = Discriminator(16, outputs=3, mbstd=False, **SMALL)
    save_networks(tmp_path / "perception.safetensors", {"perception": perception})

    def run(photos=24, pretrained="start", generator="cohort", tested=(), black=(), **changes):
        images = np.random.default_rng(0).integers(0, 256, (photos, 16, 16, 3), np.uint8)
        ids = np.array([f"P{i:03d}" for i in range(photos)])
        images[np.isin(ids, black)] = 0
        np.savez(tmp_path / "photos.npz", images=images, photo_ids=ids, patient_ids=ids)
        params = {
            "settings": SETTINGS,
            "seed": 1,
            "store": tmp_path / "store",
            "tuned_for": ["results"],
            "gpus": 1,
            "at_once": 32,
            "code": "",
        }
        folds = {"patient_id": ids, "repeat": 1, "fold": np.where(np.isin(ids, tested), 2, 1)}
        pd.DataFrame(folds).to_csv(tmp_path / "folds.csv", index=False)
        job = SimpleNamespace(
            threads=1,
            input=SimpleNamespace(
                photos=tmp_path / "photos.npz",
                pretrained=tmp_path / f"{pretrained}.safetensors",
                perception=tmp_path / "perception.safetensors",
                folds=[] if generator == "cohort" else tmp_path / "folds.csv",
            ),
            wildcards=SimpleNamespace(generator=generator),
            output=[tmp_path / name for name in OUTPUTS],
            params=SimpleNamespace(**(params | changes)),
        )
        finetune_generator.main(job)
        return [path.read_bytes() for path in job.output]

    return run


def test_later_photos_find_the_generator_that_was_tuned_first(tune):
    first = tune(photos=24)
    assert tune(photos=25) == first
    assert tune(photos=25, tuned_for=["results", 2])[0] != first[0]


TESTED = ["P001", "P004", "P007"]


def test_a_fold_s_generator_never_sees_a_photo_of_its_test_patients(tune, tmp_path, monkeypatch):
    read, load_photos = [], tuning.load_photos
    monkeypatch.setattr(tuning, "load_photos", lambda run: read.append(load_photos(run)) or read[0])
    own = tune(generator="fold-2", tested=TESTED)
    assert set(read[0]["photo_ids"]) == {f"P{i:03d}" for i in range(24)} - set(TESTED)
    assert len(read[0]["images"]) == len(read[0]["patient_ids"]) == 21
    fold = {"generator": "fold-2", "tested": TESTED, "store": tmp_path / "other"}
    monkeypatch.setattr(tuning, "load_photos", load_photos)
    assert tune(black=TESTED, **fold) == own
    assert tune(black=["P002"], **fold | {"store": tmp_path / "third"}) != own


def test_a_fold_with_other_test_patients_gets_another_generator(tune):
    short = {"generator": "fold-2", "settings": SETTINGS | {"kimg": 0.008}}
    own = tune(tested=TESTED, **short)
    assert tune(tested=["P001", "P004", "P008"], **short) != own
    assert tune(tested=TESTED, **short) == own


def test_same_seed_same_bytes(tune, tmp_path):
    assert tune() == tune(store=tmp_path / "other")


def test_a_killed_run_goes_on_to_the_same_bytes(tune, tmp_path, monkeypatch):
    whole = tune(store=tmp_path / "other")
    save, saved = tuning.Record.save, []

    def dies_after_three_ticks(*arguments):
        save(*arguments)
        saved.append(1)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(tuning.Record, "save", dies_after_three_ticks)
        tune()
    (left,) = (tmp_path / "store" / "generator").iterdir()
    assert left.suffix == ".state"
    steps = []
    with monkeypatch.context() as watched:
        step = Trainer.step
        watched.setattr(Trainer, "step", lambda *a: steps.append(1) or step(*a))
        assert tune() == whole
    assert len(steps) == 17  # of twenty
    assert [path.suffix for path in (tmp_path / "store" / "generator").iterdir()] == [""]


def test_a_killed_run_does_not_go_on_with_other_photos(tune, tmp_path, monkeypatch):
    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(tuning, "write", dies)
        tune(photos=24)
    assert tune(photos=25) == tune(photos=25, store=tmp_path / "other")


def test_the_state_nearest_to_held_out_photos_is_kept(tune, tmp_path, monkeypatch):
    def measured(*values):
        found = iter(values)
        monkeypatch.setattr(
            GeneratorEvaluator, "_distances", lambda *_: {"frechet": next(found), "kernel": 0.0}
        )

    measured(5.0, 4.0, 2.0, *[3.0] * 18, 1.0)  # start, ticks of four photos, training photos
    kept = tune()[0]
    assert json.loads((tmp_path / "quality.json").read_text())["kept_kimg"] == 0.008
    measured(3.0, 2.0, 1.0, 0.0)
    assert kept == tune(settings=SETTINGS | {"kimg": 0.008})[0]


def test_a_tenth_of_the_patients_is_held_out_with_all_their_photos():
    patients = np.repeat([f"P{i}" for i in range(40)], 3)
    held = tuning.hold_out(patients, seed=0)
    assert held.sum() == 12
    assert len(np.unique(patients[held])) == 4
    assert not set(patients[held]) & set(patients[~held])


def test_a_batch_that_gpus_cannot_share_is_refused(tune, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    with pytest.raises(InputError, match="generator.batch: a batch of 4 photos on 3 GPUs"):
        tune(gpus=3)


def test_a_checkpoint_without_encoder_gets_one(tune, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "TEACH_KIMG", 0.02)
    tune(pretrained="foreign")
    load_networks(tmp_path / "generator.safetensors", "encoder")
