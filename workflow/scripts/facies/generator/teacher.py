"""The teacher of human faces: MobileStyleGAN, distilled from StyleGAN2 on FFHQ at 1024 pixels.

References
----------
Belousov, "MobileStyleGAN: a lightweight convolutional neural network for high-fidelity image
synthesis" (2021), arXiv 2104.04767. Its mapping network is StyleGAN2's own (Karras et al. 2020,
arXiv 1912.04958), so that a student that takes it over shares the teacher's W.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from facies.generator.graph import Graph
from facies.generator.pictures import at_once, to_uint8
from facies.generator.stylegan2 import MappingNetwork

FILES = [
    f"{name}.{kind}" for name in ("MappingNetwork", "SynthesisNetwork") for kind in ("xml", "bin")
]
RESOLUTION = 1024
MEAN_CODES = 10_000  # codes whose mean is the mean code
# Truncations of the codes: at 1 some faces are odd, and below 0.5 all are much the same.
TRUNCATION = (0.5, 1.0)


class Teacher(nn.Module):
    """The teacher's networks in ``folder``, as its wheel names them."""

    def __init__(self, folder: str | Path):
        super().__init__()
        self.mapping = Graph(Path(folder) / "MappingNetwork.xml")
        self.synthesis = Graph(Path(folder) / "SynthesisNetwork.xml")

    @torch.inference_mode()
    def codes(self, count: int, seed: int) -> torch.Tensor:
        """Codes w (count, 512) of random faces, each moved towards the mean code by a truncation of
        its own."""
        device = next(self.buffers()).device
        random = torch.Generator().manual_seed(0)
        mean = self.mapping(torch.randn(MEAN_CODES, 512, generator=random).to(device)).mean(dim=0)
        random = torch.Generator().manual_seed(seed + 1)
        w = self.mapping(torch.randn(count, 512, generator=random).to(device))
        truncation = torch.empty(count, 1).uniform_(*TRUNCATION, generator=random).to(device)
        return mean + truncation * (w - mean)

    @torch.inference_mode()
    def faces(self, w: torch.Tensor, side: int) -> Iterator[np.ndarray]:
        """Faces uint8 (side, side, 3) of codes ``w`` (n, 512), averaged down from 1024 pixels."""
        for codes in w.split(at_once(RESOLUTION)):
            large = self.synthesis(codes).float()
            yield from to_uint8(nn.functional.adaptive_avg_pool2d(large, side))


def student_mapping(teacher: Teacher, num_ws: int) -> MappingNetwork:
    """The teacher's mapping network as one of ours, for a synthesis network of ``num_ws`` layers.

    The graph holds each layer's weights (512, 512) and biases (512,) as they are applied; ours
    are multiplied by their gains when they are used.
    """
    weights = [b for _, b in teacher.mapping.named_buffers() if b.ndim == 2 and b.numel() > 1]
    biases = [b for _, b in teacher.mapping.named_buffers() if b.ndim == 1 and b.numel() > 1]
    mapping = MappingNetwork(*weights[0].shape[::-1], num_ws, len(weights))
    with torch.no_grad():
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            layer = getattr(mapping, f"fc{i}")
            layer.weight.copy_(weight / layer.weight_gain)
            layer.bias.copy_(bias / layer.bias_gain)
    return mapping
