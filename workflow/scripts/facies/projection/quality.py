"""How good a reconstruction is: PSNR and SSIM of uint8 pictures (r, r, 3)."""

import cv2
import numpy as np


def psnr(photo: np.ndarray, reconstruction: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB, over the true pixels of `mask` (r, r) where given.

    Inside the face is where it counts: hair and background dominate the whole picture's figure.
    """
    error = (photo.astype(np.float64) - reconstruction) ** 2
    mean = error.mean() if mask is None else error[mask].mean()
    return float(10 * np.log10(255**2 / max(mean, 1e-10)))


def ssim(photo: np.ndarray, reconstruction: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of luma, Gaussian window of SD 1.5."""

    def blur(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float64) for x in (photo, reconstruction))
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    score = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    score /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float(score.mean())
