"""What is around a face: hair, ears, glasses, clothes, background and the camera."""

import cv2
import numpy as np

from facies.demo.heads import eyes_of, head_width
from facies.demo.painting import hsv, mix, noise, soft


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


def draw_ears(p, image, c, skin):
    mask = np.zeros_like(c.hx)
    for side in (-1, 1):
        x = (c.hx - side * (head_width(p, np.float32(0.05)) + 0.02) - 0.2 * p.yaw) / 0.09
        y = (c.hy - 0.06) / 0.20
        ear = soft(x**2 + y**2 - 1, 0.25)
        inner = np.exp(-(x**2 + y**2) * 2.5)
        image = mix(image, skin * (0.62 - 0.3 * inner)[..., None], ear)
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
    image = mix(image, fabric, shoulders)
    bare = neck * collar
    return mix(image, skin_neck, bare), np.maximum(shoulders, bare)


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


def camera(p, rng, image, size):
    """White balance, exposure, a soft lens, grain, and the curve of a display."""
    image = image * 2**p.exposure * (1 + p.warmth * np.array([0.22, 0.0, -0.25]))
    image = cv2.GaussianBlur(image, (0, 0), 0.4 + 0.8 * p.blur)
    image = np.clip(image, 0, None)
    image = np.clip(image / (1 + 0.15 * image), 0, 1) ** (1 / 2.2)
    grain = rng.standard_normal((size, size, 1)) * 0.012 * p.grain
    return (np.clip(image + grain, 0, 1) * 255 + 0.5).astype(np.uint8)
