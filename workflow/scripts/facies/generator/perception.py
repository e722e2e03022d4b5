"""Features of photos in a fixed network: the space in which generators are evaluated.

The network that ships was trained on rendered portraits and damage done to them (rule
`train_perception`); a user may name another, such as the Inception network of the usual FID.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from facies.common.errors import InputError
from facies.generator.checkpoints import load_networks
from facies.generator.stylegan2 import Discriminator

BATCH = 64


class Perception:
    """Photos uint8 (n, r, r, 3), an array or Rows, to features float64 (n, d), in batches.

    `path` is a `.safetensors` of ours, or TorchScript (`.pt`) that takes uint8 (n, 3, r, r), as
    NVIDIA's copy of Inception does. Raises InputError when it is neither.
    """

    def __init__(self, path: str | Path, device: str = "cpu"):
        load = _load_script if Path(path).suffix == ".pt" else _load_own
        self.device, self.features = device, load(path, device)

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        batches = []
        for first in range(0, len(images), BATCH):
            photos = torch.from_numpy(np.ascontiguousarray(images[first : first + BATCH]))
            batches.append(self.features(photos.permute(0, 3, 1, 2).to(self.device)))
        return torch.cat(batches).flatten(1).double().cpu().numpy()


def _load_own(path, device):
    network = own_network(path, device)
    return lambda photos: features(network, resize(photos, network.img_resolution) / 127.5 - 1)


def _load_script(path, device):
    network = script(path, device)
    named = any(argument.name == "return_features" for argument in network.forward.schema.arguments)
    return lambda photos: network(photos, **{"return_features": True} if named else {})


def own_network(path: str | Path, device) -> Discriminator:
    """The network that ships, or another of its kind; InputError if the file holds none."""
    _found(path)
    (network,) = load_networks(path, "perception")
    return network.to(device)


def script(path: str | Path, device) -> torch.jit.ScriptModule:
    """A user's network in TorchScript, frozen; InputError where there is no whole one."""
    _found(path)
    try:
        network = torch.jit.load(path, map_location=device).eval()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: not a whole TorchScript file ({reason}); copy it again"
        ) from None
    for parameter in network.parameters():  # a script refuses to be frozen as a whole
        parameter.requires_grad_(False)
    return network


def _found(path):
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; name a network (.safetensors, TorchScript)")


def features(network: Discriminator, images: torch.Tensor) -> torch.Tensor:
    """Activations (n, d) before the last layer, from images (n, 3, r, r) in [-1, 1]."""
    end = network.b4
    return end.fc(end.conv(network.features(images)[-1]).flatten(1))


def resize(photos: torch.Tensor, size: int) -> torch.Tensor:
    """Square photos (n, 3, r, r) to `size` pixels, by area when they shrink; float, same range."""
    shrinks = photos.shape[-1] > size
    return F.interpolate(photos.float(), (size, size), mode="area" if shrinks else "bilinear")
