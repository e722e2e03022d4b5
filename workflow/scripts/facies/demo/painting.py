"""What pictures are painted with: soft masks, hills, colours and noise."""

import cv2
import numpy as np


def soft(distance, width=0.02):
    """A smooth mask: 1 where the signed distance is negative, 0 where positive."""
    return 1 / (1 + np.exp(np.clip(distance / width * 4, -40, 40)))


def bump(x, y, cx, cy, sx, sy):
    """A Gaussian hill of height 1."""
    return np.exp(-0.5 * (((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2))


def mix(image, colour, mask):
    """Lay a colour over an image through a mask."""
    return image + mask[..., None] * (np.asarray(colour) - image)


def hsv(hue, saturation, value):
    """One colour in linear RGB."""
    k = (np.array([5.0, 3.0, 1.0]) + hue * 6) % 6
    return (value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)) ** 2.2


def noise(rng, size, cells):
    """Smooth noise in -1..1."""
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
