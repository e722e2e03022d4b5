"""Checkpoints of rosinality's stylegan2-pytorch (.pt), renamed to NVIDIA's names."""

import re

import torch

from facies.common.errors import InputError
from facies.generator.pickles import read_torch


def read_rosinality(path) -> dict[str, tuple[dict, None]]:
    """The averaged generator and its discriminator: per network its tensors, and no clamp.

    Raises InputError for a damaged or hostile file, KeyError for a tensor that is not there.
    """
    source = read_torch(path)
    content, networks = source.content, {}
    for name, key, rename in (
        ("generator", "g_ema", _generator),
        ("discriminator", "d", _discriminator),
    ):
        if not isinstance(content, dict) or key not in content:
            raise InputError(
                f"holds no network {key}; name a checkpoint with g_ema and d, as training writes it"
            )
        networks[name] = rename({k: source.tensor(v) for k, v in content[key].items()}), None
    if content.get("latent_avg") is not None:  # its training's own files lack it
        mean = source.tensor(content["latent_avg"]).reshape(-1)
        networks["generator"][0]["mapping.w_avg"] = mean
    return networks


def _generator(old: dict) -> dict[str, torch.Tensor]:
    blocks = len({key.split(".")[1] for key in old if key.startswith("to_rgbs.")})
    new = {"synthesis.b4.const": old["input.input"][0]}
    for i in range(sum(bool(re.fullmatch(r"style\.\d+\.weight", key)) for key in old)):
        for part in ("weight", "bias"):
            new[f"mapping.fc{i}.{part}"] = old[f"style.{i + 1}.{part}"]
    layers = [("conv1", "b4.conv1", 0)]
    layers += [(f"convs.{j}", f"b{8 << j // 2}.conv{j % 2}", j + 1) for j in range(2 * blocks)]
    for source, target, noise in layers:
        new |= _styled(old, source, f"synthesis.{target}")
        new[f"synthesis.{target}.bias"] = old[f"{source}.activate.bias"]
        if f"{source}.noise.weight" in old:
            new[f"synthesis.{target}.noise_strength"] = old[f"{source}.noise.weight"].reshape([])
        if f"noises.noise_{noise}" in old:  # the published network of 256 pixels has none
            new[f"synthesis.{target}.noise_const"] = old[f"noises.noise_{noise}"][0, 0]
    colours = [("to_rgb1", "b4")] + [(f"to_rgbs.{j}", f"b{8 << j}") for j in range(blocks)]
    for source, target in colours:
        new |= _styled(old, source, f"synthesis.{target}.torgb")
        new[f"synthesis.{target}.torgb.bias"] = old[f"{source}.bias"].reshape(3)
    return new


def _styled(old, source, target) -> dict[str, torch.Tensor]:
    return {
        f"{target}.weight": old[f"{source}.conv.weight"][0],
        f"{target}.affine.weight": old[f"{source}.conv.modulation.weight"],
        f"{target}.affine.bias": old[f"{source}.conv.modulation.bias"],
    }


def _discriminator(old: dict) -> dict[str, torch.Tensor]:
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
