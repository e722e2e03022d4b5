"""Whose face it is: numbers that are close for two photos of one person."""

import numpy as np
import torch
import torch.nn.functional as F

from facies.attributes.published import PublishedNetwork, same

BLOCKS = {32: 3, 64: 3, 128: 2, 256: 2}  # residual blocks by their channels
# Euclidean distance. Closer are 1 of 1,000 pairs of different people, and 1 of 100 pairs of faces
# of one sex that a generator drew (resources/README.md).
SAME_PERSON = 0.5


class IdentityDescriptor(PublishedNetwork):
    """128 numbers, by the package's `FaceRecognitionNet`: dlib's network of 29 layers
    (`dlib_face_recognition_resnet_model_v1`), a smaller ResNet-34 (He et al. 2016, arXiv
    1512.03385)."""

    CROP = (0.165, 0.275, 0.66)  # the package's box for it, as it lies in an aligned photo
    SIDE = 150

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        """Descriptors (n, 128) of aligned photos uint8 (n, r, r, 3); those of one person's face
        before and after an edit are less than SAME_PERSON apart."""
        return self.predict(photos)

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Descriptors (n, 128) of normalised images (n, 3, 150, 150)."""
        w = self.weights
        x = F.max_pool2d(_scaled(x, w, "conv32_down", stride=2).relu(), 3, 2)
        for channels, blocks in BLOCKS.items():
            if channels > 32:
                x = _halved(x, w, f"conv{channels}_down")
            for block in range(1, blocks + 1):
                x = _residual(x, w, f"conv{channels}_{block}")
        return _halved(x, w, "conv256_down_out").mean([2, 3]) @ w["fc"]


def _scaled(x, w, name, stride=1):
    """A convolution and a learned scale and shift of each channel; unpadded if it has a stride."""
    filters = w[f"{name}/conv/filters"]
    x = x if stride > 1 else same(x, filters.shape[-1], stride)
    x = F.conv2d(x, filters, w[f"{name}/conv/bias"], stride)
    scale, shift = (w[f"{name}/scale/{part}"].view(-1, 1, 1) for part in ("weights", "biases"))
    return x * scale + shift


def _residual(x, w, name):
    return (_scaled(_scaled(x, w, f"{name}/conv1").relu(), w, f"{name}/conv2") + x).relu()


def _halved(x, w, name):
    """A residual block of half the height and width; what lacks in size or channels is zero."""
    y = _scaled(_scaled(x, w, f"{name}/conv1", stride=2).relu(), w, f"{name}/conv2")
    x = F.avg_pool2d(x, 2)
    missing = x.shape[-1] - y.shape[-1]
    y = F.pad(y, (0, missing, 0, missing))
    return (F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1])) + y).relu()
