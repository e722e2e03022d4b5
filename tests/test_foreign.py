"""Files of other StyleGAN2 code, imitated: the same globals and names around our own numbers."""

import argparse
import io
import os
import pickle
import re
import sys
import types

import pytest
import torch

from facies.checkpoints import load_networks
from facies.errors import InputError
from facies.stylegan2 import Discriminator, Generator

SMALL = {"channel_base": 64, "channel_max": 8}


@pytest.fixture
def networks():
    torch.manual_seed(0)
    generator = Generator(4, 6, 16, mapping_layers=2, conv_clamp=256.0, **SMALL)
    generator.mapping.w_avg.normal_()
    for name, value in generator.named_parameters():
        if "noise_strength" in name or name.endswith("bias"):
            value.data.normal_()
    return generator.eval(), Discriminator(16, **SMALL).eval()


@pytest.fixture
def nvidia(monkeypatch):
    """Modules with the names that NVIDIA's pickles ask for."""
    for name in ("torch_utils", "torch_utils.persistence", "dnnlib", "dnnlib.util"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("the pickle's own code was run")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    function = _reconstruct_persistent_obj
    sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj = function
    easy = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    sys.modules["dnnlib.util"].EasyDict = easy

    class Persistent:
        def __init__(self, module, **attributes):
            children = {k: Persistent(v, **attributes) for k, v in module._modules.items()}
            kept = {"_parameters": module._parameters, "_buffers": module._buffers}
            self.state = kept | {"_modules": children} | attributes

        def __reduce__(self):
            meta = {"type": "class", "module_src": "raise", "class_name": "X", "state": self.state}
            return function, (easy(meta),)

    return Persistent


def write(path, content):
    path.write_bytes(pickle.dumps(content))
    return path


def test_nvidia_pickle_renders_the_same_and_runs_nothing(tmp_path, networks, nvidia):
    generator, discriminator = networks
    packed = nvidia(generator, conv_clamp=256, c_dim=0)
    content = {"G": packed, "G_ema": packed, "D": nvidia(discriminator), "augment_pipe": None}
    path = write(tmp_path / "network.pkl", content)
    read, judge = load_networks(path, "generator", "discriminator")
    z = torch.randn(2, 4)
    assert read.settings == generator.settings
    assert torch.equal(read(z), generator(z))
    assert torch.equal(judge(generator(z)), discriminator(generator(z)))


class Payload:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_malicious_pickle_is_refused_by_name_and_not_run(tmp_path):
    target = tmp_path / "was-run"
    path = write(tmp_path / "network.pkl", {"G_ema": Payload(os.mkdir, str(target))})
    with pytest.raises(InputError, match=r"network.pkl: asks for posix.mkdir.*not run"):
        load_networks(path, "generator")
    assert not target.exists()


def test_payload_in_a_nested_storage_is_not_run(tmp_path):
    target = tmp_path / "was-run"
    inner = io.BytesIO()
    torch.save(Payload(os.mkdir, str(target)), inner, _use_new_zipfile_serialization=False)
    payload = Payload(torch.storage._load_from_bytes, inner.getvalue())
    path = write(tmp_path / "network.pkl", {"G_ema": payload})
    with pytest.raises(InputError, match="not a whole pickle"):
        load_networks(path, "generator")
    assert not target.exists()


def test_a_tensor_beyond_its_storage_is_refused(tmp_path):
    numbers = torch.zeros(4).storage()
    reach = Payload(torch._utils._rebuild_tensor_v2, numbers, 0, (2, 4), (4, 1), False, {})
    with pytest.raises(InputError, match="beyond its storage"):
        load_networks(write(tmp_path / "network.pkl", {"G_ema": reach}), "generator")


def test_truncated_pickle_is_refused(tmp_path, networks, nvidia):
    content = {"G_ema": nvidia(networks[0]), "D": nvidia(networks[1])}
    path = write(tmp_path / "network.pkl", content)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match="copy it again"):
        load_networks(path, "generator")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [({"architecture": "orig"}, "architecture orig"), ({"c_dim": 10}, "class labels")],
)
def test_other_architectures_are_named(tmp_path, networks, nvidia, attributes, message):
    content = {"G_ema": nvidia(networks[0], **attributes), "D": nvidia(networks[1])}
    with pytest.raises(InputError, match=message):
        load_networks(write(tmp_path / "network.pkl", content), "generator")


