"""Photos as short vectors: a network's features, averaged over the picture."""

import torch

from facies.generator.losses import unit_channels


def pooled(features: list[torch.Tensor]) -> torch.Tensor:
    """From features of blocks (n, channels, size, size) each, their `unit_channels` averaged over
    positions (n, d)."""
    return torch.cat([unit_channels(x).mean([2, 3]) for x in features], dim=1)
