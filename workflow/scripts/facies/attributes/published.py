"""Small published face networks, their weights as published: bytes with a scale and an offset.

They are those of the npm package @vladmandic/face-api (MIT), a port of face-api.js; names of
weights, layers and padding follow its source, so that they can be read side by side. The files
were made by `benchmarks/attributes.py convert`.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from facies.common.bounded import strict_json
from facies.common.errors import InputError

BATCH = 64
MEAN = (122.782, 117.001, 104.298)  # of red, green and blue in the photos they were trained on


class PublishedNetwork:
    """Weights of the file ``path`` and the part of an aligned photo that the network sees.

    A subclass gives ``CROP``, its left, top and side as fractions of the photo's, ``SIDE``, the
    pixels it takes, and ``outputs``. InputError if the file is not one of ours.
    """

    CROP: tuple[float, float, float]
    SIDE: int

    def __init__(self, path: str | Path, device: str = "cpu"):
        self.device = device
        self.weights = {name: w.to(device) for name, w in read_weights(path).items()}

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Output (n, k) for normalised images (n, 3, SIDE, SIDE)."""
        raise NotImplementedError

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Output (n, k) for aligned photos (n, 3, r, r) in 0 to 255; differentiable."""
        mean = torch.tensor(MEAN, device=photos.device).view(3, 1, 1)
        return self.outputs((cut(photos, self.CROP, self.SIDE) - mean) / 255)

    @torch.inference_mode()
    def predict(self, photos: np.ndarray) -> np.ndarray:
        """Output float64 (n, k) for aligned photos uint8 (n, r, r, 3), array or Rows."""
        batches = []
        for first in range(0, len(photos), BATCH):
            some = torch.from_numpy(np.ascontiguousarray(photos[first : first + BATCH]))
            batches.append(self.forward(some.to(self.device).permute(0, 3, 1, 2).float()))
        return torch.cat(batches).double().cpu().numpy()


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Float tensors by the package's names, filters as (out, in, h, w).

    Quantised ones are ``bytes * scale + min`` (TensorFlow.js, converter's quantisation), the
    filters of depthwise convolutions are (channels, 1, h, w). InputError if it is no such file.
    """
    try:
        with safe_open(path, "pt") as file:
            steps = strict_json(file.metadata()["card"])["quantization"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        raise InputError(f"{path}: not a network of resources/; check it out again") from None
    weights = {}
    for name, values in tensors.items():
        if name in steps:
            values = values.double() * steps[name]["scale"] + steps[name]["min"]
        if values.ndim == 4:  # published as (h, w, in, out), depthwise as (h, w, channels, 1)
            values = values.permute((2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1))
        weights[name] = values.float().contiguous()
    return weights


def cut(photos: torch.Tensor, crop: tuple[float, float, float], side: int) -> torch.Tensor:
    """The square ``crop`` (left, top, side as fractions) of photos (n, 3, r, r), resized to
    ``side`` pixels: the photo is resized first, so that the crop falls on whole pixels at any r."""
    whole = round(side / crop[2])
    left, top = (round(start * whole) for start in crop[:2])
    resized = F.interpolate(photos, (whole, whole), mode="bilinear", antialias=True)
    return resized[..., top : top + side, left : left + side]


def same(x: torch.Tensor, kernel: int, stride: int, value: float = 0) -> torch.Tensor:
    """``x`` padded as TensorFlow's `same` does: the odd pixel is on the right and below."""
    size = x.shape[-1]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before, after = total // 2, total - total // 2
    return F.pad(x, (before, after, before, after), value=value)


def convolve(x: torch.Tensor, weights: dict, name: str, stride: int = 1) -> torch.Tensor:
    """A convolution with bias."""
    filters = weights[f"{name}/filters"]
    return F.conv2d(same(x, filters.shape[-1], stride), filters, weights[f"{name}/bias"], stride)


def separable(x: torch.Tensor, weights: dict, name: str, stride: int = 1) -> torch.Tensor:
    """A depthwise convolution, then a pointwise one with bias."""
    depthwise = weights[f"{name}/depthwise_filter"]
    x = F.conv2d(same(x, 3, stride), depthwise, stride=stride, groups=len(depthwise))
    return F.conv2d(x, weights[f"{name}/pointwise_filter"], weights[f"{name}/bias"])


def dense(x: torch.Tensor, weights: dict, name: str) -> torch.Tensor:
    """A fully connected layer."""
    return x @ weights[f"{name}/weights"] + weights[f"{name}/bias"]
