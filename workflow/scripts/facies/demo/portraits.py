"""Render portraits from parameters: a head with skin, eyes, lips, hair, clothes, light and camera.

The picture is drawn in face coordinates: x to the right, y down, the head's centre at 0, skull at
y = -1 and chin at y = 1. A height field gives normals, wrap lighting gives shade, and a camera
chain (white balance, exposure, blur, grain) gives the photograph.
"""

import dataclasses

import cv2
import numpy as np

HEALTH = (
    "pallor",
    "jaundice",
    "sinking",
    "dark_circles",
    "lid_droop",
    "lip_pallor",
    "wrinkles",
    "weight_loss",
    "hair_loss",
    "puffiness",
)
FACE, SURROUND, BODY, BACKGROUND = 1, 2, 3, 4
EYES = np.array([[-0.30, -0.02], [0.30, -0.02]])
MOUTH = np.array([[-0.24, 0.55], [0.24, 0.55]])


@dataclasses.dataclass(frozen=True)
class Portrait:
    """All that decides a picture. Health attributes and most others run from 0 to 1."""

    pallor: float = 0.0
    jaundice: float = 0.0
    sinking: float = 0.0
    dark_circles: float = 0.0
    lid_droop: float = 0.0
    lip_pallor: float = 0.0
    wrinkles: float = 0.0
    weight_loss: float = 0.0
    hair_loss: float = 0.0
    puffiness: float = 0.0
    male: float = 0.5  # shape: 0 female, 1 male
    skin_tone: float = 0.3  # 0 light, 1 dark
    face_width: float = 0.5
    jaw: float = 0.5
    nose: float = 0.5
    lips: float = 0.5
    eye_size: float = 0.5
    eye_gap: float = 0.5
    brow: float = 0.5
    iris: float = 0.5  # 0 blue, 1 dark brown
    hair_style: int = 0  # 0 short, 1 medium, 2 long, 3 bald
    hair_colour: float = 0.5  # 0 fair, 1 black
    hair_grey: float = 0.0
    glasses: int = 0
    smile: float = 0.0
    yaw: float = 0.0  # radians
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0  # fraction of the picture
    shift_y: float = 0.0
    background: int = 0  # 0 plain, 1 gradient, 2 stripes, 3 blobs, 4 furniture
    background_hue: float = 0.5
    background_value: float = 0.6
    clothing: int = 0  # 0 crew neck, 1 open collar, 2 stripes
    clothing_hue: float = 0.5
    clothing_value: float = 0.4
    light_x: float = 0.0
    light_y: float = -0.4
    light_soft: float = 0.5
    exposure: float = 0.0  # stops
    warmth: float = 0.0
    blur: float = 0.5
    grain: float = 0.3
    seed: int = 0


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


def eyes_of(p):
    gap = 0.30 + 0.03 * (p.eye_gap - 0.5)
    return np.array([[-gap, -0.02], [gap, -0.02]])


def mouth_of(p):
    half = 0.22 + 0.04 * p.smile + 0.02 * p.male
    y = 0.55 - 0.035 * p.smile
    return np.array([[-half, y], [half, y]])


def skin_colour(p):
    """Linear RGB of the skin, with pallor and jaundice."""
    light, dark = np.array([0.80, 0.50, 0.37]), np.array([0.14, 0.065, 0.038])
    colour = np.exp((1 - p.skin_tone) * np.log(light) + p.skin_tone * np.log(dark))
    grey = colour.mean() * np.array([1.12, 1.03, 0.93])
    colour = colour + 0.65 * p.pallor * (grey * 1.08 - colour)
    return colour * (1 + p.jaundice * np.array([0.02, 0.06, -0.50]))


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


