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
from facies.generator.pictures import to_uint8
from facies.generator.stylegan2 import MappingNetwork

AT_ONCE = 4  # faces of 1024 pixels take half a gigabyte each


class Teacher(nn.Module):
    """The teacher's networks in ``folder``, as its wheel names them."""

    def __init__(self, folder: str | Path):
        super().__init__()
        self.mapping = Graph(Path(folder) / "MappingNetwork.xml")
        self.synthesis = Graph(Path(folder) / "SynthesisNetwork.xml")

    @torch.inference_mode()
    def faces(self, w: torch.Tensor, side: int) -> Iterator[np.ndarray]:
        """Faces uint8 (side, side, 3) of codes ``w`` (n, 512), averaged down from 1024 pixels."""
        for codes in w.split(AT_ONCE):
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
