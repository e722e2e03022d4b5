"""Adaptive discriminator augmentation (Karras et al. 2020b, arXiv 2006.06676), the bgc set.

Pixel blitting, geometry and colour are composed into one affine map and one colour matrix a photo,
so a batch costs one resampling and one matrix product. Resampling is bilinear over a reflected
border; the paper's wavelet low-pass is left out, which matters little at a strength below one.
"""

import math

import torch
import torch.nn.functional as F


def _apply(matrix, p, other):
    """Multiply each photo's matrix by `other` with probability p."""
    chosen = torch.rand(len(matrix), 1, 1, device=matrix.device) < p
    return torch.where(chosen, other @ matrix, matrix)


def _rotation(angle):
    """(n, 3, 3) rotations in the plane by angle (n,)."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    c, s = angle.cos(), angle.sin()
    return torch.stack([c, -s, zero, s, c, zero, zero, zero, one], dim=1).view(-1, 3, 3)


def _scaling(x, y):
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _shift(x, y):
    matrix = torch.eye(3, device=x.device).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix


def geometry(n: int, p: float, device=None) -> torch.Tensor:
    """Random (n, 3, 3) maps of the [-1, 1] square: flips, quarter turns, shifts, scales, turns."""

    def normal(sd):
        return torch.randn(n, device=device) * sd

    def uniform(low, high):
        return torch.empty(n, device=device).uniform_(low, high)

    flip = torch.randint(0, 2, [n], device=device) * 2.0 - 1
    quarter = torch.randint(0, 4, [n], device=device) * (math.pi / 2)
    p_turn = 1 - math.sqrt(1 - p)  # two turns, before and after the stretch, make p together
    matrix = torch.eye(3, device=device).repeat(n, 1, 1)
    matrix = _apply(matrix, p, _scaling(flip, torch.ones_like(flip)))
    matrix = _apply(matrix, p, _rotation(quarter))
    matrix = _apply(matrix, p, _shift(uniform(-0.25, 0.25), uniform(-0.25, 0.25)))
    scale = torch.exp2(normal(0.2))
    matrix = _apply(matrix, p, _scaling(scale, scale))
    matrix = _apply(matrix, p_turn, _rotation(uniform(-math.pi, math.pi)))
    stretch = torch.exp2(normal(0.2))
    matrix = _apply(matrix, p, _scaling(stretch, 1 / stretch))
    matrix = _apply(matrix, p_turn, _rotation(uniform(-math.pi, math.pi)))
    return _apply(matrix, p, _shift(normal(0.25), normal(0.25)))


def colour(n: int, p: float, device=None) -> torch.Tensor:
    """Random (n, 4, 4) maps of RGB: brightness, contrast, luma flip, hue, saturation."""
    eye = torch.eye(4, device=device)
    grey = torch.zeros(4, 4, device=device)
    grey[:3, :3] = 1 / 3  # projection to the luma axis (1, 1, 1) / sqrt(3)
    rest = eye - grey

    def scaled(base, factor):
        return base * factor[:, None, None]

    matrix = eye.repeat(n, 1, 1)
    brightness = eye.repeat(n, 1, 1)
    brightness[:, :3, 3] = torch.randn(n, 1, device=device) * 0.2
    matrix = _apply(matrix, p, brightness)
    contrast = torch.exp2(torch.randn(n, device=device) * 0.5)
    ones = torch.ones_like(contrast)
    homogeneous = torch.diag_embed(torch.stack([contrast, contrast, contrast, ones], dim=1))
    matrix = _apply(matrix, p, homogeneous)
    flip = torch.randint(0, 2, [n], device=device).float()
    matrix = _apply(matrix, p, eye - scaled(2 * grey, flip))
    angle = torch.empty(n, device=device).uniform_(-math.pi, math.pi)
    cross = torch.zeros(4, 4, device=device)
    cross[0, 1], cross[1, 2], cross[2, 0] = -1, -1, -1
    cross = (cross - cross.T) / math.sqrt(3)
    chroma = rest.clone()
    chroma[3, 3] = 0
    hue = grey + scaled(chroma, angle.cos()) + scaled(cross, angle.sin())
    hue[:, 3, 3] = 1
    matrix = _apply(matrix, p, hue)
    saturation = torch.exp2(torch.randn(n, device=device))
    mixed = grey + scaled(chroma, saturation)
    mixed[:, 3, 3] = 1
    return _apply(matrix, p, mixed)


def augment(images: torch.Tensor, p: float) -> torch.Tensor:
    """Augment images (n, 3, h, w), each move with probability p; p = 0 changes nothing."""
    if p == 0:
        return images
    n, device = len(images), images.device
    grid = F.affine_grid(geometry(n, p, device)[:, :2], list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    matrix = colour(n, p, device)
    flat = matrix[:, :3, :3] @ images.flatten(2) + matrix[:, :3, 3:]
    return flat.view_as(images)