def draw_eyes(p, image, c, skin):
    x, y, px = c.x, c.y, 1.2 / c.unit
    size = 0.138 + 0.024 * (p.eye_size - 0.5)
    iris = (1 - p.iris) * np.array([0.12, 0.24, 0.36]) + p.iris * np.array([0.07, 0.028, 0.010])
    sclera = np.array([0.78, 0.74, 0.70]) * (1 + p.jaundice * np.array([0.0, -0.02, -0.60]))
    for ex, ey in eyes_of(p):
        u, v = (x - ex) / size, (y - ey) / size
        across = np.clip(1 - np.abs(u) ** 2.2, 0, 1)
        upper = -(0.58 - 0.50 * p.lid_droop - 0.10 * p.smile) * across**0.8
        lower = (0.40 - 0.08 * p.smile) * across
        edge = px / size
        opening = soft(upper - v, edge) * soft(v - lower, edge) * soft(np.abs(u) - 0.98, edge)
        ring = np.hypot(u * 1.0, v + 0.05)
        ball = sclera * (0.62 + 0.38 * np.clip(1 - (u / 1.1) ** 2, 0, 1))[..., None]
        ball = ball * (1 - 0.45 * np.exp(-(((v - upper) / 0.18) ** 2)))[..., None]
        ball = mix(ball, iris * 0.5, soft(ring - 0.52, edge))
        ball = mix(ball, iris * 1.5, soft(ring - 0.45, edge * 1.5))
        ball = mix(ball, [0.005] * 3, soft(ring - 0.21, edge))
        ball = mix(
            ball, [0.95] * 3, soft(np.hypot(u + 0.16 - 0.3 * p.light_x, v + 0.20) - 0.10, edge)
        )
        image = image + opening[..., None] * (ball - image)
        inside = soft(np.abs(u) - 1.05, 0.1)
        lash = np.exp(-(((v - upper) / 0.10) ** 2)) * inside
        image = mix(image, skin * 0.10, 0.85 * lash)
        image = mix(image, skin * 0.35, 0.45 * np.exp(-(((v - lower) / 0.07) ** 2)) * inside)
        crease = upper - 0.28 - 0.15 * across
        image = mix(image, skin * 0.42, 0.55 * np.exp(-(((v - crease) / 0.07) ** 2)) * inside)
    return image


def draw_brows(p, image, c, colour):
    for side in (-1, 1):
        u = (c.x * side - 0.30) / 0.19
        arch = -0.20 - 0.035 * (1 - u**2) - 0.02 * (1 - p.male) + 0.03 * p.male
        thick = (0.022 + 0.022 * p.brow + 0.012 * p.male) * np.clip(
            1.15 - 0.45 * (u + 0.3), 0.4, 1.3
        )
        mask = soft(np.abs(c.y - arch) - thick, 0.025) * soft(np.abs(u) - 1, 0.25)
        image = mix(image, colour, 0.78 * mask)
    return image


def draw_mouth(p, image, c, skin):
    (left, y0), (right, _) = mouth_of(p)
    half = (right - left) / 2
    u = c.x / half
    across = np.clip(1 - u**2, 0, 1)
    line = y0 + 0.035 * p.smile * across + 0.012 * np.cos(u * 3)
    full = (0.05 + 0.03 * p.lips) * (1 - 0.2 * p.male)
    cupid = 1 - 0.25 * np.exp(-((u / 0.16) ** 2))
    upper, lower = line - full * across**0.7 * cupid, line + full * 1.25 * across**0.6
    px = 1.5 / c.unit
    lips = soft(upper - c.y, px) * soft(c.y - lower, px) * soft(np.abs(u) - 0.99, 0.02)
    red = skin * np.array([0.80, 0.42, 0.45])
    pale = skin * np.array([0.86, 0.80, 0.84])
    colour = red + p.lip_pallor * (pale - red)
    shade = image / np.maximum(skin, 1e-3)
    lit = colour * np.clip(shade, 0.3, 1.5) * (1 + 0.25 * bump(0, c.y, 0, 0.6, 1, 0.03))[..., None]
    image = image + (0.85 * lips)[..., None] * (lit - image)
    gap = np.exp(-(((c.y - line) / 0.013) ** 2)) * soft(np.abs(u) - 1.02, 0.06)
    return mix(image, skin * np.array([0.13, 0.07, 0.07]), 0.85 * gap)


def draw_nose(p, image, c, skin):
    width = 0.055 + 0.03 * p.nose + 0.01 * p.male
    for side in (-1, 1):
        nostril = bump(c.x, c.y, side * width * 0.95, 0.345, 0.026, 0.014)
        image = mix(image, skin * 0.12, 0.8 * np.clip(nostril * 1.3, 0, 1))
        wing = np.exp(-(((c.x - side * width * 2.15) / 0.016) ** 2)) * bump(
            0, c.y, 0, 0.31, 1, 0.04
        )
        image = mix(image, skin * 0.35, 0.35 * wing)
    under = bump(c.x, c.y, 0, 0.375, width * 1.6, 0.018)
    return mix(image, skin * 0.4, 0.35 * under)


