"""Files of other StyleGAN2 code, imitated: the same globals and names around our own numbers."""

import argparse
import collections
import copy
import datetime
import io
import os
import pathlib
import pickle
import re
import struct
import sys
import types
import zipfile

import numpy as np
import pytest
import torch

from facies.common.bounded import limited_memory
from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks
from facies.generator.stylegan2 import Discriminator, FullyConnected, Generator

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


@pytest.fixture
def conditional(networks):
    """The networks with what NVIDIA adds to them for three classes."""
    generator, discriminator = copy.deepcopy(networks)
    generator.mapping.embed = FullyConnected(3, 5)
    generator.mapping.fc0 = FullyConnected(4 + 5, 6, True, lr_multiplier=0.01)
    discriminator.mapping = torch.nn.ModuleDict({"embed": FullyConnected(3, 7)})
    for name in ("fc0", "fc1"):
        discriminator.mapping[name] = FullyConnected(7, 7, True, lr_multiplier=0.01)
    discriminator.b4.out = FullyConnected(8, 7)
    for network in (generator.mapping, discriminator.mapping, discriminator.b4.out):
        for name, value in network.named_parameters():
            if name.endswith("bias"):
                value.data.normal_(std=0.5 if "embed" in name else 20)
    return generator, discriminator


def mapped(mapping, inputs):
    """Inputs, each normalised, beside each other through the two layers."""
    normalised = [x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt() for x in inputs]
    return mapping.fc1(mapping.fc0(torch.cat(normalised, dim=1)))


def pack_conditional(path, conditional, nvidia):
    generator, discriminator = conditional
    packed = nvidia(generator, conv_clamp=256, c_dim=3), nvidia(discriminator, c_dim=3)
    return write(path, dict(zip(("G_ema", "D"), packed, strict=True)))


@pytest.mark.parametrize("label", [0, 2])
@torch.no_grad()
def test_one_class_of_a_conditional_network(tmp_path, conditional, nvidia, label):
    path = pack_conditional(tmp_path / "network.pkl", conditional, nvidia)
    read, judge = load_networks(path, "generator", "discriminator", label=label)
    generator, discriminator = conditional
    z, classes = torch.randn(3, 4), torch.eye(3)[[label] * 10_000]
    w = mapped(generator.mapping, [z, generator.mapping.embed(classes[:3])])
    images = generator.synthesis(w[:, None].repeat(1, generator.num_ws, 1))
    torch.testing.assert_close(read(z), images, rtol=1e-5, atol=1e-5)
    weights = mapped(discriminator.mapping, [discriminator.mapping.embed(classes[:3])])
    logits = (discriminator(images) * weights).sum(dim=1, keepdim=True) / np.sqrt(7)
    torch.testing.assert_close(judge(images), logits, rtol=1e-5, atol=1e-5)
    w = mapped(generator.mapping, [torch.randn(10_000, 4), generator.mapping.embed(classes)])
    assert (read.mapping.w_avg - w.mean(dim=0)).abs().max() < 0.05 * w.std(dim=0).max()


@pytest.mark.parametrize("label", [None, 3, -1])
def test_classes_are_named_where_none_is_chosen(tmp_path, conditional, nvidia, label):
    path = pack_conditional(tmp_path / "network.pkl", conditional, nvidia)
    with pytest.raises(InputError, match=r"3 classes; set generator.label to one of 0 to 2"):
        load_networks(path, "generator", label=label)


def test_a_label_without_classes_is_refused(tmp_path, networks, nvidia):
    content = {"G_ema": nvidia(networks[0]), "D": nvidia(networks[1])}
    path = write(tmp_path / "network.pkl", content)
    with pytest.raises(InputError, match=r"without classes; set generator.label to null"):
        load_networks(path, "generator", label=0)


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


