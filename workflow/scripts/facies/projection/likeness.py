"""Similarity of two pictures to a network: perceptual, and as a person.

The network that ships learned to read the signs of rendered portraits. In its features the
perceptual distance is LPIPS (Zhang et al. 2018, arXiv 1801.03924) without learned weights; the
distance of its last layer, of the face alone, stands in for identity. It is not LPIPS' network, and
was not trained to identify persons: it measures how similar two faces are in shape, shading and
signs. Users who have such networks name them as TorchScript (`.pt`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from facies.generator.losses import unit_channels
from facies.generator.perception import features, own_network, resize, script

LARGEST = 256  # pixels at which LPIPS looks, as in the reference projector


@dataclass(frozen=True)
class Likeness:
    """`embed` leads images (n, 3, r, r) in [-1, 1] to vectors (n, d); `angular` distances are one
    minus the cosine between them, the others their squared distance."""

    embed: Callable[[torch.Tensor], torch.Tensor]
    angular: bool = False

    def distance(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """From vectors of n pictures each, (n,)."""
        if self.angular:
            return 1 - F.cosine_similarity(a, b)
        return (a - b).square().sum(dim=1)


def perceptual(path: str | Path, device: str = "cpu") -> Likeness:
    """Perceptual distance by a network of ours or by TorchScript; InputError if it is neither.

    TorchScript takes (n, 3, r, r) in [0, 255], at most 256 pixels, and gives vectors whose squared
    distance is the perceptual one, as NVIDIA's copy of VGG16 does when asked for LPIPS.
    """
    if Path(path).suffix != ".pt":
        network = own_network(path, device)
        return Likeness(lambda x: _stacked(network.features(resize(x, network.img_resolution))))
    network = script(path, device)
    named = {argument.name for argument in network.forward.schema.arguments}
    asked = {"resize_images": False, "return_lpips": True} if "return_lpips" in named else {}

    def embed(images):
        small = F.interpolate(images, (LARGEST, LARGEST), mode="area")
        return network((small if images.shape[-1] > LARGEST else images) * 127.5 + 127.5, **asked)

    return Likeness(embed)


def identity(path: str | Path, device: str = "cpu") -> Likeness:
    """Distance of persons by a network of ours or by TorchScript; InputError if it is neither.

    TorchScript takes (n, 3, r, r) in [-1, 1] and gives vectors, near in angle for one person.
    """
    if Path(path).suffix != ".pt":
        network = own_network(path, device)
        return Likeness(lambda x: features(network, resize(x, network.img_resolution)), True)
    return Likeness(script(path, device), True)


def _stacked(maps: list[torch.Tensor]) -> torch.Tensor:
    """Features of blocks (n, c, size, size) each as vectors (n, d) whose squared distance is their
    `losses.feature_distance`."""
    units = map(unit_channels, maps)
    return torch.cat([u.flatten(1) / (u.shape[2] * u.shape[3]) ** 0.5 for u in units], dim=1)