def hair_colour(p):
    fair, black = np.array([0.42, 0.26, 0.11]), np.array([0.012, 0.009, 0.008])
    colour = np.exp((1 - p.hair_colour) * np.log(fair) + p.hair_colour * np.log(black))
    return colour + p.hair_grey * (np.array([0.42, 0.42, 0.43]) - colour)


def strands(rng, c):
    """Noise stretched along the hair's fall."""
    size = c.size
    fine = rng.standard_normal((size, size)).astype(np.float32)
    angle = np.arctan2(c.hx, 1.2 - c.hy) * 1.5
    u = np.clip((angle / np.pi + 0.5) * size * 1.6 % size, 0, size - 1).astype(np.float32)
    v = np.clip(np.hypot(c.hx, c.hy) * size * 0.06, 0, size - 1).astype(np.float32)
    return np.clip(cv2.remap(fine, u, v, cv2.INTER_LINEAR) * 0.35, -0.8, 0.8)


def hair_masks(p, c):
    """Alpha of the hair behind the head and over the forehead."""
    x, y = c.hx, c.hy
    wide = 0.80 + 0.06 * (1 - p.male) + 0.06 * (p.hair_style == 2)
    skull = (np.abs(x) / wide) ** 2.3 + (np.abs(np.minimum(y, 0) + 0.02) / 1.14) ** 2.3 - 1
    fall = {0: 0.05, 1: 0.55, 2: 1.35, 3: 0.10}[p.hair_style]
    back = soft(skull, 0.05) * soft(y - fall, 0.15)
    line = -0.60 - 0.28 * p.hair_loss + 0.10 * np.abs(c.x) ** 2 * 3.2
    line = line + 0.22 * p.hair_loss * np.exp(-(((np.abs(c.x) - 0.35) / 0.16) ** 2)) * -1
    inner = np.maximum(head_width(p, c.y) * (0.90 + 0.03 * (p.hair_style == 0)), 0.45)
    sides = soft(inner - np.abs(c.x), 0.05) * soft(c.y - (fall if p.hair_style else -0.05), 0.12)
    front = np.maximum(soft(c.y - line, 0.07), sides * (c.y < 1.1)) * soft(skull, 0.04)
    density = (1 - 0.75 * p.hair_loss**1.5) if p.hair_style != 3 else 0.10 * (1 - p.hair_loss)
    return back * max(density, 0.75 * (p.hair_style in (1, 2))), front * density


def draw_background(p, rng, c):
    base = hsv(p.background_hue, 0.35, p.background_value)
    other = hsv(p.background_hue + 0.12, 0.35, np.clip(p.background_value + 0.25, 0, 1))
    image = np.broadcast_to(base, (c.size, c.size, 3)).copy()
    if p.background == 1:
        image = mix(image, other, c.py)
    elif p.background == 2:
        image = mix(image, other, (np.sin(c.px * 40 + 6 * p.background_hue) > 0) * 0.6)
    elif p.background == 3:
        image = mix(image, other, soft(-noise(rng, c.size, 7) * 0.1, 0.05) * 0.8)
    elif p.background == 4:
        left, top = rng.uniform(-0.1, 0.25), rng.uniform(0.05, 0.3)
        shelf = (c.px > left) & (c.px < left + 0.5) & (c.py > top)
        image = mix(image, other * 0.5, shelf * 0.9)
        image = mix(image, other, (shelf & ((c.py - top) % 0.2 < 0.03)) * 0.8)
    vignette = 1 - 0.25 * ((c.px - 0.5) ** 2 + (c.py - 0.5) ** 2)
    return image * vignette[..., None]