@pytest.mark.parametrize(
    ("offset", "size", "stride", "message"),
    [
        (0, (2, 4), (4, 1), "beyond its storage"),
        (5, (4,), (1,), "beyond its storage"),
        (1, (4,), (-1,), "of impossible shape"),
        (0, (2**40, 2**40), (0, 0), "other than plain floating numbers"),
        (0, (1,) * 9, (1,) * 9, "of impossible shape"),
        (0, (4.0,), (1,), "of impossible shape"),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, nvidia, offset, size, stride, message):
    numbers = torch.zeros(8).untyped_storage()[:16]
    numbers = torch.storage.TypedStorage(wrap_storage=numbers, dtype=torch.float32, _internal=True)
    reach = Payload(torch._utils._rebuild_tensor_v2, numbers, offset, size, stride, False, {})
    module = nvidia(torch.nn.Module())
    module.state["_parameters"] = {"weight": reach}
    with pytest.raises(InputError, match=message):
        load_networks(write(tmp_path / "network.pkl", {"G_ema": module}), "generator")


def short(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


MODULE = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"


def doubling(levels: int) -> bytes:
    """Modules that each name the one before twice: as a tree, 2 ** levels of them."""
    made, children = b"\x80\x02", b"}"
    for i in range(levels):
        state = b"}(" + short("_modules") + children + b"u"
        made += MODULE + b"}(" + short("state") + state + b"u\x85Rq" + bytes([i]) + b"0"
        children = b"}(" + b"".join(short(name) + b"h" + bytes([i]) for name in "ab") + b"u"
    return made + b"}(" + short("G_ema") + b"h" + bytes([levels - 1]) + b"u."


def itself() -> bytes:
    """A module within itself."""
    state = b"h\x02(" + short("_modules") + b"}(" + short("a") + b"h\x01uu"
    module = MODULE + b"}(" + short("state") + b"}q\x02u\x85Rq\x010"
    return b"\x80\x02" + module + state + b"0}(" + short("G_ema") + b"h\x01u."


COPIED = b"}q\0(" + b"".join(b"M" + struct.pack("<H", i) + b"N" for i in range(60_000)) + b"u0"
COPY = b"ccollections\nOrderedDict\nh\0\x85R"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02Nr" + struct.pack("<I", 200_000_000) + b".", "more operations or objects"),
        (b"\x80\x02" + b"]" * 1_000_001 + b".", "more operations or objects"),
        (doubling(40), "modules that no StyleGAN2 has"),
        (itself(), "modules that no StyleGAN2 has"),
        # As keys these would exhaust the stack, or collide by the square of their number.
        (b"\x80\x02}N" + b"\x85" * 300_000 + b"Ns.", "more tuples or large numbers"),
        (b"\x80\x02" + b"\x8a\x080000000\x010" * 10_001 + b"N.", "more tuples or large numbers"),
        # Forty thousand copies of sixty thousand entries, were the records not inert.
        (b"\x80\x02" + COPIED + (COPY + b"0") * 40_000 + b"}.", "holds no network G_ema"),
        (b"\x80\x02\x8e" + struct.pack("<Q", 2**62) + b".", "not a whole pickle"),
    ],
)
def test_what_a_pickle_costs_is_bounded(tmp_path, content, message):
    (tmp_path / "network.pkl").write_bytes(content)
    with limited_memory(2e9), pytest.raises(InputError, match=f"network.pkl: .*{message}"):
        load_networks(tmp_path / "network.pkl", "generator")


