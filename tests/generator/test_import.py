from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import import_generator
from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.pictures import TILE, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator

SMALL = {"channel_base": 64, "channel_max": 8}


@pytest.fixture
def networks():
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, mapping_layers=1, **SMALL).eval()
    encoder = Encoder(generator.num_ws, 8, 16, **SMALL)
    return {"generator": generator, "discriminator": Discriminator(16, **SMALL), "encoder": encoder}


@pytest.fixture
def bring(tmp_path):
    """Run the rule's script on networks; returns the paths of its outputs."""

    def run(networks, resolution=16, seed=1):
        save_networks(tmp_path / "start.safetensors", networks)
        out = SimpleNamespace(
            checkpoint=tmp_path / "out.safetensors",
            samples=tmp_path / "out.png",
            mean_face=tmp_path / "mean.png",
        )
        job = SimpleNamespace(
            threads=1,
            input=SimpleNamespace(pretrained=tmp_path / "start.safetensors"),
            output=out,
            params=SimpleNamespace(label=None, resolution=resolution, seed=seed),
        )
        import_generator.main(job)
        return out

    return run


def test_networks_arrive_as_they_were(bring, networks):
    path = bring(networks).checkpoint
    for name, read in zip(networks, load_networks(path, *networks), strict=True):
        for key, value in read.state_dict().items():
            assert torch.equal(value, networks[name].state_dict()[key])


def test_a_checkpoint_without_encoder_stays_without(bring, networks):
    del networks["encoder"]
    path = bring(networks).checkpoint
    assert load_networks(path, "generator", optional=["encoder"])[1] is None


def test_same_checkpoint_same_bytes(bring, networks):
    first = bring(networks).checkpoint.read_bytes()
    assert bring(networks, seed=2).checkpoint.read_bytes() == first


@torch.no_grad()
def test_samples_are_those_of_the_seed(bring, networks):
    z = torch.randn(64, 4, generator=torch.Generator().manual_seed(3))
    own = to_uint8(networks["generator"](z))
    sheet = Image.open(bring(networks, seed=3).samples)
    assert sheet.size == (16 * TILE, 4 * TILE)
    shown = sheet.resize((256, 64), Image.Resampling.BOX)
    cell = np.asarray(shown)[16:32, 32:48].astype(int)  # second row, third column
    assert np.abs(cell - own[18]).mean() < 12 < np.abs(cell - own[17]).mean()


def test_another_resolution_is_refused(bring, networks):
    with pytest.raises(
        InputError, match="a generator of 16 pixels, and the config's resolution is 32"
    ):
        bring(networks, resolution=32)
    networks["discriminator"] = Discriminator(8, **SMALL)
    with pytest.raises(InputError, match="a discriminator of 8 pixels"):
        bring(networks)
