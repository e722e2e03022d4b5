import pytest
import torch

from facies.checkpoints import load_generator, load_networks, save_networks
from facies.errors import InputError
from facies.stylegan2 import Generator


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    generator = Generator(4, 8, 8, 64, 8, mapping_layers=1)
    save_networks(tmp_path / "g.safetensors", {"generator": generator}, kimg="3")
    return tmp_path / "g.safetensors", generator


def test_round_trip_renders_the_same(checkpoint):
    path, generator = checkpoint
    z = torch.randn(2, 4)
    assert torch.equal(load_generator(path)(z), generator(z))
    assert not any(p.requires_grad for p in load_generator(path).parameters())


def test_missing_file_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match="generator.pretrained"):
        load_generator(tmp_path / "none.safetensors")


def test_truncated_file_is_refused(checkpoint):
    path, _ = checkpoint
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_generator(path)


def test_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "g.safetensors"
    torch.save({"a": 1}, path)
    with pytest.raises(InputError, match="not a whole safetensors file"):
        load_generator(path)


def test_absent_network_is_named(checkpoint):
    with pytest.raises(InputError, match="holds no encoder"):
        load_networks(checkpoint[0], "generator", "encoder")
