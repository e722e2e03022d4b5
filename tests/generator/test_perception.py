import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import render_pretraining
import train_perception
from facies.common.errors import InputError
from facies.demo.people import pretraining_portraits
from facies.demo.portraits import Portrait, render
from facies.generator.checkpoints import save_networks
from facies.generator.damage import PARTS, Damage, blur, lose_parts, misplace, speckle, tint
from facies.generator.distances import frechet_distance
from facies.generator.perception import Perception, resize
from facies.generator.pictures import to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator
from facies.photos.alignment import crop, ffhq_quad

ROOT = Path(__file__).parents[2]
PHOTOS = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)


class Colours(nn.Module):
    """A user's network: the mean of each colour, doubled when it is not asked for features."""

    def forward(self, photos: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert photos.dtype == torch.uint8
        return photos.float().mean([2, 3]) * (1.0 if return_features else 2.0)


class Plain(nn.Module):
    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.float().mean([2, 3], keepdim=True)


@pytest.mark.parametrize("network", [Colours(), Plain()])
def test_script_of_a_user_sees_bytes_and_gives_features(tmp_path, network):
    torch.jit.script(network).save(tmp_path / "n.pt")
    seen = Perception(tmp_path / "n.pt")(PHOTOS)
    assert seen.dtype == np.float64
    np.testing.assert_allclose(seen, PHOTOS.mean(axis=(1, 2)), rtol=1e-5)


@pytest.fixture
def own(tmp_path):
    torch.manual_seed(0)
    network = Discriminator(8, 64, 6, outputs=3, mbstd=False)
    save_networks(tmp_path / "p.safetensors", {"perception": network})
    return tmp_path / "p.safetensors", network


def test_own_network_gives_what_its_last_layer_reads(own):
    path, network = own
    seen = Perception(path)(PHOTOS)
    assert seen.shape == (70, 6)
    smaller = PHOTOS.reshape(70, 8, 2, 8, 2, 3).mean(axis=(2, 4))  # by area
    images = torch.from_numpy(smaller).permute(0, 3, 1, 2).float() / 127.5 - 1
    read = network.b4.out(torch.from_numpy(seen).float())
    assert torch.allclose(read, network(images), atol=1e-5)
    assert np.allclose(Perception(path)(PHOTOS[[69]]), seen[[69]], atol=1e-6)


def test_small_photos_grow_smoothly():
    ramp = torch.tensor([0, 100], dtype=torch.uint8).expand(1, 3, 2, 2)
    assert resize(ramp, 4)[0, 0, 0].tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize(
    ("suffix", "damaged"),
    [("pt", b"PK\x03\x04 and no more"), ("safetensors", b"\x99" + b"\0" * 7 + b"{")],
)
def test_missing_and_damaged_files_are_named_with_a_remedy(tmp_path, suffix, damaged):
    path = tmp_path / f"n.{suffix}"
    with pytest.raises(InputError, match=f"n.{suffix}: no such file; name a network"):
        Perception(path)
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=f"n.{suffix}: not a whole .* file .*copy it again"):
        Perception(path)


def test_a_generator_is_no_perception(tmp_path):
    path = tmp_path / "d.safetensors"
    save_networks(path, {"discriminator": Discriminator(8, 64, 6)})
    with pytest.raises(InputError, match="holds no perception"):
        Perception(path)


def test_damage_of_no_strength_changes_nothing():
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    zero = torch.zeros(2)
    none = Damage(
        zero, zero, PARTS.expand(2, 3, 2), *(torch.zeros(2, k) for k in (3, 3, 4)), bend=zero
    )
    assert torch.allclose(none(images), images, atol=1e-5)


def test_each_damage_does_what_its_strength_says():
    one = torch.ones(1)
    point = torch.zeros(1, 3, 33, 33)
    point[:, :, 16, 16] = 1
    spread = blur(point, 1.5 * one)[0, 0]
    variance = (spread.sum(dim=0) * (torch.arange(33) - 16) ** 2).sum()
    assert spread.sum() == pytest.approx(1) and variance**0.5 == pytest.approx(1.5, rel=0.01)
    noise = speckle(torch.zeros(1, 3, 99, 99), 0.05 * one)
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    grey = tint(torch.zeros(1, 3, 2, 2), torch.tensor([[0.1, 0.0, -0.1]]))[0, :, 0, 0]
    assert grey.tolist() == pytest.approx([0.1, 0, -0.1])
    moved = misplace(point, torch.tensor([[2 / 33, -3 / 33, 0, 0]]), 0 * one)[0, 0]
    assert moved[19, 14] == pytest.approx(1, abs=1e-4)


def test_lost_parts_are_lost_and_the_rest_is_not():
    images = torch.rand(1, 3, 64, 64)
    mouth = lose_parts(images, PARTS[None], torch.tensor([[0.0, 0.0, 1.0]]))
    changed = (mouth - images).abs().mean(dim=(0, 1))
    assert changed[43:48, 30:34].mean() > 0.1
    assert changed[28:31].max() < 1e-2  # the eyes


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Eight rendered portraits with their parameters."""
    photos = tmp_path_factory.mktemp("pretraining") / "3.npz"
    render_pretraining.main(
        SimpleNamespace(
            wildcards=SimpleNamespace(part="3"),
            params=SimpleNamespace(people=8, resolution=16),
            output=SimpleNamespace(photos=photos),
        )
    )
    return photos


def test_rendered_part_keeps_what_decides_its_pictures(part):
    portraits = list(pretraining_portraits(3, 8))
    parameters = np.load(part)["parameters"]
    names = [field.name for field in dataclasses.fields(Portrait)]
    for name in ("male", "background_hue", "seed"):
        expected = [getattr(portrait, name) for portrait in portraits]
        assert parameters[:, names.index(name)].tolist() == expected, name


def train_small(part, path):
    train_perception.main(
        SimpleNamespace(
            threads=1,
            input=SimpleNamespace(photos=[part]),
            params=SimpleNamespace(kimg=0.128, seed=1),
            output=SimpleNamespace(checkpoint=path),
        )
    )
    return path.read_bytes()


def test_training_is_the_same_for_one_seed(part, tmp_path):
    first = train_small(part, tmp_path / "a.safetensors")
    assert train_small(part, tmp_path / "b.safetensors") == first
    assert np.isfinite(Perception(tmp_path / "a.safetensors")(PHOTOS)).all()


def photo_of(portrait):
    photo, _, points = render(portrait)
    return crop(photo, ffhq_quad(points["eyes"], points["mouth"]), 64)


def test_network_that_ships_is_not_blind_to_damage():
    """Each kind is farther away than as many other people are."""
    perception = Perception(ROOT / "resources" / "perception.safetensors")
    portraits = list(pretraining_portraits(997, 120))
    photos = np.stack([photo_of(portrait) for portrait in portraits])
    images, n = to_tensor(photos[:60]), 60
    others = perception(photos[60:])
    floor = frechet_distance(perception(photos[:60]), others)
    ways = {
        "blurred": blur(images, torch.ones(n)),
        "speckled": speckle(images, torch.full([n], 0.05)),
        "smeared": lose_parts(images, PARTS.expand(n, 3, 2), torch.ones(n, 3)),
    }
    for name, damaged in ways.items():
        seen = perception(to_uint8(damaged.clamp(-1, 1)))
        assert frechet_distance(seen, others) > 1.5 * floor, name
