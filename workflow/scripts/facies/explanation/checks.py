"""Whether edits of held-out patients do what they promise.

Four questions: does the edited picture, projected again, have the target risk; does its change lie
in the face; how much of that would any change of a face do; and is it the same person still?
"""

import dataclasses

import numpy as np

from facies.explanation.confined import RANDOM, Confined
from facies.explanation.direction import FoldDirections, random_steps
from facies.explanation.edits import ENDS, LEVELS, moved, render
from facies.explanation.estimates import mean_estimate, proportion, ratio_estimate
from facies.explanation.heldout import HeldOut
from facies.explanation.regions import mean_shares, region_shares, squared_change
from facies.generator.perception import Perception
from facies.projection.projector import Projector


def check_edits(
    faces: HeldOut,
    confined: Confined,
    adjusted: FoldDirections,
    projector: Projector,
    perception: Perception,
    seed: int,
) -> dict:
    """Checks of the faces' edits as fitted and, where a face was detected, confined to it."""
    generator, detected = projector.generator, faces.subset(confined.rows)
    others = [adjusted.by_fold[fold] for fold in detected.folds]
    kinds = {
        "fitted": detected.steps[:, None],
        "confined": confined.steps[:, :1],
        "adjusted": dataclasses.replace(detected, directions=others).steps[:, None],
        "random": random_steps_of(detected, seed),
        "random_confined": confined.steps[:, 1:],
    }

    def check(some: HeldOut, steps) -> dict:
        images = render(generator, moved(some.codes, steps))
        risk = check_risk(some, images, projector, seed)
        return {**risk, "identity": check_identity(images, perception, seed)}

    return {
        "faces": len(faces.codes),
        **check(faces, faces.steps),
        "confined": check(detected, confined.steps[:, 0]) if confined.rows else None,
        "regions": check_regions(detected, kinds, confined.regions, generator, seed),
    }


def check_risk(faces: HeldOut, images, projector: Projector, seed: int) -> dict:
    """Recovered risk of edited pictures (m, levels, r, r, 3) that are projected again."""
    flat, batch = images.reshape(-1, *images.shape[2:]), projector.settings.batch
    parts = [projector.project(flat[i : i + batch]).codes for i in range(0, len(flat), batch)]
    codes = np.concatenate(parts).astype(float)
    risks = faces.risks(codes.reshape(*images.shape[:2], *codes.shape[1:]))
    return {
        "levels": list(LEVELS),
        "risk": [mean_estimate(column, seed) for column in risks.T],
        "slope": mean_estimate(slopes(risks), seed),
        "monotone": proportion(monotone(risks)),
    }


def slopes(risks: np.ndarray, levels=LEVELS) -> np.ndarray:
    """Least-squares slope (n,) of recovered risks (n, levels) on the target risks; 1 is ideal."""
    target = np.asarray(levels, float) - np.mean(levels)
    return risks @ target / (target @ target)


def monotone(risks: np.ndarray) -> np.ndarray:
    """Whether each face's recovered risk (n, levels) rises with every step, bool (n,)."""
    return (np.diff(risks, axis=1) > 0).all(axis=1)


def random_steps_of(faces: HeldOut, seed: int) -> np.ndarray:
    """Changes (m, RANDOM, num_ws, w_dim) as long as the edits, in random directions.

    Those of a face are sampled from the codes of the photos that its fold was trained on.
    """
    random = np.random.default_rng(seed)
    steps = np.empty((len(faces.codes), RANDOM, *faces.codes.shape[1:]))
    for fold in np.unique(faces.folds):
        rows = np.flatnonzero(faces.folds == fold)
        length = faces.directions[rows[0]].length
        sampled = random_steps(faces.trained_on(fold), length, len(rows) * RANDOM, random)
        steps[rows] = sampled.reshape(len(rows), *steps.shape[1:])
    return steps


def check_regions(faces: HeldOut, kinds: dict, regions: list, generator, seed: int) -> dict:
    """Where kinds of changes (m, k, num_ws, w_dim) change the picture, beside the mere area of the
    regions; and how many times the share of random changes falls into face and head."""
    rows = {name: _shares(faces, steps, regions, generator) for name, steps in kinds.items()}
    rows["area"] = [region_shares(np.ones(where.shape), where) for where in regions]

    def times_random(kind, part):
        above, below = (np.array([row[part] for row in rows[k]]) for k in (kind, "random"))
        return ratio_estimate(above, below, seed)

    return {
        "faces_detected": len(regions),
        "share": {name: mean_shares(shares, seed) for name, shares in rows.items()},
        "times_random": {
            kind: {part: times_random(kind, part) for part in ("face", "head")}
            for kind in ("fitted", "confined", "adjusted")
        },
    }


def _shares(faces: HeldOut, steps: np.ndarray, regions: list, generator) -> list[dict]:
    """In which regions changes (m, k, num_ws, w_dim) of faces change the picture between both ends,
    in the mean over k."""
    if not regions:
        return []
    codes = np.repeat(faces.codes, steps.shape[1], axis=0)
    ends = render(generator, moved(codes, steps.reshape(codes.shape), ENDS))
    energies = squared_change(ends.reshape(*steps.shape[:2], *ends.shape[1:])).mean(axis=1)
    return [region_shares(*pair) for pair in zip(energies, regions, strict=True)]


def check_identity(images, perception: Perception, seed: int) -> dict:
    """Whether both ends of edits (m, levels, r, r, 3) still are the same person, in the features of
    the network that evaluates generators."""
    features = perception(images.reshape(-1, *images.shape[2:]))
    distance, recognised = identity(features.reshape(*images.shape[:2], -1))
    return {
        "distance": mean_estimate(distance, seed),
        "recognised": proportion(recognised),
    }


def identity(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of features (n, levels, d): how far both ends are from their own unedited face, as a fraction
    of the median distance between people, (n,); and whether their own is the nearest unedited face
    to both, bool (n,)."""
    unedited = features[:, features.shape[1] // 2]
    between = np.linalg.norm(unedited[:, None] - unedited[None], axis=-1)
    typical = np.median(between[np.triu_indices(len(unedited), 1)])
    ends = features[:, [0, -1]]
    distances = np.linalg.norm(ends[:, :, None] - unedited[None, None], axis=-1)  # (n, 2, n)
    rows = np.arange(len(unedited))
    kept = distances[rows, :, rows].mean(axis=1) / typical
    return kept, (distances.argmin(axis=-1) == rows[:, None]).all(axis=1)