def test_stylegan3_is_named(tmp_path, nvidia):
    synthesis = torch.nn.ModuleDict({"L0_36_512": torch.nn.Linear(1, 1)})
    network = torch.nn.ModuleDict({"synthesis": synthesis})
    content = {"G_ema": nvidia(network), "D": nvidia(network)}
    with pytest.raises(InputError, match="StyleGAN3"):
        load_networks(write(tmp_path / "network.pkl", content), "generator")


def rosinality_names(generator: Generator, discriminator: Discriminator) -> tuple[dict, dict]:
    """Our tensors as rosinality's code names and shapes them."""
    g, d = {}, {}
    order = [("b4.conv1", "conv1")]
    for j, size in enumerate(generator.synthesis.resolutions[1:]):
        order += [(f"b{size}.conv{i}", f"convs.{2 * j + i}") for i in (0, 1)]
    colours = ["to_rgb1"] + [f"to_rgbs.{j}" for j in range(len(order) // 2)]
    colours = dict(zip(generator.synthesis.resolutions, colours, strict=True))
    for key, value in generator.state_dict().items():
        if match := re.fullmatch(r"mapping\.fc(\d)\.(\w+)", key):
            g[f"style.{int(match[1]) + 1}.{match[2]}"] = value
        elif match := re.fullmatch(r"synthesis\.b(\d+)\.torgb\.(.+)", key):
            own = {"bias": "bias", "weight": "conv.weight"}.get(match[2])
            own = own or match[2].replace("affine", "conv.modulation")
            shaped = {"bias": (1, 3, 1, 1), "conv.weight": (1, *value.shape)}.get(own, value.shape)
            g[f"{colours[int(match[1])]}.{own}"] = value.reshape(shaped)
    for i, (ours, theirs) in enumerate(order):
        layer = generator.synthesis.get_submodule(ours)
        g[f"{theirs}.conv.weight"] = layer.weight[None]
        g[f"{theirs}.conv.modulation.weight"] = layer.affine.weight
        g[f"{theirs}.conv.modulation.bias"] = layer.affine.bias
        g[f"{theirs}.noise.weight"] = layer.noise_strength.reshape(1)
        g[f"{theirs}.activate.bias"] = layer.bias
        g[f"noises.noise_{i}"] = layer.noise_const[None, None]
    g["input.input"] = generator.synthesis.b4.const[None]
    parts = [("b16.fromrgb", "convs.0", 0), ("b4.conv", "final_conv", 0)]
    for k, size in enumerate(discriminator.resolutions, start=1):
        parts += [
            (f"b{size}.conv0", f"convs.{k}.conv1", 0),
            (f"b{size}.conv1", f"convs.{k}.conv2", 1),
        ]
        d[f"convs.{k}.skip.1.weight"] = discriminator.get_submodule(f"b{size}.skip").weight
    for ours, theirs, first in parts:
        layer = discriminator.get_submodule(ours)
        d[f"{theirs}.{first}.weight"], d[f"{theirs}.{first + 1}.bias"] = layer.weight, layer.bias
    for i, layer in enumerate((discriminator.b4.fc, discriminator.b4.out)):
        d[f"final_linear.{i}.weight"], d[f"final_linear.{i}.bias"] = layer.weight, layer.bias
    return g, d


def test_rosinality_file_renders_the_same(tmp_path):
    torch.manual_seed(0)
    generator = Generator(6, 6, 16, mapping_layers=2, **SMALL).eval()
    discriminator = Discriminator(16, **SMALL).eval()
    g, d = rosinality_names(generator, discriminator)
    content = {"g": g, "g_ema": g, "d": d, "args": argparse.Namespace(size=16)}
    torch.save(content, tmp_path / "network.pt")
    read, judge = load_networks(tmp_path / "network.pt", "generator", "discriminator")
    z = torch.randn(2, 6)
    assert torch.equal(read(z), generator(z))
    assert torch.equal(judge(generator(z)), discriminator(generator(z)))
    many = torch.randn(20_000, 6)
    with torch.no_grad():
        mean = generator.mapping(many)[:, 0].mean(dim=0)
    assert torch.allclose(read.mapping.w_avg, mean, atol=0.05)


def test_pt_file_that_carries_code_is_refused(tmp_path):
    target = tmp_path / "was-run"
    torch.save({"g_ema": Payload(os.mkdir, str(target))}, tmp_path / "network.pt")
    with pytest.raises(InputError, match="not a whole or not a harmless checkpoint"):
        load_networks(tmp_path / "network.pt", "generator")
    assert not target.exists()
