from types import SimpleNamespace

import numpy as np
import pytest
import torch

import finetune_generator
from facies.checkpoints import load_networks, save_networks
from facies.stylegan2 import Discriminator, Encoder, Generator

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

    def run(photos=8, pretrained="start", **changes):
        images = np.random.default_rng(0).integers(0, 256, (photos, 16, 16, 3), np.uint8)
        np.savez(tmp_path / "photos.npz", images=images)
        params = {
            "settings": {"kimg": 0.02, "batch": 4, "noise": "none"},
            "seed": 1,
            "store": tmp_path / "store",
            "tuned_for": ["results"],
            "code": "",
        }
        job = SimpleNamespace(
            threads=1,
            input=SimpleNamespace(
                photos=tmp_path / "photos.npz", pretrained=tmp_path / f"{pretrained}.safetensors"
            ),
            output=[tmp_path / f for f in ("generator.safetensors", "log.csv", "samples.png")],
            params=SimpleNamespace(**(params | changes)),
        )
        finetune_generator.main(job)
        return [path.read_bytes() for path in job.output]

    return run


def test_later_photos_find_the_generator_that_was_tuned_first(tune):
    first = tune(photos=8)
    assert tune(photos=9) == first
    assert tune(photos=9, tuned_for=["results", 2])[0] != first[0]


def test_same_seed_same_bytes(tune, tmp_path):
    assert tune() == tune(store=tmp_path / "other")


def test_a_killed_run_leaves_nothing_that_looks_tuned(tune, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(finetune_generator, "train_and_log", interrupt)
        tune()
    assert list((tmp_path / "store" / "generator").iterdir()) == []
    assert tune()


def test_a_checkpoint_without_encoder_gets_one(tune, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune_generator, "TEACH_KIMG", 0.02)
    tune(pretrained="foreign")
    load_networks(tmp_path / "generator.safetensors", "encoder")