def test_a_tensor_of_more_numbers_than_the_file_holds_is_refused(tmp_path, networks, nvidia):
    networks[0].mapping.fc0.weight.data = torch.zeros(1, 1).expand(1 << 40, 4)
    content = {"G_ema": nvidia(networks[0]), "D": nvidia(networks[1])}
    with pytest.raises(InputError, match="other than plain floating numbers"):
        load_networks(write(tmp_path / "network.pkl", content), "generator")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("synthesis.b4.const", torch.zeros(8, 4), r"synthesis.b4.const is of shape \(8, 4\), not"),
        ("synthesis.b4.const", torch.zeros([]), "not a StyleGAN2 that is known"),
        ("mapping.fc0.weight", torch.zeros(6), "not a StyleGAN2 that is known"),
        ("mapping.fc1.weight", torch.zeros(6, 5), r"mapping.fc1.weight is of shape \(6, 5\)"),
        ("mapping.w_avg", torch.zeros(6, dtype=torch.int64), "other than plain floating"),
        ("synthesis.b8.torgb.weight", torch.zeros(1, 8, 1, 1), r"shape \(1, 8, 1, 1\), not \(3,"),
        ("synthesis.b16.conv1.bias", torch.full([4], torch.nan), "no finite number"),
        ("synthesis.b8.conv0.weight", torch.zeros(5, 8, 3, 3), "layer widths of the usual form"),
        ("synthesis.b16.conv1.extra", torch.zeros(1), "conv1.extra is too many"),
        ("synthesis.b8.conv1.bias", None, "b8.conv1.bias is missing"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, networks, nvidia, key, value, message):
    folder, _, name = key.rpartition(".")
    layer = networks[0].get_submodule(folder)
    (layer._buffers if name == "w_avg" else layer._parameters)[name] = value
    content = {"G_ema": nvidia(networks[0]), "D": nvidia(networks[1])}
    with pytest.raises(InputError, match=f"network.pkl: .*{message}"):
        load_networks(write(tmp_path / "network.pkl", content), "generator")


def test_a_pickle_without_discriminator_is_refused(tmp_path, networks, nvidia):
    path = write(tmp_path / "network.pkl", {"G_ema": nvidia(networks[0])})
    with pytest.raises(InputError, match="holds no network D; name a pickle with G_ema and D"):
        load_networks(path, "generator")


@pytest.mark.parametrize("module", ["dnnlib.tflib.network", "tfutil"])
def test_networks_of_the_tensorflow_era_are_named(tmp_path, module):
    path = tmp_path / "network.pkl"
    path.write_bytes(b"\x80\x02c" + module.encode() + b"\nNetwork\n)\x81.")
    with pytest.raises(InputError, match="TensorFlow era; NVIDIA's legacy.py"):
        load_networks(path, "generator")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><title>Quota exceeded", b"PK"])
def test_files_of_other_kinds_are_refused(tmp_path, content):
    (tmp_path / "network.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"network.pkl: (no|not a whole) checkpoint"):
        load_networks(tmp_path / "network.pkl", "generator")


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "network.pkl", "w") as file:
        file.writestr("network/readme.txt", "a network")
    with pytest.raises(InputError, match="not a whole checkpoint of torch"):
        load_networks(tmp_path / "network.pkl", "generator")


def test_truncated_pickle_is_refused(tmp_path, networks, nvidia):
    content = {"G_ema": nvidia(networks[0]), "D": nvidia(networks[1])}
    path = write(tmp_path / "network.pkl", content)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match="copy it again"):
        load_networks(path, "generator")


def test_other_architectures_are_named(tmp_path, networks, nvidia):
    content = {"G_ema": nvidia(networks[0], architecture="orig"), "D": nvidia(networks[1])}
    with pytest.raises(InputError, match="network.pkl: architecture orig; only skip and resnet"):
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


@pytest.fixture
def rosinality(tmp_path):
    """Networks and the content of their file."""
    torch.manual_seed(0)
    generator = Generator(6, 6, 16, mapping_layers=2, **SMALL).eval()
    discriminator = Discriminator(16, **SMALL).eval()
    g, d = rosinality_names(generator, discriminator)
    return generator, discriminator, {"g_ema": g, "d": d, "args": argparse.Namespace(size=16)}


@pytest.mark.parametrize(("name", "as_zip"), [("network.pt", True), ("network.pkl", False)])
def test_rosinality_file_renders_the_same(tmp_path, rosinality, name, as_zip):
    generator, discriminator, content = rosinality
    torch.save(content, tmp_path / name, _use_new_zipfile_serialization=as_zip)
    read, judge = load_networks(tmp_path / name, "generator", "discriminator")
    z = torch.randn(2, 6)
    assert torch.equal(read(z), generator(z))
    assert torch.equal(judge(generator(z)), discriminator(generator(z)))
    many = torch.randn(20_000, 6)
    with torch.no_grad():
        mean = generator.mapping(many)[:, 0].mean(dim=0)
    assert torch.allclose(read.mapping.w_avg, mean, atol=0.05)


