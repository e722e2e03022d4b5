"""Edits confined to the face: a target risk, and least change in the rest of the picture.

The closest code of a target risk (`direction`) shows all that correlates with risk, and where hair
greys and falls with it, hair dominates the skin. Here the picture decides what is close. With z the
coordinates of a code on the training patients' main axes, b the risk's coefficients there and J the
derivative of the pixels outside the face, the z that changes those pixels least among all with
b'z = 1 is G^-1 b / (b' G^-1 b), G = J'J (by Lagrange). That most of its change lies in the face
follows by construction; that the edited picture has the target risk does not, and is measured.

Along the last axes, in which people hardly differ, risk could change without a visible change.
"""

import dataclasses

import numpy as np

from facies.explanation.attribution import jacobian
from facies.explanation.direction import Direction
from facies.explanation.edits import render
from facies.explanation.heldout import HeldOut
from facies.explanation.regions import find_regions
from facies.generator.pictures import at_once
from facies.generator.stylegan2 import Generator
from facies.photos.detection import FaceDetector
from facies.photos.regions import FACE
from facies.survival.designs import principal_axes, small_images

SHARE = 0.85  # of the codes' variance lies on the main axes
SEEN = 256  # pixels to a side at which change outside the face is measured
TIE = 1e-6  # of G's mean eigenvalue: of codes that change the rest alike, the more ordinary one
RANDOM = 4  # random directions to a face, as control


def main_axes(codes: np.ndarray) -> np.ndarray:
    """Principal axes (k, p) of codes (n, p), each one SD long, that hold SHARE of the variance."""
    centred = codes - codes.mean(axis=0)
    axes = principal_axes(centred)
    variances = np.square(centred @ axes.T).mean(axis=0)
    held = np.cumsum(variances) / variances.sum()
    k = int(np.searchsorted(held, SHARE)) + 1
    return axes[:k] * np.sqrt(variances[:k])[:, None]


def confined_steps(slopes: np.ndarray, tangents: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Coordinates (j, k) on k axes that raise each of j risks by one and change the pixels
    `outside`, bool (r, r), least.

    `slopes` (j, k) holds a risk's change along each axis, `tangents` (k, r, r, 3) the picture's.
    """
    rest = tangents[:, outside].reshape(len(tangents), -1).astype(float)
    gram = rest @ rest.T
    tie = TIE * np.trace(gram) / len(gram) or 1.0
    steps = np.linalg.solve(gram + tie * np.eye(len(gram)), slopes.T).T
    return steps / (slopes * steps).sum(axis=1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class Confined:
    """Of faces detected in their renderings: their `rows`, `regions`, and changes of code
    (m, 1 + others, num_ws, w_dim) that leave the picture outside the face nearly as it is: by one
    SD of risk, and as far for risks of random coefficients."""

    rows: list[int]
    regions: list[np.ndarray]
    steps: np.ndarray


def _tangents(generator, code: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The picture's change (k, s, s, 3) along axes (k, p) at a code; large ones made smaller."""
    steps = axes.reshape(-1, *code.shape)
    batch = at_once(generator.img_resolution)
    parts = [steps[i : i + batch] for i in range(0, len(steps), batch)]
    return np.concatenate([small_images(jacobian(generator, code, some), SEEN) for some in parts])


def confine(
    codes: np.ndarray,
    directions: list[Direction],
    axes: list[np.ndarray],
    generator: Generator,
    detector: FaceDetector,
    others: int,
    seed: int,
) -> Confined:
    """Of codes (m, num_ws, w_dim), each with the direction and the main axes of its fold, and with
    some `others` of random coefficients."""
    random, rows, masks, steps = np.random.default_rng(seed), [], [], []
    for i, image in enumerate(render(generator, codes)):
        regions = find_regions(image, detector)
        if regions is not None:
            tangents = _tangents(generator, codes[i], axes[i])
            stride = max(1, len(regions) // SEEN)
            slopes = random.standard_normal((1 + others, len(axes[i])))
            slopes[0] = axes[i] @ directions[i].beta / directions[i].sd
            coordinates = confined_steps(slopes, tangents, regions[::stride, ::stride] != FACE)
            lengths = np.linalg.norm(coordinates, axis=1, keepdims=True)
            steps.append(coordinates * (lengths[0] / lengths) @ axes[i])
            rows.append(i)
            masks.append(regions)
    return Confined(rows, masks, np.reshape(steps, (-1, 1 + others, *codes.shape[1:])))


def confine_held_out(
    faces: HeldOut, generator: Generator, detector: FaceDetector, seed: int
) -> Confined:
    """Of held-out faces, with the main axes of the codes that their fold was trained on."""
    by_fold = {fold: main_axes(faces.trained_on(fold)) for fold in np.unique(faces.folds)}
    axes = [by_fold[fold] for fold in faces.folds]
    return confine(faces.codes, faces.directions, axes, generator, detector, RANDOM, seed)
