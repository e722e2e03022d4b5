"""Checkpoints of other StyleGAN2 code: NVIDIA's .pkl and rosinality's .pt.

Each becomes what our own files hold: per network its settings and its tensors by NVIDIA's names.
The settings are read off the tensors' shapes, so that a file cannot claim another network than it
holds.
"""

import argparse
import pickle
import re
from pathlib import Path

import torch

from facies.errors import InputError
from facies.pickles import Record, read_pickle
from facies.stylegan2 import MappingNetwork


def read_foreign(path: str | Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings by network and tensors by full name (`generator.mapping.w_avg` ...).

    Raises InputError for a file that is damaged, hostile or of another architecture.
    """
    reader = _read_rosinality if _is_zip(path) else _read_nvidia
    settings, tensors = {}, {}
    try:
        for name, (state, clamp) in reader(path).items():
            describe = _generator if name == "generator" else _discriminator
            settings[name] = describe(state, clamp)
            tensors |= {f"{name}.{key}": value.float() for key, value in state.items()}
    except KeyError as missing:
        raise InputError(
            f"{path}: holds no {missing.args[0]}, so it is not a StyleGAN2 with a skip generator "
            "and a residual discriminator"
        ) from None
    return settings, tensors


def _is_zip(path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _read_nvidia(path) -> dict[str, tuple[dict, float | None]]:
    """NVIDIA's averaged generator and its discriminator."""
    found = read_pickle(path)
    networks = {}
    for name, key in (("generator", "G_ema"), ("discriminator", "D")):
        if key not in found:
            raise InputError(f"{path}: holds no network {key}")
        record = found[key]
        _refuse_other_architectures(path, record)
        networks[name] = record.tensors(), _conv_clamp(record)
    return networks


def _refuse_other_architectures(path, record: Record) -> None:
    inner = dict(record.modules()).get("synthesis", record)
    names = [name for name, _ in inner.modules()]
    if any(re.match(r"L\d+_\d+_\d+", name) for name in names):
        raise InputError(f"{path}: a StyleGAN3 network; only StyleGAN2 can be used")
    for _, block in inner.modules():
        architecture = block.attributes.get("architecture")
        if architecture not in (None, "skip", "resnet"):
            raise InputError(f"{path}: architecture {architecture}; only skip and resnet are known")
    if dict(record.modules()).get("mapping", Record()).attributes.get("c_dim"):
        raise InputError(f"{path}: a network with class labels; train one without (--cond=0)")


def _conv_clamp(record: Record) -> float | None:
    """The bound on activations: networks trained in half precision rely on it."""
    clamp = record.attributes.get("conv_clamp")
    if clamp is None:
        found = (_conv_clamp(child) for _, child in record.modules())
        clamp = next((value for value in found if value is not None), None)
    return None if clamp is None else float(clamp)


def _read_rosinality(path) -> dict[str, tuple[dict, float | None]]:
    """Rosinality's averaged generator and its discriminator, renamed."""
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a whole or not a harmless checkpoint ({reason})") from None
    networks = {}
    for name, key, rename in (
        ("generator", "g_ema", _rosinality_generator),
        ("discriminator", "d", _rosinality_discriminator),
    ):
        if not isinstance(content, dict) or key not in content:
            raise InputError(f"{path}: holds no network {key}")
        networks[name] = rename(content[key], content.get("latent_avg")), None
    return networks


def _rosinality_generator(old: dict, mean) -> dict[str, torch.Tensor]:
    blocks = len({key.split(".")[1] for key in old if key.startswith("to_rgbs.")})
    new = {"synthesis.b4.const": old["input.input"][0]}
    for i in range(len(_numbered(r"style\.(\d+)\.weight", old))):
        for part in ("weight", "bias"):
            new[f"mapping.fc{i}.{part}"] = old[f"style.{i + 1}.{part}"]
    layers = [("conv1", "b4.conv1", 0)]
    layers += [(f"convs.{j}", f"b{8 << j // 2}.conv{j % 2}", j + 1) for j in range(2 * blocks)]
    for source, target, noise in layers:
        new |= _styled(old, source, f"synthesis.{target}")
        new[f"synthesis.{target}.noise_strength"] = old[f"{source}.noise.weight"].reshape([])
        new[f"synthesis.{target}.bias"] = old[f"{source}.activate.bias"]
        new[f"synthesis.{target}.noise_const"] = old[f"noises.noise_{noise}"][0, 0]
    colours = [("to_rgb1", "b4")] + [(f"to_rgbs.{j}", f"b{8 << j}") for j in range(blocks)]
    for source, target in colours:
        new |= _styled(old, source, f"synthesis.{target}.torgb")
        new[f"synthesis.{target}.torgb.bias"] = old[f"{source}.bias"].reshape(3)
    new["mapping.w_avg"] = _mean_code(new) if mean is None else mean.reshape(-1)
    return new


def _styled(old, source, target) -> dict[str, torch.Tensor]:
    return {
        f"{target}.weight": old[f"{source}.conv.weight"][0],
        f"{target}.affine.weight": old[f"{source}.conv.modulation.weight"],
        f"{target}.affine.bias": old[f"{source}.conv.modulation.bias"],
    }


def _rosinality_discriminator(old: dict, _mean) -> dict[str, torch.Tensor]:
    blocks = len({k.split(".")[1] for k in old if k.startswith("convs.")}) - 1
    size = 4 << blocks
    new = _plain_layer(old, "convs.0", f"b{size}.fromrgb", 0)
    for k in range(1, blocks + 1):
        target = f"b{size >> (k - 1)}"
        new |= _plain_layer(old, f"convs.{k}.conv1", f"{target}.conv0", 0)
        # The halving layers begin with a blur.
        new |= _plain_layer(old, f"convs.{k}.conv2", f"{target}.conv1", 1)
        new[f"{target}.skip.weight"] = old[f"convs.{k}.skip.1.weight"]
    new |= _plain_layer(old, "final_conv", "b4.conv", 0)
    for i, target in enumerate(("fc", "out")):
        for part in ("weight", "bias"):
            new[f"b4.{target}.{part}"] = old[f"final_linear.{i}.{part}"]
    return new


def _plain_layer(old, source, target, first) -> dict[str, torch.Tensor]:
    return {
        f"{target}.weight": old[f"{source}.{first}.weight"],
        f"{target}.bias": old[f"{source}.{first + 1}.bias"],
    }


def _generator(state: dict, clamp: float | None) -> dict:
    """Arguments of `Generator` that give networks of these shapes."""
    channels = {
        4: state["synthesis.b4.const"],
        **_numbered(r"synthesis\.b(\d+)\.conv0\.weight", state),
    }
    z_dim, w_dim, layers = _mapping(state)
    return {
        "z_dim": z_dim,
        "w_dim": w_dim,
        **_shape(channels),
        "mapping_layers": layers,
        "conv_clamp": clamp,
    }


def _discriminator(state: dict, _clamp) -> dict:
    """Arguments of `Discriminator` that give a network of these shapes."""
    return _shape({4: state["b4.fc.weight"], **_numbered(r"b(\d+)\.conv0\.weight", state)})


def _numbered(pattern: str, state: dict) -> dict[int, torch.Tensor]:
    """Tensors whose names match, by the number in the name."""
    matches = ((re.fullmatch(pattern, key), value) for key, value in state.items())
    return {int(match[1]): value for match, value in matches if match}


def _mapping(state: dict) -> tuple[int, int, int]:
    """Sizes of z and w, and the number of layers between them."""
    w_dim, z_dim = state["mapping.fc0.weight"].shape
    return z_dim, w_dim, len(_numbered(r"mapping\.fc(\d+)\.weight", state))


def _shape(layers: dict[int, torch.Tensor]) -> dict:
    """Resolution, channel base and bound of channels, as the reference names them."""
    channels = {resolution: len(weight) for resolution, weight in layers.items()}
    size, bound = max(channels), max(channels.values())
    base = channels[size] * size
    wanted = {r: min(base // r, bound) for r in channels}
    if channels != wanted:
        raise KeyError(f"layer widths of the usual form (there are {channels})")
    return {"img_resolution": size, "channel_base": base, "channel_max": bound}


@torch.no_grad()
def _mean_code(state: dict) -> torch.Tensor:
    """The mean of 10,000 mapped z, which rosinality's own files lack."""
    z_dim, w_dim, layers = _mapping(state)
    mapping = MappingNetwork(z_dim, w_dim, 1, layers)
    own = {k.removeprefix("mapping."): v for k, v in state.items() if k.startswith("mapping.")}
    mapping.load_state_dict(own | {"w_avg": torch.zeros(w_dim)})
    z = torch.randn(10_000, z_dim, generator=torch.Generator().manual_seed(0))
    return mapping(z).mean(dim=[0, 1])