def test_rosinality_mean_code_is_kept(tmp_path, rosinality):
    mean = torch.randn(1, 6)
    torch.save(rosinality[2] | {"latent_avg": mean}, tmp_path / "network.pt")
    assert torch.equal(
        load_networks(tmp_path / "network.pt", "generator")[0].mapping.w_avg, mean[0]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["g_ema"], "holds no network g_ema; name a checkpoint with"),
        (lambda content: content | {"d": None}, "not a StyleGAN2 that is known"),
        (lambda content: {"g_ema": content["g_ema"]}, "holds no network d;"),
        (lambda content: list(content), "holds no network g_ema"),
        (lambda content: content | {"g_ema": {"conv1.weight": torch.ones(1)}}, "input.input, so"),
        (lambda content: torch.nn.Linear(1, 1), "asks for torch.nn.modules.linear.Linear"),
        (
            lambda content: content | {"latent_avg": torch.ones(6).to_sparse()},
            "other than plain floating numbers",
        ),
    ],
)
def test_other_content_of_a_pt_file_is_named(tmp_path, rosinality, change, message):
    torch.save(change(rosinality[2]), tmp_path / "network.pt")
    with pytest.raises(InputError, match=f"network.pt: .*{message}"):
        load_networks(tmp_path / "network.pt", "generator")


ARGUMENTS = {
    "path": pathlib.PurePosixPath("/data/faces"),
    "checkpoint": pathlib.Path("start.pt"),
    "windows": pathlib.PureWindowsPath("C:/faces"),
    "lr": np.float64(0.002),
    "size": np.int64(16),
    "flag": np.bool_(True),
    "betas": np.array([0.0, 0.99]),
    "wandb": None,
    "gpus": [0, 1, (2, {3})],
    "last_losses": collections.deque([1.0, 0.5], maxlen=2),
    "device": torch.device("cuda", 0),
    "precision": torch.float16,
    "shape": torch.Size([1, 2]),
    "more": argparse.Namespace(when=datetime.date(2020, 1, 1), extra=collections.OrderedDict(a=1)),
}


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_arguments_of_the_training_are_read_past(tmp_path, rosinality, as_zip, protocol):
    generator, _, content = rosinality
    content["args"] = argparse.Namespace(**ARGUMENTS)
    content["g_optim"] = {"state": {0: {"step": torch.tensor(3), "exp_avg": torch.ones(3)}}}
    torch.save(
        content,
        tmp_path / "network.pt",
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=as_zip,
    )
    z = torch.randn(2, 6)
    assert torch.equal(load_networks(tmp_path / "network.pt", "generator")[0](z), generator(z))


@torch.no_grad()
def test_a_network_without_noise_maps_gets_some(tmp_path, rosinality):
    """As the published one of 256 pixels, which draws new noise for every picture."""
    generator, _, content = rosinality
    content["g_ema"] = {k: v for k, v in content["g_ema"].items() if "noises" not in k}
    torch.save(content, tmp_path / "network.pt")
    read, again = (load_networks(tmp_path / "network.pt", "generator")[0] for _ in range(2))
    z = torch.randn(2, 6)
    assert torch.equal(read(z, noise="none"), generator(z, noise="none"))
    assert torch.equal(read(z), again(z))
    maps = [layer.noise_const for block in read.synthesis.blocks for layer in block.layers]
    assert [len(x) for x in maps] == [4, 8, 8, 16, 16]
    assert torch.cat([x.flatten() for x in maps]).std() == pytest.approx(1, abs=0.1)
    ours = [layer.noise_strength for block in generator.synthesis.blocks for layer in block.layers]
    kept = [layer.noise_strength for block in read.synthesis.blocks for layer in block.layers]
    assert kept == ours


def test_some_noise_maps_of_all_are_a_damage(tmp_path, rosinality):
    del rosinality[2]["g_ema"]["noises.noise_2"]
    torch.save(rosinality[2], tmp_path / "network.pt")
    with pytest.raises(InputError, match=r"b8.conv1.noise_const is missing"):
        load_networks(tmp_path / "network.pt", "generator")


