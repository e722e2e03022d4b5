"""What a face shows: skin, eyes, brows, mouth and nose, painted on a Canvas in linear RGB."""

import numpy as np

from facies.demo.heads import eyes_of, height, light, mouth_of
from facies.demo.painting import bump, mix, noise, soft


def skin_colour(p):
    """Linear RGB of the skin, with pallor and jaundice."""
    light, dark = np.array([0.80, 0.50, 0.37]), np.array([0.14, 0.065, 0.038])
    colour = np.exp((1 - p.skin_tone) * np.log(light) + p.skin_tone * np.log(dark))
    grey = colour.mean() * np.array([1.12, 1.03, 0.93])
    colour = colour + 0.65 * p.pallor * (grey * 1.08 - colour)
    return colour * (1 + p.jaundice * np.array([0.02, 0.06, -0.50]))


def draw_face(p, rng, c, skin, hair):
    """Skin in the light, with nose, mouth, eyes and brows, as if the face had no outline."""
    face = draw_skin(p, rng, c, skin)
    face = face * light(p, height(p, c.x, c.y).astype(np.float32), c.unit)
    face = draw_nose(p, face, c, skin)
    face = draw_mouth(p, face, c, skin)
    face = draw_eyes(p, face, c, skin)
    return draw_brows(p, face, c, hair * 0.6 + skin * 0.06)


def draw_skin(p, rng, c, skin):
    """The face's skin: blotches, flush, dark circles and the shadow of a beard."""
    blotch = 1 + 0.04 * noise(rng, c.size, 14) + 0.02 * noise(rng, c.size, 40)
    face = skin * blotch[..., None]
    flush = 0.14 * (1 - p.pallor) * sum(bump(c.x, c.y, s * 0.40, 0.25, 0.13, 0.11) for s in (-1, 1))
    face = face * (1 + flush[..., None] * np.array([0.6, -0.5, -0.4]))
    for ex, ey in eyes_of(p):
        shadow = bump(c.x, c.y, ex, ey + 0.13, 0.12, 0.05) + 0.4 * bump(c.x, c.y, ex, ey, 0.14, 0.1)
        face = face * (1 - 0.55 * p.dark_circles * shadow[..., None] * np.array([0.9, 1.0, 0.72]))
    if p.male > 0.5:
        beard = bump(c.x, c.y, 0, 0.68, 0.42, 0.22) * soft(0.30 - c.y, 0.1)
        face = face * (1 - 0.22 * (p.male - 0.5) * 2 * beard[..., None])
    return face


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
        image = mix(image, ball, opening)
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
    image = mix(image, lit, 0.85 * lips)
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
