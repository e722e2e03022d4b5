"""Adaptive discriminator augmentation (Karras et al. 2020b, arXiv 2006.06676), the bgc set.

Pixel blitting, geometry and colour are composed into one affine map and one colour matrix a photo,
so a batch costs one resampling and one matrix product. Resampling is bilinear over a reflected
border; the paper's wavelet low-pass is left out, which matters little at a strength below one.
"""

import math

import torch
import torch.nn.functional as F


def _apply(matrix, p, other, random):
    """Multiply each photo's matrix by `other` with probability p."""
    chosen = torch.rand(len(matrix), 1, 1, generator=random) < p
    return torch.where(chosen, other @ matrix, matrix)


def _rotation(angle):
    """(n, 3, 3) rotations in the plane by angle (n,)."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    c, s = angle.cos(), angle.sin()
    return torch.stack([c, -s, zero, s, c, zero, zero, zero, one], dim=1).view(-1, 3, 3)


def _scaling(x, y):
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _shift(x, y):
    matrix = torch.eye(3).repeat(len(x), 1, 1)
    matrix[:, 0, 2], matrix[:, 1, 2] = x, y
    return matrix


def geometry(n: int, p: float, random: torch.Generator) -> torch.Tensor:
    """Random (n, 3, 3) maps of the [-1, 1] square: flips, quarter turns, shifts, scales, turns."""

    def normal(sd):
        return torch.randn(n, generator=random) * sd

    def uniform(bound):
        return torch.empty(n).uniform_(-bound, bound, generator=random)

    flip = torch.randint(0, 2, [n], generator=random) * 2.0 - 1
    quarter = torch.randint(0, 4, [n], generator=random) * (math.pi / 2)
    scale, stretch = torch.exp2(normal(0.2)), torch.exp2(normal(0.2))
    p_turn = 1 - math.sqrt(1 - p)  # two turns, before and after the stretch, make p together
    moves = (
        (p, _scaling(flip, torch.ones(n))),
        (p, _rotation(quarter)),
        (p, _shift(uniform(0.25), uniform(0.25))),
        (p, _scaling(scale, scale)),
        (p_turn, _rotation(uniform(math.pi))),
        (p, _scaling(stretch, 1 / stretch)),
        (p_turn, _rotation(uniform(math.pi))),
        (p, _shift(normal(0.25), normal(0.25))),
    )
    matrix = torch.eye(3).repeat(n, 1, 1)
    for probability, move in moves:
        matrix = _apply(matrix, probability, move, random)
    return matrix


def colour(n: int, p: float, random: torch.Generator) -> torch.Tensor:
    """Random (n, 4, 4) maps of RGB: brightness, contrast, luma flip, hue, saturation."""
    eye, grey, cross = torch.eye(4), torch.zeros(4, 4), torch.zeros(4, 4)
    grey[:3, :3] = 1 / 3  # projection to the luma axis (1, 1, 1) / sqrt(3)
    chroma = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0])) - grey
    last = eye - grey - chroma  # the homogeneous coordinate
    cross[0, 1], cross[1, 2], cross[2, 0] = -1, -1, -1
    cross = (cross - cross.T) / math.sqrt(3)

    def scaled(base, factor):
        return base * factor[:, None, None]

    brightness = eye.repeat(n, 1, 1)
    brightness[:, :3, 3] = torch.randn(n, 1, generator=random) * 0.2
    contrast = torch.exp2(torch.randn(n, generator=random) * 0.5)
    flip = torch.randint(0, 2, [n], generator=random).float()
    angle = torch.empty(n).uniform_(-math.pi, math.pi, generator=random)
    saturation = torch.exp2(torch.randn(n, generator=random))
    moves = (
        brightness,
        scaled(eye - last, contrast) + last,
        eye - scaled(2 * grey, flip),
        grey + last + scaled(chroma, angle.cos()) + scaled(cross, angle.sin()),
        grey + last + scaled(chroma, saturation),
    )
    matrix = eye.repeat(n, 1, 1)
    for move in moves:
        matrix = _apply(matrix, p, move, random)
    return matrix


class Augmentation:
    """One draw for a batch of n photos, each move with probability p; p = 0 changes nothing."""

    def __init__(self, n: int, p: float, random: torch.Generator):
        self.maps = (geometry(n, p, random), colour(n, p, random)) if p > 0 else None

    def __call__(self, images: torch.Tensor, rows=slice(None)) -> torch.Tensor:
        """Augment images (m, 3, h, w), which are these rows of the batch."""
        if self.maps is None:
            return images
        place, matrix = (maps[rows].to(images.device) for maps in self.maps)
        grid = F.affine_grid(place[:, :2], list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        flat = matrix[:, :3, :3] @ images.flatten(2) + matrix[:, :3, 3:]
        return flat.view_as(images)
