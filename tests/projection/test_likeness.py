from pathlib import Path

import numpy as np
import pytest
import torch

from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks
from facies.generator.losses import feature_distance
from facies.projection import likeness

SHIPPED = Path(__file__).parents[2] / "resources/perception.safetensors"


class Mean(torch.nn.Module):
    """The mean colour, as a user's network might be."""

    def forward(self, images):
        return images.mean(dim=[2, 3])


class Vgg(torch.nn.Module):
    """Signature of NVIDIA's copy of VGG16."""

    def forward(self, images, resize_images: bool = True, return_lpips: bool = False):
        scale = 1.0 if return_lpips and not resize_images else 100.0
        return images.mean(dim=[2, 3]) * scale


def scripted(network, path):
    torch.jit.script(network).save(str(path))
    return path


def pictures(n, size=64):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_shipped_network_s_distance_is_that_of_its_features():
    (network,) = load_networks(SHIPPED, "perception")
    a, b = pictures(6).split(3)
    own = likeness.perceptual(SHIPPED)
    expected = feature_distance(network.features(a), network.features(b))
    torch.testing.assert_close(own.distance(own.embed(a), own.embed(b)), expected)


@pytest.mark.parametrize("kind", [likeness.perceptual, likeness.identity])
def test_a_picture_is_like_itself_and_less_like_another(kind):
    own, (a, b) = kind(SHIPPED), pictures(2)[:, None]
    nearly = (a + 0.02 * b).clamp(-1, 1)
    same, near, far = (own.distance(own.embed(a), own.embed(x)).item() for x in (a, nearly, b))
    assert same == pytest.approx(0, abs=1e-6)
    assert same < near < far


def test_torchscript_by_hand(tmp_path):
    black, white = torch.full((1, 3, 8, 8), -1.0), torch.ones(1, 3, 8, 8)
    grey = torch.cat([torch.ones(1, 1, 8, 8), torch.zeros(1, 2, 8, 8)], dim=1)
    plain = likeness.perceptual(scripted(Mean(), tmp_path / "mean.pt"))
    assert plain.embed(black).tolist() == [[0, 0, 0]]  # pixels from 0 to 255
    assert plain.distance(plain.embed(black), plain.embed(white)).item() == 3 * 255**2
    asked = likeness.perceptual(scripted(Vgg(), tmp_path / "vgg.pt"))
    assert asked.embed(white).tolist() == [[255, 255, 255]]
    person = likeness.identity(tmp_path / "mean.pt")
    angle = person.distance(person.embed(white), person.embed(grey)).item()
    assert angle == pytest.approx(1 - 1 / np.sqrt(3), abs=1e-6)


def test_large_pictures_are_shrunk_for_lpips(tmp_path):
    class Size(torch.nn.Module):
        def forward(self, images):
            return torch.ones(images.shape[0], images.shape[2])

    sized = likeness.perceptual(scripted(Size(), tmp_path / "size.pt"))
    assert sized.embed(pictures(1, 512)).shape == (1, 256)
    assert sized.embed(pictures(1, 32)).shape == (1, 32)


def test_what_is_no_network_is_refused_in_one_line(tmp_path):
    (tmp_path / "bad.pt").write_bytes(b"PK\x03\x04 not a network")
    with pytest.raises(InputError, match=r"bad.pt: not a whole TorchScript file"):
        likeness.identity(tmp_path / "bad.pt")
    with pytest.raises(InputError, match=r"none.pt: no such file"):
        likeness.perceptual(tmp_path / "none.pt")
