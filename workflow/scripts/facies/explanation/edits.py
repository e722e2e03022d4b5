"""Faces edited to a target risk: codes moved by a fold's step (`direction`), in SDs of risk."""

import numpy as np
import torch

from facies.generator.pictures import at_once, to_uint8
from facies.generator.stylegan2 import Generator

LEVELS = (-2, -1, 0, 1, 2)  # of risk, in SDs
ENDS = (LEVELS[0], LEVELS[-1])


@torch.no_grad()
def render(generator: Generator, codes: np.ndarray) -> np.ndarray:
    """Pictures uint8 (..., r, r, 3) of codes (..., num_ws, w_dim)."""
    device = next(generator.parameters()).device
    flat = torch.from_numpy(codes.reshape(-1, *codes.shape[-2:]).astype(np.float32))
    batches = flat.split(at_once(generator.img_resolution))
    parts = [to_uint8(generator.synthesis(some.to(device))) for some in batches]
    images = np.concatenate(parts)
    return images.reshape(*codes.shape[:-2], *images.shape[1:])


def moved(codes: np.ndarray, steps: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Codes (n, num_ws, w_dim) moved by their steps, one each or one for all, times each level:
    (n, len(levels), num_ws, w_dim)."""
    steps = np.broadcast_to(steps, codes.shape)
    return codes[:, None] + np.asarray(levels, float)[:, None, None] * steps[:, None]
