"""Which pixels carry the risk, in the aligned frame.

Two readings that can disagree: where the generator draws a change of risk (its Jacobian along the
health direction), and where covering a photo changes the risk that the encoder reads from it.
"""

from collections.abc import Callable

import numpy as np
import torch

from facies.generator.pictures import at_once, to_tensor
from facies.generator.stylegan2 import Encoder, Generator

SQUARES = 8  # to a side; every resolution is a multiple


@torch.no_grad()
def jacobian(generator: Generator, code: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Change (k, r, r, 3) of the picture of a code (num_ws, w_dim) per each of k steps (k, num_ws,
    w_dim), pixels in 0..255.

    Forward-mode differentiation: one rendering and its exact derivatives in one pass.
    """
    device = next(generator.parameters()).device
    at, along = (torch.from_numpy(x.astype(np.float32)).to(device) for x in (code[None], steps))

    def change(step):
        return torch.func.jvp(generator.synthesis, (at,), (step[None],))[1][0]

    tangents = torch.func.vmap(change)(along)
    return tangents.permute(0, 2, 3, 1).cpu().numpy() * 127.5


def occlusion(
    photo: np.ndarray, fill: np.ndarray, risk: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Change of risk (r, r) when the square of a chessboard that a pixel lies in shows `fill`.

    Photo and fill are (r, r, 3) uint8; `risk` reads photos (n, r, r, 3). Above 0 where the photo
    itself raises the risk over that of the fill.
    """
    side = len(photo) // SQUARES
    covered = np.repeat(photo[None], SQUARES**2, axis=0)
    for i, picture in enumerate(covered):
        down, across = (slice(k * side, (k + 1) * side) for k in divmod(i, SQUARES))
        picture[down, across] = fill[down, across]
    changes = risk(photo[None])[0] - risk(covered)
    return np.kron(changes.reshape(SQUARES, SQUARES), np.ones((side, side)))


@torch.no_grad()
def encode(encoder: Encoder, mean: torch.Tensor, photos: np.ndarray) -> np.ndarray:
    """The encoder's codes (n, num_ws * w_dim) of photos uint8 (n, r, r, 3)."""
    device = next(encoder.parameters()).device
    parts = [encoder(to_tensor(some).to(device), mean).flatten(1) for some in _batches(photos)]
    return torch.cat(parts).cpu().numpy().astype(np.float64)


def _batches(photos):
    size = at_once(photos.shape[1])
    return [photos[i : i + size] for i in range(0, len(photos), size)]
