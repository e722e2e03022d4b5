"""A head in space: where each pixel lies in it, its outline, its relief and how light falls on it.

Face coordinates: x to the right, y down, the head's centre at 0, skull at y = -1, chin at y = 1.
``p`` is a Portrait, ``c`` its Canvas.
"""

import cv2
import numpy as np

from facies.demo.painting import bump


class Canvas:
    """Pixel coordinates of one portrait, in face space (moving with the pose) and head space."""

    def __init__(self, p, size):
        ys, xs = np.mgrid[0:size, 0:size].astype(np.float32) + 0.5
        self.size, self.unit = size, size * 0.27 * p.scale
        self.cx, self.cy = size * (0.5 + p.shift_x), size * (0.46 + p.shift_y)
        dx, dy = (xs - self.cx) / self.unit, (ys - self.cy) / self.unit
        c, s = np.cos(p.roll), np.sin(p.roll)
        self.c, self.s = c, s
        self.hx, self.hy = c * dx + s * dy, -s * dx + c * dy
        self.px, self.py = xs / size, ys / size
        depth = self.depth(self.hx, self.hy)
        self.x = self.hx - 0.55 * p.yaw * depth
        self.y = self.hy - 0.55 * p.pitch * depth

    @staticmethod
    def depth(x, y):
        return np.sqrt(np.clip(1 - (x / 0.85) ** 2 - (y / 1.15) ** 2, 0, 1))

    def pixels(self, p, points):
        """Face points (n, 2) to pixels, through the pose."""
        moved = np.array(points, float)
        for _ in range(8):
            depth = self.depth(moved[:, 0], moved[:, 1])
            moved[:, 0] = points[:, 0] + 0.55 * p.yaw * depth
            moved[:, 1] = points[:, 1] + 0.55 * p.pitch * depth
        x = self.c * moved[:, 0] - self.s * moved[:, 1]
        y = self.s * moved[:, 0] + self.c * moved[:, 1]
        return np.stack([self.cx + x * self.unit, self.cy + y * self.unit], axis=1)


def head_width(p, y):
    """Half-width of the face at height y: round skull, cheeks, and a jaw that narrows."""
    width = 0.70 + 0.10 * (p.face_width - 0.5) + 0.03 * p.puffiness - 0.03 * p.weight_loss
    top = np.sqrt(np.clip(1 - np.abs(np.clip(y, -1, 0)) ** 2.4, 0, 1))
    power = 2.3 + 1.5 * p.jaw + 0.6 * p.male
    bottom = np.clip(1 - np.clip(y, 0, 1) ** power, 0, 1) ** 0.62
    hollow = 1 - (0.10 * p.weight_loss + 0.03 * p.sinking) * np.exp(-(((y - 0.5) / 0.28) ** 2))
    temple = 1 - 0.05 * p.sinking * np.exp(-(((y + 0.3) / 0.15) ** 2))
    full = 1 + 0.06 * p.puffiness * np.exp(-(((y - 0.45) / 0.3) ** 2))
    return width * np.where(y < 0, top, bottom) * hollow * temple * full


def eyes_of(p):
    gap = 0.30 + 0.03 * (p.eye_gap - 0.5)
    return np.array([[-gap, -0.02], [gap, -0.02]])


def mouth_of(p):
    half = 0.22 + 0.04 * p.smile + 0.02 * p.male
    y = 0.55 - 0.035 * p.smile
    return np.array([[-half, y], [half, y]])


def height(p, x, y):
    """The relief of the face; its gradient bends the light."""
    h = 0.85 * np.sqrt(np.clip(1.05 - (x / 0.82) ** 2 - (y / 1.12) ** 2, 0.0, 2))
    width = 0.055 + 0.03 * p.nose + 0.01 * p.male
    h += 0.13 * bump(x, y, 0, 0.12, width * 0.8, 0.17)
    h += (0.14 + 0.05 * p.nose) * bump(x, y, 0, 0.28, width * 1.3, 0.075)
    for side in (-1, 1):
        h += 0.05 * bump(x, y, side * width * 1.7, 0.31, 0.045, 0.05)
        h -= 0.10 * bump(x, y, side * 0.29, -0.02, 0.15, 0.10)
        h += 0.05 * (0.6 + p.male) * bump(x, y, side * 0.25, -0.22, 0.18, 0.06)
        h += (0.09 - 0.06 * p.weight_loss + 0.05 * p.puffiness) * bump(
            x, y, side * 0.42, 0.22, 0.15, 0.13
        )
        h -= (0.16 * p.sinking + 0.05 * p.weight_loss) * bump(x, y, side * 0.43, 0.45, 0.10, 0.16)
        h -= 0.08 * p.sinking * bump(x, y, side * 0.58, -0.32, 0.09, 0.15)
        h += (0.05 * p.puffiness) * bump(x, y, side * 0.29, 0.10, 0.12, 0.035)
        fold = x - side * (0.19 + 0.32 * (y - 0.3))
        h -= (
            (0.015 + 0.05 * p.wrinkles)
            * np.exp(-((fold / 0.022) ** 2))
            * bump(0, y, 0, 0.44, 1, 0.11)
        )
    h += 0.05 * bump(x, y, 0, 0.55, 0.18, 0.08) + 0.06 * bump(x, y, 0, 0.82, 0.14, 0.10)
    h -= 0.04 * bump(x, y, 0, 0.67, 0.16, 0.035)
    lines = np.zeros_like(x)
    for k, level in enumerate((-0.36, -0.44, -0.52)):
        curve = y - level - 0.02 * np.cos(4 * x + k)
        lines += np.exp(-((curve / 0.011) ** 2)) * bump(x, 0, 0, 0, 0.30, 1)
    for side in (-1, 1):
        for slope in (-0.5, 0.0, 0.5):
            line = y + 0.01 - slope * (side * x - 0.48)
            lines += 0.8 * np.exp(-((line / 0.010) ** 2)) * bump(x, y, side * 0.55, 0, 0.06, 0.1)
    return h - 0.022 * p.wrinkles * lines


def light(p, relief, unit):
    """Wrap lighting in linear light, widest in red, with a key and a fill."""
    gy, gx = np.gradient(cv2.GaussianBlur(relief, (0, 0), unit * 0.012), 1 / unit)
    normal = np.stack([-gx, -gy, np.ones_like(gx)]) / np.sqrt(1 + gx**2 + gy**2)
    key = np.array([p.light_x, p.light_y, 1.0])
    facing = np.tensordot(key / np.linalg.norm(key), normal, 1)
    wrap = np.array([0.45, 0.34, 0.30]) + 0.3 * p.light_soft
    lit = np.clip((facing[..., None] + wrap) / (1 + wrap), 0, None) ** 1.4
    occlusion = relief - cv2.GaussianBlur(relief, (0, 0), unit * 0.10)
    return (0.18 + 0.95 * lit) * np.clip(1 + 1.6 * np.minimum(occlusion, 0.06), 0.5, 1.1)[..., None]
