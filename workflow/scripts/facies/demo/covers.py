"""Draw covers of a face (masks, dark glasses, cloth, hands), and things that do not cover it.

The network of `photos.visibility` is trained and tested on them. Coordinates of the face: u to the
right in distances between the eyes, v down in distances from eyes to mouth, the origin midway
between the eyes.
"""

import cv2
import numpy as np

from facies.demo.painting import hsv, mix, noise, soft
from facies.photos.detection import Face

COVERS = ("mask", "nose_free", "sunglasses", "side", "lower", "upper")
HARMLESS = ("plain", "glasses", "beard", "tube")
RIM = 0.02


def cover(
    kind: str, photo: np.ndarray, face: Face, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A photo uint8 (h, w, 3) with a cover of that kind, and which pixels it hides, 1 or 0, (h, w).

    A grey photo stays grey.
    """
    u, v = _frame(photo, face)
    paint, alpha = PAINTERS[kind](photo / 255.0, u, v, face, random)
    smooth = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), max(face.size * 0.01, 0.4))
    image = np.clip(mix(photo / 255.0, paint, smooth), 0, 1)
    if np.ptp(photo.astype(int), axis=2).mean() < 6:
        image = np.repeat((image @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
    hidden = np.zeros_like(smooth) if kind in HARMLESS else (alpha > 0.5).astype(np.float32)
    return (image * 255 + 0.5).astype(np.uint8), hidden


def cut(photo: np.ndarray, face: Face, random: np.random.Generator):
    """The photo cut through the middle of the face, the mask (h, w) of what was cut off, and the
    (x, y) of the new top left corner."""
    height, width = photo.shape[:2]
    down = face.mouth[:, 1].mean() - face.eyes[:, 1].mean()
    middle = face.landmarks[[10, 152], 0].mean()
    x = int(middle + random.uniform(-0.08, 0.08) * np.ptp(face.landmarks[:, 0]))
    y = int(face.eyes[:, 1].mean() + random.uniform(0.3, 0.7) * down)
    x, y = np.clip(x, 16, max(width - 16, 16)), np.clip(y, 16, max(height - 16, 16))
    ways = ((0, height, 0, x), (0, height, x, width), (0, y, 0, width), (y, height, 0, width))
    top, bottom, left, right = ways[random.integers(4)]
    hidden = np.ones((height, width), np.float32)
    hidden[top:bottom, left:right] = 0
    return np.ascontiguousarray(photo[top:bottom, left:right]), hidden, (left, top)


def _frame(photo, face):
    """u and v of every pixel, (h, w) each."""
    right = face.eyes[1] - face.eyes[0]
    down = face.mouth.mean(axis=0) - face.eyes.mean(axis=0)
    y, x = np.mgrid[0 : photo.shape[0], 0 : photo.shape[1]] + 0.5
    to_face = np.linalg.inv(np.stack([right, down], axis=1))
    u, v = np.tensordot(to_face, np.stack([x, y]) - face.eyes.mean(axis=0)[:, None, None], 1)
    return u.astype(np.float32), v.astype(np.float32)


def stuff(photo, u, v, random, colour=None):
    """A picture (h, w, 3) of cloth, paper or hair: colour, folds, weave and pattern."""
    side = max(photo.shape[:2])
    if colour is None:
        colour = _colour(random)
    image = np.broadcast_to(np.asarray(colour, float), photo.shape).copy()
    way = random.integers(6)
    angle = random.uniform(0, np.pi)
    along = u * np.cos(angle) + v * np.sin(angle)
    across = v * np.cos(angle) - u * np.sin(angle)
    if way == 0:  # stripes, checks
        stripes = np.sin(along * random.uniform(6, 40)) * (
            np.sin(across * random.uniform(6, 40)) if random.random() < 0.5 else 1
        )
        image = mix(
            image, _colour(random), (stripes > random.uniform(-0.5, 0.5)) * random.uniform(0.3, 1)
        )
    elif way == 1:  # blobs
        blobs = _noise(random, side, int(random.integers(6, 40)), photo)
        image = mix(image, _colour(random), soft(-blobs * 0.1, 0.05))
    elif way == 2:  # another place of the same photo
        image = _elsewhere(photo, random)
    folds = _noise(random, side, int(random.integers(2, 9)), photo) * random.uniform(0, 0.12)
    folds += np.sin(v * random.uniform(5, 18) + random.uniform(0, 6)) * random.uniform(0, 0.1)
    folds += (u * random.normal(0, 0.15) + v * random.normal(0, 0.15)) * random.integers(0, 2)
    weave = random.standard_normal(photo.shape[:2]) * random.uniform(0, 0.04)
    return np.clip(image * np.clip(1 + folds + weave, 0.3, 1.7)[..., None], 0, 1)


def _colour(random):
    kinds = np.array(
        [[0.93, 0.95, 0.97], [0.55, 0.75, 0.88], [0.06, 0.06, 0.07], [0.45, 0.7, 0.65]]
    )
    if random.random() < 0.55:
        return np.clip(kinds[random.integers(4)] * random.uniform(0.75, 1.05), 0, 1)
    if random.random() < 0.3:
        return np.full(3, random.uniform(0.05, 0.95))
    return hsv(random.random(), random.uniform(0.1, 0.9), random.uniform(0.15, 1)) ** (1 / 2.2)


def _noise(random, side, cells, photo):
    return noise(random, side, cells)[: photo.shape[0], : photo.shape[1]]


def _elsewhere(photo, random):
    """A random rectangle of the photo, enlarged to its size and turned by 180 degrees."""
    h, w = photo.shape[:2]
    part = random.uniform(0.2, 0.6)
    y, x = int(random.uniform(0, (1 - part) * h)), int(random.uniform(0, (1 - part) * w))
    piece = photo[y : y + max(int(part * h), 2), x : x + max(int(part * w), 2)]
    return cv2.resize(piece, (w, h), interpolation=cv2.INTER_LINEAR)[::-1, ::-1]


def _skin(photo, face, random):
    """Colour of a hand: that of the cheeks, varied a little."""
    x, y = face.landmarks[[50, 280, 205, 425]].mean(axis=0)
    h, w = photo.shape[:2]
    r = max(face.size * 0.15, 1)
    y, x = np.clip([y, x], 0, [h - 1, w - 1])
    piece = photo[int(max(y - r, 0)) : int(y + r) + 1, int(max(x - r, 0)) : int(x + r) + 1]
    return np.clip(piece.reshape(-1, 3).mean(axis=0) * random.uniform(0.8, 1.2), 0, 1)


JAW = [234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152]
JAW += [377, 400, 378, 379, 365, 397, 288, 361, 323, 454]
NOSE = [6, 197, 195, 5, 4]  # root to tip


def _mask(photo, u, v, face, random, top=None):
    """A surgical mask from the bridge of the nose, or from below it, to the chin, with strings."""
    points = face.landmarks
    free = top == "free"
    jaw = points[JAW[2:-2] if random.random() < 0.5 or free else JAW[1:-1]]
    centre = points[1]
    jaw = centre + (jaw - centre) * random.uniform(0.97, 1.12)
    ridge = points[164] if free else points[NOSE[random.integers(0, 4)]]
    left, right = points[[205, 425]] if free else points[[117, 346]]
    drop = random.uniform(-0.05, 0.15) * (points[152] - points[10])
    outline = np.concatenate([jaw, [right + drop, ridge, left + drop]])
    mask = np.zeros(photo.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.int32(np.round(_smooth(outline) * 16))], 1.0, shift=4)
    image = stuff(photo, u, v, random)
    shade = 1 - random.uniform(0, 0.35) * np.clip(np.abs(u) / 1.1, 0, 1) ** 2
    if random.random() < 0.5:  # pleats
        pleats = np.abs(((v * random.uniform(2.5, 4)) % 1) - 0.5) < random.uniform(0.02, 0.08)
        shade = shade - pleats * random.uniform(0.05, 0.2) * (np.abs(u) < 0.8)
    if random.random() < 0.3:  # a fold down the middle
        shade = shade + 0.1 * np.sign(u) * random.choice([-1, 1])
    image = np.clip(image * shade[..., None], 0, 1)
    if random.random() < 0.7:
        width = max(int(face.size * 0.04), 1)
        for ear, at in ((points[234], outline[0]), (points[454], outline[len(jaw) - 1])):
            cv2.line(mask, _int(ear), _int(at), 1.0, width)
    return image, mask


def _int(point):
    return tuple(int(round(float(x))) for x in point)


def _smooth(outline):
    """A closed curve near the corners of an outline (n, 2) (Chaikin's corner cutting)."""
    for _ in range(2):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack(
            [0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1
        )
        outline = outline.reshape(-1, 2)
    return outline


def _sunglasses(photo, u, v, face, random):
    """Two dark lenses of any shape, or one bar."""
    if random.random() < 0.2:
        half, rise = random.uniform(0.85, 1.2), random.uniform(0.22, 0.5)
        power = random.uniform(2.5, 10)
        ring = (np.abs(u / half) ** power + np.abs((v - 0.05) / rise) ** power) ** (1 / power)
    else:
        ring = _lenses(u, v, random)
    alpha = soft(ring - 1, RIM)
    dark = random.uniform(0, 0.25) if random.random() < 0.8 else random.uniform(0.1, 0.4)
    tint = np.clip(dark * np.array([1, 1, 1]) * random.uniform(0.6, 1.4, 3), 0, 1)
    image = np.broadcast_to(tint, photo.shape).copy()
    if random.random() < 0.5:  # lighter below
        image += np.clip(v + 0.3, 0, 1)[..., None] * random.uniform(0, 0.3)
    if random.random() < 0.5:  # what they mirror
        image = mix(image, _elsewhere(photo, random), random.uniform(0.05, 0.35) * np.ones_like(u))
    if random.random() < 0.4:
        angle = random.uniform(-1, 1)
        streak = np.exp(-((((u % 0.9) - 0.45 + angle * v) / 0.08) ** 2))
        image = mix(image, [0.9] * 3, streak * random.uniform(0.1, 0.6))
    opacity = random.uniform(0.75, 1)
    frame = _rims(u, v, ring, random)
    image = mix(image * opacity + photo * (1 - opacity) * 0.5, _colour(random) * 0.4, frame)
    return image, np.maximum(alpha, frame)


def _lenses(u, v, random):
    """1 on the rims of two lenses, less than 1 inside, (h, w)."""
    half, rise = random.uniform(0.30, 0.48), random.uniform(0.24, 0.45)
    power, slant = random.uniform(1.8, 6), random.uniform(-0.15, 0.25)
    away = np.abs(u) - random.uniform(0.48, 0.55)
    down = v - random.uniform(-0.02, 0.12) - slant * away
    narrow = half * (1 + random.uniform(-0.3, 0.1) * np.clip(down / rise, -1, 1))
    return (np.abs(away / narrow) ** power + np.abs(down / rise) ** power) ** (1 / power)


def _rims(u, v, ring, random):
    """Frame, bridge and temples, (h, w)."""
    width = random.uniform(0.01, 0.08)
    frame = soft(np.abs(ring - 1) - width, RIM)
    bridge = (
        soft(np.abs(v - random.uniform(-0.1, 0.05)) - 0.03, RIM) * (np.abs(u) < 0.3) * (ring > 1)
    )
    temples = (
        soft(np.abs(v + 0.05) - 0.03, RIM) * (np.abs(u) > 0.8) * (np.abs(u) < 1.15) * (ring > 1)
    )
    return np.maximum(np.maximum(frame, bridge), temples * random.integers(0, 2))


def _glasses(photo, u, v, face, random):
    """Clear lenses with rims and reflections."""
    ring = _lenses(u, v, random)
    frame = _rims(u, v, ring, random)
    image = photo.copy()
    glare = np.exp(
        -(((u % 0.9 - 0.45 + random.uniform(-1, 1) * v) / random.uniform(0.03, 0.1)) ** 2)
    )
    image = mix(image, [0.95] * 3, glare * soft(ring - 1, RIM) * random.uniform(0, 0.5))
    tinted = random.uniform(0.75, 1, 3)
    image = np.where((ring < 1)[..., None], image * tinted, image)
    frame = frame * random.uniform(0.6, 1)
    return mix(image, _colour(random) * random.uniform(0.2, 1), frame), np.ones_like(u)


def _half(photo, u, v, face, random, edge):
    """Cloth, hair or a hand. ``edge``: signed distance from its edge, coordinate along the edge,
    and whether the edge is vertical."""
    wave = np.sin(edge[1] * random.uniform(2, 8) + random.uniform(0, 6)) * random.uniform(0, 0.08)
    alpha = soft(-(edge[0] + wave), RIM)
    if random.random() < 0.35:
        image = stuff(photo, u, v, random, _skin(photo, face, random))
        fingers = np.abs(((edge[1] * random.uniform(1.5, 3) + random.uniform(0, 1)) % 1) - 0.5)
        image = image * (1 - 0.6 * np.exp(-((fingers / 0.06) ** 2)))[..., None]
        alpha = soft(-(edge[0] - 0.15 * np.exp(-((fingers / 0.12) ** 2))), RIM)
        reach = random.uniform(1.2, 3)
        alpha = alpha * soft(np.abs(v if abs(edge[2]) else u) - reach, 0.1)
    elif random.random() < 0.3:
        strands = cv2.GaussianBlur(random.standard_normal(photo.shape[:2]), (0, 0), 0.8, sigmaY=8)
        image = stuff(photo, u, v, random, _hair(random)) * (1 + 0.6 * strands)[..., None]
    else:
        image = stuff(photo, u, v, random)
    return np.clip(image, 0, 1), alpha


def _hair(random):
    fair, dark = np.array([0.6, 0.45, 0.3]), np.array([0.08, 0.06, 0.05])
    return dark + random.random() ** 2 * (fair - dark)


def _side(photo, u, v, face, random):
    tilt, way, at = random.normal(0, 0.15), random.choice([-1, 1]), random.uniform(-0.12, 0.12)
    return _half(photo, u, v, face, random, (way * (u + tilt * (v - 0.5)) + at, v, 1))


def _lower(photo, u, v, face, random):
    return _half(
        photo,
        u,
        v,
        face,
        random,
        (v + random.normal(0, 0.1) * u - random.uniform(0.35, 0.72), u, 0),
    )


def _upper(photo, u, v, face, random):
    return _half(
        photo,
        u,
        v,
        face,
        random,
        (-(v + random.normal(0, 0.1) * u) + random.uniform(0.2, 0.55), u, 0),
    )


def _beard(photo, u, v, face, random):
    """A beard around the mouth, or a moustache."""
    outline = face.landmarks[JAW[3:-3]]
    outline = face.landmarks[1] + (outline - face.landmarks[1]) * random.uniform(1.0, 1.25)
    chin = np.zeros(photo.shape[:2], np.float32)
    top = face.landmarks[[425, 164, 205]] * 0.5 + face.landmarks[[287, 164, 57]] * 0.5
    cv2.fillPoly(chin, [np.int32(_smooth(np.concatenate([outline, top])))], 1.0)
    lips = (np.abs(u / 0.42) ** 2 + np.abs((v - 1) / 0.13) ** 2) < 1
    if random.random() < 0.3:
        chin = ((np.abs(u) < 0.45) & (np.abs(v - 0.84) < 0.07)).astype(np.float32)
    alpha = cv2.GaussianBlur(chin * ~lips, (0, 0), max(face.size * 0.05, 0.5))
    strands = cv2.GaussianBlur(random.standard_normal(photo.shape[:2]), (0, 0), 0.6, sigmaY=2)
    grey = _hair(random) if random.random() < 0.6 else np.full(3, random.uniform(0.5, 0.9))
    image = grey * (1 + random.uniform(0.5, 1.5) * strands)[..., None]
    return np.clip(image, 0, 1), np.clip(alpha, 0, 1) * random.uniform(0.5, 1)


def _tube(photo, u, v, face, random):
    """A tube from the nose over the cheeks: an oxygen cannula or a feeding tube."""
    curve = 0.62 + 0.25 * np.abs(u) * random.uniform(-0.5, 1)
    alpha = soft(np.abs(v - curve) - random.uniform(0.015, 0.04), RIM) * (np.abs(u) < 1.2)
    if random.random() < 0.4:
        alpha = alpha * (u * random.choice([-1, 1]) > 0)
    return np.broadcast_to(_colour(random), photo.shape), alpha * random.uniform(0.4, 1)


def _plain(photo, u, v, face, random):
    return photo, np.ones_like(u)


PAINTERS = {
    "mask": _mask,
    "nose_free": lambda *given: _mask(*given, top="free"),
    "sunglasses": _sunglasses,
    "side": _side,
    "lower": _lower,
    "upper": _upper,
    "plain": _plain,
    "glasses": _glasses,
    "beard": _beard,
    "tube": _tube,
}