def draw_body(p, rng, image, c, skin):
    """Shoulders in clothes, and the neck; returns the picture and the body's mask."""
    x, y = c.hx * 0.9 + 0.1 * (c.px - 0.5) * c.size / c.unit, c.hy
    slope = 1.22 + 0.16 * np.abs(x) ** 2.0
    shoulders = soft(slope - y, 0.03) * soft(np.abs(x) - 1.75, 0.05)
    cloth = hsv(p.clothing_hue, 0.5, p.clothing_value)
    fabric = (
        np.broadcast_to(cloth, image.shape)
        * (0.75 + 0.25 * np.exp(-((x - p.light_x) ** 2)) + 0.08 * noise(rng, c.size, 12))[..., None]
    )
    if p.clothing == 2:
        bright = hsv(p.clothing_hue + 0.4, 0.4, min(p.clothing_value + 0.35, 1))
        fabric = mix(fabric, bright, (np.sin(x * 22) > 0.2) * 0.8)
    neck_half = 0.36 + 0.08 * p.male - 0.05 * p.weight_loss
    neck = soft(np.abs(x) - neck_half - 0.1 * np.clip(y - 0.9, 0, 1) ** 2, 0.03) * soft(
        0.3 - y, 0.05
    )
    depth = 1.42 + (0.35 if p.clothing == 1 else 0.02)
    collar = soft(y - depth + np.abs(x) * (1.0 if p.clothing == 1 else 0.25), 0.03)
    shade = 0.38 + 0.35 * np.clip((y - 0.95) / 0.5, 0, 1) - 0.2 * (np.abs(x) / neck_half) ** 2
    skin_neck = skin * np.clip(shade, 0.12, 1)[..., None]
    image = image + shoulders[..., None] * (fabric - image)
    bare = neck * collar
    image = image + bare[..., None] * (skin_neck - image)
    return image, np.maximum(shoulders, bare)


def draw_ears(p, image, c, skin):
    mask = np.zeros_like(c.hx)
    for side in (-1, 1):
        x = (c.hx - side * (head_width(p, np.float32(0.05)) + 0.02) - 0.2 * p.yaw) / 0.09
        y = (c.hy - 0.06) / 0.20
        ear = soft(x**2 + y**2 - 1, 0.25)
        inner = np.exp(-(x**2 + y**2) * 2.5)
        image = image + ear[..., None] * (skin * (0.62 - 0.3 * inner)[..., None] - image)
        mask = np.maximum(mask, ear)
    return image, mask


def draw_glasses(p, image, c):
    px = 1.5 / c.unit
    for ex, ey in eyes_of(p):
        ring = (np.abs((c.x - ex) / 0.20) ** 3 + np.abs((c.y - ey - 0.02) / 0.15) ** 3) ** (1 / 3)
        frame = soft(np.abs(ring - 1) * 0.17 - 0.014, px)
        image = mix(image, [0.02, 0.02, 0.025], 0.9 * frame)
        image = mix(image, [0.8] * 3, 0.05 * soft(ring - 1, 0.05))
    bridge = soft(np.abs(c.y + 0.03) - 0.014, px) * soft(np.abs(c.x) - 0.11, px)
    return mix(image, [0.02, 0.02, 0.025], 0.9 * bridge)


def camera(p, rng, image, size):
    """White balance, exposure, a soft lens, grain, and the curve of a display."""
    image = image * 2**p.exposure * (1 + p.warmth * np.array([0.22, 0.0, -0.25]))
    image = cv2.GaussianBlur(image, (0, 0), 0.4 + 0.8 * p.blur)
    image = np.clip(image, 0, None)
    image = np.clip(image / (1 + 0.15 * image), 0, 1) ** (1 / 2.2)
    grain = rng.standard_normal((size, size, 1)) * 0.012 * p.grain
    return (np.clip(image + grain, 0, 1) * 255 + 0.5).astype(np.uint8)


