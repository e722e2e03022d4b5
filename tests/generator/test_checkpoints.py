import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.stylegan2 import Generator


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    generator = Generator(4, 8, 8, 64, 8, mapping_layers=1)
    save_networks(tmp_path / "g.safetensors", {"generator": generator}, kimg="3")
    return tmp_path / "g.safetensors", generator


def test_round_trip_renders_the_same(checkpoint):
    path, generator = checkpoint
    z = torch.randn(2, 4)
    (loaded,) = load_networks(path, "generator")
    assert torch.equal(loaded(z), generator(z))
    assert not any(p.requires_grad for p in loaded.parameters())


def test_missing_file_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match="generator.pretrained"):
        load_networks(tmp_path / "none.safetensors", "generator")


def test_truncated_file_is_refused(checkpoint):
    path, _ = checkpoint
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_networks(path, "generator")


@pytest.mark.parametrize(
    "card",
    [
        "",
        "[]",
        "{}",
        '{"settings": [1]}',
        '{"settings": {"generator": 5}}',
        '{"settings": {"generator": {"conv_clamp": "wide"}}}',
        "[" * 100_000,
    ],
)
def test_a_card_of_another_kind_is_refused(checkpoint, card):
    path, _ = checkpoint
    save_file(load_file(path), path, metadata={"card": card})
    with pytest.raises(InputError, match="has no card that says what it holds"):
        load_networks(path, "generator")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"z_dim": 5}, r"mapping.fc0.weight is of shape \(8, 4\), not \(8, 5\)"),
        ({"z_dim": 1 << 50}, "z_dim is 1125899906842624, not a whole number of 1 to 4096"),
        ({"w_dim": -1}, "no StyleGAN2 of ours: w_dim is -1"),
        ({"mapping_layers": 10**9}, "mapping_layers is 1000000000, not a whole number of 1 to 16"),
        ({"mapping_layers": 0}, "mapping_layers is 0"),
        ({"mapping_layers": 1.0}, "mapping_layers is 1.0"),
        ({"img_resolution": 2**40}, "img_resolution is 1099511627776"),
        ({"img_resolution": 12}, "12 pixels, no power of two"),
        ({"channel_base": None}, "channel_base is None"),
        ({"channel_max": 10**12}, "channel_max is 1000000000000"),
        ({"conv_clamp": 0}, "conv_clamp is 0"),
        ({"depth": 3}, "unexpected keyword argument 'depth'"),
        ({"mapping_layers": 2}, "mapping.fc1.bias is missing"),
    ],
)
def test_a_card_that_claims_another_network_is_refused(checkpoint, settings, message):
    path, generator = checkpoint
    card = json.dumps({"settings": {"generator": generator.settings | settings}})
    save_file(load_file(path), path, metadata={"card": card})
    with pytest.raises(InputError, match=message):
        load_networks(path, "generator")


def test_whole_numbers_and_lost_numbers_are_refused(checkpoint):
    path, generator = checkpoint
    card = {"card": json.dumps({"settings": {"generator": generator.settings}})}
    key, tensors = "generator.mapping.w_avg", load_file(path)
    for odd in (tensors[key].to(torch.int32), torch.full([8], torch.inf)):
        save_file(tensors | {key: odd}, path, metadata=card)
        with pytest.raises(InputError, match="mapping.w_avg holds what is no finite number"):
            load_networks(path, "generator")


def test_a_label_is_refused(checkpoint):
    with pytest.raises(InputError, match="a network without classes"):
        load_networks(checkpoint[0], "generator", label=0)


def test_absent_network_is_named(checkpoint):
    with pytest.raises(InputError, match="holds no encoder"):
        load_networks(checkpoint[0], "generator", "encoder")
