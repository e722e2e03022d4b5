"""Render portraits from parameters: a head with skin, eyes, lips, hair, clothes, light and camera.

A height field gives normals, wrap lighting gives shade, and a camera (white balance, exposure,
blur, grain) gives the photograph.
"""

import dataclasses

import numpy as np

from facies.demo.faces import draw_face, skin_colour
from facies.demo.heads import Canvas, eyes_of, head_width, mouth_of
from facies.demo.painting import mix, soft
from facies.demo.scenes import (
    camera,
    draw_background,
    draw_body,
    draw_ears,
    draw_glasses,
    hair_colour,
    hair_masks,
    strands,
)
from facies.photos.regions import BACKGROUND, BODY, FACE, SURROUND

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
IDENTITY = ("face_width", "jaw", "nose", "lips", "eye_size", "eye_gap", "brow", "iris")


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


def render(p, size=256):
    """Portrait ``p`` as picture uint8 (size, size, 3) with its true regions uint8 (size, size), and
    the pixel coordinates (2, 2) of its ``eyes`` and corners of the ``mouth``."""
    rng = np.random.default_rng(p.seed)
    c = Canvas(p, size)
    skin = skin_colour(p)
    hair = hair_colour(p)
    strand = (1 + strands(rng, c))[..., None]
    top_light = 0.55 + 0.45 * np.exp(-((c.hx - 0.5 * p.light_x) ** 2) * 1.5 - (c.hy + 0.9) ** 2)
    hair_picture = hair * strand * top_light[..., None] * 1.3
    back, front = hair_masks(p, c)

    image = draw_background(p, rng, c)
    image = mix(image, hair_picture * 0.6, back)
    image, body = draw_body(p, rng, image, c, skin)
    if p.hair_style == 2:
        locks = back * soft(0.62 - np.abs(c.hx), 0.08) * (c.hy > 0.2)
        image = mix(image, hair_picture * 0.7, locks)
    image, ears = draw_ears(p, image, c, skin)

    outline = np.abs(c.hx) - head_width(p, c.hy)
    inside = soft(outline, 2.0 / c.unit) * (np.abs(c.hy) < 1.02)
    image = mix(image, draw_face(p, rng, c, skin, hair), inside)
    image = mix(image, hair_picture, front)
    if p.glasses:
        image = draw_glasses(p, image, c)

    regions = np.full((size, size), BACKGROUND, np.uint8)
    regions[body > 0.5] = BODY
    regions[(back > 0.3) | (ears > 0.5) | (front > 0.3)] = SURROUND
    regions[(inside > 0.5) & (front < 0.3)] = FACE
    points = {"eyes": c.pixels(p, eyes_of(p)), "mouth": c.pixels(p, mouth_of(p))}
    return camera(p, rng, image, size), regions, points


def random_portrait(rng, **fixed):
    """A person drawn from the whole range of parameters, except those that are ``fixed``."""
    u = rng.uniform
    drawn = {name: float(rng.beta(0.9, 1.8)) for name in HEALTH}
    for name in IDENTITY:
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
