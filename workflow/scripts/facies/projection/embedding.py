"""Photos as short vectors: a network's features, averaged over the picture."""

import torch


def pooled(features: list[torch.Tensor]) -> torch.Tensor:
    """From features of blocks (n, channels, size, size) each, their means over places (n, d).

    At each place channels are divided by their length, as in LPIPS (Zhang et al. 2018, arXiv
    1801.03924), so that no block and no bright spot outweighs the others.
    """
    return torch.cat(
        [(x * (x.square().sum(1, keepdim=True) + 1e-8).rsqrt()).mean([2, 3]) for x in features],
        dim=1,
    )
