"""Tensors to pictures."""

import numpy as np
import torch
from PIL import Image


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [-1, 1] to uint8 (n, h, w, 3)."""
    bytes_ = (images.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    return bytes_.permute(0, 2, 3, 1).cpu().numpy()


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 (n, h, w, 3) to float (n, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def sample_sheet(generator: torch.nn.Module, seed: int) -> Image.Image:
    """64 samples in rows of 16; the same latent codes for every generator of this z_dim."""
    z = torch.randn(64, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    z = z.to(next(generator.parameters()).device)
    # Few at a time: at 1024 pixels four take gigabytes.
    images = np.concatenate([to_uint8(generator(some)) for some in z.split(4)])
    return grid(images, columns=16, scale=2)


def grid(images: np.ndarray, columns: int, scale: int = 1) -> Image.Image:
    """Photos uint8 (n, h, w, 3) side by side, row by row, each `scale` times as large."""
    n, h, w, _ = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, h, w, 3), 255, np.uint8)
    sheet[:n] = images
    sheet = sheet.reshape(rows, columns, h, w, 3).swapaxes(1, 2).reshape(rows * h, columns * w, 3)
    picture = Image.fromarray(sheet)
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.BICUBIC) if scale > 1 else picture