@torch.no_grad()
def test_networks_trained_without_noise_draw_the_same(tmp_path, networks, rosinality, nvidia):
    generator, discriminator = networks
    z = torch.randn(2, 4)
    expected = generator(z, noise="none")
    for block in generator.synthesis.blocks:
        for layer in block.layers:
            del layer.noise_const, layer.noise_strength
    path = write(tmp_path / "g.pkl", {"G_ema": nvidia(generator), "D": nvidia(discriminator)})
    read = load_networks(path, "generator")[0]
    assert torch.equal(read(z), expected)
    generator, _, content = rosinality
    content["g_ema"] = {k: v for k, v in content["g_ema"].items() if "noise" not in k}
    torch.save(content, tmp_path / "network.pt")
    read, z = load_networks(tmp_path / "network.pt", "generator")[0], torch.randn(2, 6)
    assert torch.equal(read(z), generator(z, noise="none"))


def compressed(path):
    """Thirty megabytes in thirty kilobytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
        with file.open("archive/data/0", "w") as part:
            for _ in range(30):
                part.write(bytes(10**6))


def overlapping(path):
    """A directory that names one part of a megabyte five thousand times."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}.")
        file.writestr("archive/data/0", bytes(10**6))
    raw = path.read_bytes()
    end = raw.rfind(b"PK\5\6")
    (start,) = struct.unpack("<I", raw[end + 16 : end + 20])
    last = raw[raw.rfind(b"PK\1\2") : end]
    directory = raw[start:end] + last * 5000
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5002, 5002, len(directory), start, 0)
    path.write_bytes(raw[:start] + directory + tail)


@pytest.mark.parametrize("make", [compressed, overlapping])
def test_a_zip_that_holds_more_than_its_size_is_refused(tmp_path, make):
    make(tmp_path / "network.pt")
    with pytest.raises(InputError, match="network.pt: a zip of compressed"):
        load_networks(tmp_path / "network.pt", "generator")


def test_one_storage_for_many_tensors_is_refused(tmp_path, rosinality):
    large = torch.zeros(1_000_000)
    rosinality[2]["g_ema"] |= {f"style.{i}.more": large for i in range(50)}
    torch.save(rosinality[2], tmp_path / "network.pt")
    with pytest.raises(InputError, match="other than plain floating numbers"):
        load_networks(tmp_path / "network.pt", "generator")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_numbers_are_read(tmp_path, rosinality, dtype):
    g = rosinality[2]["g_ema"]
    g["input.input"] = g["input.input"].to(dtype)
    torch.save(rosinality[2], tmp_path / "network.pt")
    read = load_networks(tmp_path / "network.pt", "generator")[0]
    assert torch.equal(read.synthesis.b4.const, g["input.input"][0].float())


@pytest.mark.parametrize("odd", [torch.complex64, torch.int32, torch.bool, torch.float8_e4m3fn])
def test_numbers_of_other_kinds_are_refused(tmp_path, rosinality, odd):
    g = rosinality[2]["g_ema"]
    g["input.input"] = g["input.input"].to(odd)
    torch.save(rosinality[2], tmp_path / "network.pt")
    with pytest.raises(InputError, match="other than plain floating numbers"):
        load_networks(tmp_path / "network.pt", "generator")


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "network.pt")
    with pytest.raises(InputError, match="not a regular file"):
        load_networks(tmp_path / "network.pt", "generator")


def test_truncated_pt_file_is_refused(tmp_path, rosinality):
    torch.save(rosinality[2], tmp_path / "network.pt")
    data = (tmp_path / "network.pt").read_bytes()
    (tmp_path / "network.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not a whole checkpoint of torch; copy it again"):
        load_networks(tmp_path / "network.pt", "generator")


def test_pt_file_that_carries_code_is_refused(tmp_path):
    target = tmp_path / "was-run"
    torch.save({"g_ema": Payload(os.mkdir, str(target))}, tmp_path / "network.pt")
    with pytest.raises(InputError, match=r"network.pt: asks for posix.mkdir.*not run"):
        load_networks(tmp_path / "network.pt", "generator")
    assert not target.exists()
