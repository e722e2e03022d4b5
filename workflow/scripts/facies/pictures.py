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
def sample(generator: torch.nn.Module, n: int, seed: int) -> np.ndarray:
    """n samples uint8 (n, r, r, 3); their latent codes hang on the seed alone."""
    z = torch.randn(n, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    device = next(generator.parameters()).device
    # Few large ones at a time: at 1024 pixels four take gigabytes.
    at_once = max(4096 // generator.img_resolution, 4)
    return np.concatenate([to_uint8(generator(some.to(device))) for some in z.split(at_once)])


@torch.no_grad()
def mean_face(generator: torch.nn.Module) -> np.ndarray:
    """The face of the mean latent code, uint8 (r, r, 3)."""
    mean = generator.mapping.w_avg.expand(1, generator.num_ws, -1)
    return to_uint8(generator.synthesis(mean))[0]


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
