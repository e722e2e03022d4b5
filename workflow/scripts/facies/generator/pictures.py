"""Tensors to pictures."""

import numpy as np
import torch
from PIL import Image

MEAN_OF = 30  # patients, at least, whose mean face may be shown: it resembles none of them
TILE = 128  # pixels to the side of a picture among others, whatever the resolution


def at_once(resolution: int) -> int:
    """Pictures that a network of this size is given in one pass: four of 1024 pixels take
    gigabytes."""
    return max(4096 // resolution, 4)


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [-1, 1] to uint8 (n, h, w, 3)."""
    bytes_ = (images.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    return bytes_.permute(0, 2, 3, 1).cpu().numpy()


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 (n, h, w, 3) to float (n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def sample(generator: torch.nn.Module, n: int, seed: int) -> np.ndarray:
    """n samples uint8 (n, r, r, 3); their latent codes depend on the seed alone."""
    z = torch.randn(n, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    device = next(generator.parameters()).device
    batches = z.split(at_once(generator.img_resolution))
    return np.concatenate([to_uint8(generator(some.to(device))) for some in batches])


@torch.no_grad()
def mean_face(generator: torch.nn.Module) -> np.ndarray:
    """The face of the mean latent code, uint8 (r, r, 3)."""
    mean = generator.mapping.w_avg.expand(1, generator.num_ws, -1)
    return to_uint8(generator.synthesis(mean))[0]


def resized(images: np.ndarray, side: int = TILE) -> np.ndarray:
    """Pictures uint8 (n, r, r, 3) at `side` pixels."""
    size = (side, side)
    return np.stack([Image.fromarray(i).resize(size, Image.Resampling.BICUBIC) for i in images])


def grid(images: np.ndarray, columns: int) -> Image.Image:
    """Photos uint8 (n, r, r, 3) as tiles side by side, row by row."""
    rows = -(-len(images) // columns)
    tiles = np.full((rows * columns, TILE, TILE, 3), 255, np.uint8)
    tiles[: len(images)] = resized(images)
    lines = tiles.reshape(rows, columns, TILE, TILE, 3).swapaxes(1, 2)
    return Image.fromarray(lines.reshape(rows * TILE, columns * TILE, 3))