def render(p, size=256):
    """Picture uint8 (size, size, 3), regions uint8 (size, size), and true eye and mouth points."""
    rng = np.random.default_rng(p.seed)
    c = Canvas(p, size)
    skin = skin_colour(p)
    hair = hair_colour(p)
    strand = (1 + strands(rng, c))[..., None]
    top_light = 0.55 + 0.45 * np.exp(-((c.hx - 0.5 * p.light_x) ** 2) * 1.5 - (c.hy + 0.9) ** 2)
    hair_picture = hair * strand * top_light[..., None] * 1.3
    back, front = hair_masks(p, c)

    image = draw_background(p, rng, c)
    image = image + back[..., None] * (hair_picture * 0.6 - image)
    image, body = draw_body(p, rng, image, c, skin)
    if p.hair_style == 2:
        locks = back * soft(0.62 - np.abs(c.hx), 0.08) * (c.hy > 0.2)
        image = image + locks[..., None] * (hair_picture * 0.7 - image)
    image, ears = draw_ears(p, image, c, skin)

    outline = np.abs(c.hx) - head_width(p, c.hy)
    inside = soft(outline, 2.0 / c.unit) * (np.abs(c.hy) < 1.02)
    blotch = 1 + 0.04 * noise(rng, size, 14) + 0.02 * noise(rng, size, 40)
    face = skin * blotch[..., None]
    flush = 0.14 * (1 - p.pallor) * sum(bump(c.x, c.y, s * 0.40, 0.25, 0.13, 0.11) for s in (-1, 1))
    face = face * (1 + flush[..., None] * np.array([0.6, -0.5, -0.4]))
    for ex, ey in eyes_of(p):
        shadow = bump(c.x, c.y, ex, ey + 0.13, 0.12, 0.05) + 0.4 * bump(c.x, c.y, ex, ey, 0.14, 0.1)
        face = face * (1 - 0.55 * p.dark_circles * shadow[..., None] * np.array([0.9, 1.0, 0.72]))
    if p.male > 0.5:
        beard = bump(c.x, c.y, 0, 0.68, 0.42, 0.22) * soft(0.30 - c.y, 0.1)
        face = face * (1 - 0.22 * (p.male - 0.5) * 2 * beard[..., None])
    face = face * light(p, height(p, c.x, c.y).astype(np.float32), c.unit)
    face = draw_nose(p, face, c, skin)
    face = draw_mouth(p, face, c, skin)
    face = draw_eyes(p, face, c, skin)
    face = draw_brows(p, face, c, hair * 0.6 + skin * 0.06)
    image = image + inside[..., None] * (face - image)
    image = image + front[..., None] * (hair_picture - image)
    if p.glasses:
        image = draw_glasses(p, image, c)

    regions = np.full((size, size), BACKGROUND, np.uint8)
    regions[body > 0.5] = BODY
    regions[(back > 0.3) | (ears > 0.5) | (front > 0.3)] = SURROUND
    regions[(inside > 0.5) & (front < 0.3)] = FACE
    points = {"eyes": c.pixels(p, eyes_of(p)), "mouth": c.pixels(p, mouth_of(p))}
    return camera(p, rng, image, size), regions, points


def random_portrait(rng, **fixed):
    """A person drawn from the whole range; `fixed` sets what is known."""
    u = rng.uniform
    drawn = {name: float(rng.beta(0.9, 1.8)) for name in HEALTH}
    for name in ("face_width", "jaw", "nose", "lips", "eye_size", "eye_gap", "brow", "iris"):
        drawn[name] = u()
    male = float(np.clip(rng.choice([0.15, 0.85]) + rng.normal(0, 0.12), 0, 1))
    styles = [0.25, 0.45, 0.28, 0.02] if male < 0.5 else [0.78, 0.10, 0.02, 0.10]
    drawn |= {
        "male": male,
        "skin_tone": float(rng.beta(1.2, 2.0)),
        "hair_style": int(rng.choice(4, p=styles)),
        "hair_colour": u(),
        "hair_grey": float(rng.beta(0.6, 1.2)),
        "glasses": int(u() < 0.15),
        "smile": float(rng.beta(1, 2)),
        "yaw": float(np.clip(rng.normal(0, 0.11), -0.3, 0.3)),
        "pitch": float(np.clip(rng.normal(0, 0.07), -0.2, 0.2)),
        "roll": float(np.clip(rng.normal(0, 0.08), -0.3, 0.3)),
        "scale": u(0.82, 1.12),
        "shift_x": float(rng.normal(0, 0.025)),
        "shift_y": float(rng.normal(0, 0.02)),
        "background": int(rng.integers(5)),
        "background_hue": u(),
        "background_value": u(0.25, 0.95),
        "clothing": int(rng.integers(3)),
        "clothing_hue": u(),
        "clothing_value": u(0.1, 0.9),
        "light_x": float(rng.normal(0, 0.35)),
        "light_y": float(rng.normal(-0.4, 0.2)),
        "light_soft": u(),
        "exposure": float(rng.normal(0, 0.22)),
        "warmth": float(rng.normal(0, 0.3)),
        "blur": u(),
        "grain": u(),
        "seed": int(rng.integers(2**31)),
    }
    return Portrait(**drawn | fixed)
