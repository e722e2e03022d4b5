"""How far two sets of images are apart, in pixels and in a discriminator's features.

Neither needs a download. Images are (n, 3, r, r) in [-1, 1]; distances are (n,).
"""

from functools import cache

import torch
import torch.nn.functional as F


def pixel_distance(a: torch.Tensor, b: torch.Tensor, levels: int = 4) -> torch.Tensor:
    """Squared plus a quarter of absolute difference, averaged over a pyramid of halved sizes.

    Eyes and mouth fill a few percent of a crop and would hardly count among hair and background;
    alignment puts them always in the same position, by which pixels are weighted.
    """
    difference, total = a - b, 0
    for level in range(levels):
        difference = F.avg_pool2d(difference, 2) if level else difference
        weight = face_weight(difference.shape[-1], difference.device)
        total = total + ((difference.square() + 0.25 * difference.abs()) * weight).mean([1, 2, 3])
    return total / levels


@cache
def face_weight(size: int, device: torch.device) -> torch.Tensor:
    """Weights (size, size) of mean one, five times larger between eyes and mouth than outside."""
    place = (torch.arange(size, device=device) + 0.5) / size
    across, down = ((place - 0.5) / 0.18) ** 2, ((place - 0.57) / 0.18) ** 2
    weight = 1 + 4 * torch.exp(-0.5 * (down[:, None] + across))
    return weight / weight.mean()


def feature_distance(a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
    """Squared distance of `unit_channels`, averaged over positions and summed over blocks.

    As LPIPS (Zhang et al. 2018, arXiv 1801.03924) without learned weights.
    """
    pairs = zip(map(unit_channels, a), map(unit_channels, b), strict=True)
    return sum((x - y).square().sum(1).mean([1, 2]) for x, y in pairs)


def unit_channels(features: torch.Tensor) -> torch.Tensor:
    """Features (n, channels, size, size), each position divided by its length over channels, so
    that no block and no bright spot outweighs the others (as in LPIPS)."""
    return features * (features.square().sum(dim=1, keepdim=True) + 1e-8).rsqrt()
