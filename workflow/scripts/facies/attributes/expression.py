"""Whether a face smiles."""

import numpy as np
import torch

from facies.attributes.age_sex import AgeSexEstimator
from facies.attributes.published import PublishedNetwork, convolve, dense, separable

EXPRESSIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")


class SmileEstimator(PublishedNetwork):
    """Probability of smiling: of `happy` by the package's `FaceExpressionNet`, densely connected
    separable convolutions (Huang et al. 2017, arXiv 1608.06993)."""

    CROP = AgeSexEstimator.CROP  # the package cuts both alike
    SIDE = 112

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        """Probabilities of smiling (n,) of aligned photos uint8 (n, r, r, 3).

        Most are close to 0 or 1: as a measure take the log-odds, and as a limit 0.99.
        """
        return self.predict(photos)[:, EXPRESSIONS.index("happy")]

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities of EXPRESSIONS (n, 7) of normalised images (n, 3, 112, 112)."""
        w = self.weights
        x = _block(convolve(x, w, "dense0/conv0", stride=2), w, "dense0")
        for block in ("dense1", "dense2", "dense3"):
            x = _block(separable(x, w, f"{block}/conv0", stride=2), w, block)
        # In double precision, in which a probability of 1 - 1e-9 keeps its log-odds.
        return dense(x.mean([2, 3]), w, "fc").double().softmax(1)


def _block(x, w, name):
    """Layers 1 to 3 of a block: each takes the sum of all before it."""
    x = x.relu()
    for layer in (1, 2, 3):
        x = x + separable(x.relu(), w, f"{name}/conv{layer}")
    return x.relu()
