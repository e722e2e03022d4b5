"""Age and sex as a face shows them."""

import numpy as np
import torch
import torch.nn.functional as F

from facies.attributes.published import PublishedNetwork, convolve, dense, same, separable


class AgeSexEstimator(PublishedNetwork):
    """Apparent age and sex, by the package's `AgeGenderNet`: a small Xception (Chollet 2017, arXiv
    1610.02357)."""

    # The package's box around its 68 landmarks, as it lies in an aligned photo. Of 22 crops tried
    # on teacher faces, its ages are closest to those in that box (1.8 years apart; in the whole
    # photo 6.0), and in portraits of known age none correlates better (.62; whole photo .37).
    CROP = (0.175, 0.295, 0.65)
    SIDE = 112

    def __call__(self, photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ages (n,) in years, probabilities of male (n,) of aligned photos uint8 (n, r, r, 3)."""
        ages, male = self.predict(photos).T
        return ages, male

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Age and probability of male (n, 2) of normalised images (n, 3, 112, 112)."""
        w = self.weights
        x = convolve(x, w, "entry_flow/conv_in", stride=2).relu()
        x = _reduced(x, w, "entry_flow/reduction_block_0")
        x = _reduced(x, w, "entry_flow/reduction_block_1")
        for block in range(2):
            x = x + _activated(x, w, f"middle_flow/main_block_{block}", layers=3)
        x = _reduced(x, w, "exit_flow/reduction_block")
        x = separable(x, w, "exit_flow/separable_conv").relu().mean([2, 3])
        male = dense(x, w, "fc/gender").softmax(1)[:, :1]
        return torch.cat([dense(x, w, "fc/age"), male], dim=1)


def _activated(x, w, name, layers):
    """Separable convolutions, each after a ReLU."""
    for layer in range(layers):
        x = separable(x.relu(), w, f"{name}/separable_conv{layer}")
    return x


def _reduced(x, w, name):
    """A residual block that halves the height and width."""
    pooled = same(_activated(x, w, name, layers=2), 3, 2, value=-torch.inf)
    return F.max_pool2d(pooled, 3, 2) + convolve(x, w, f"{name}/expansion_conv", stride=2)
