"""Maps of the risk over faces of held-out patients, and in which regions it lies."""

import numpy as np

from facies.explanation.associations import correlation
from facies.explanation.attribution import encode, jacobian, occlusion
from facies.explanation.heldout import HeldOut
from facies.explanation.regions import mean_shares, region_shares
from facies.explanation.strips import heat, sheet
from facies.generator.stylegan2 import Encoder, Generator
from facies.statistics.bootstrap import draw_patients, interval

# Kinds of maps, and their labels in figures.
LABELS = {"jacobian": "generator draws", "occlusion": "encoder reads"}


def jacobian_maps(faces: HeldOut, generator: Generator) -> np.ndarray:
    """Squared change of every pixel per SD of risk, summed over colours, (m, r, r)."""
    pairs = zip(faces.codes, faces.steps, strict=True)
    changes = [jacobian(generator, code, step[None])[0] for code, step in pairs]
    return np.square(changes).sum(axis=-1)


def occlusion_maps(
    faces: HeldOut, photos: np.ndarray, fills: dict, encoder: Encoder, centre
) -> np.ndarray:
    """Squared change of risk, in SDs, when a part of a photo (m, r, r, 3) shows `fills` of its
    fold, (r, r, 3) each: (m, r, r). The risk is read by the encoder alone, about a `centre`."""
    maps = []
    for photo, fold, direction in zip(photos, faces.folds, faces.directions, strict=True):

        def risk(some, direction=direction):
            return direction.risk(encode(encoder, centre, some))

        maps.append(np.square(occlusion(photo, fills[fold], risk) / direction.sd))
    return np.stack(maps)


def map_shares(maps: np.ndarray, regions: list, seed: int) -> dict:
    """Share of maps (m, r, r) in each region, over faces that were detected."""
    pairs = zip(maps, regions, strict=True)
    rows = [region_shares(one, where) for one, where in pairs if where is not None and one.any()]
    return mean_shares(rows, seed)


def agreement(faces: HeldOut, photos: np.ndarray, encoder: Encoder, centre, seed: int) -> dict:
    """Correlation over faces of the risk that the encoder alone reads from photos with that by
    projection: how far the occlusion maps are evidence about the model."""
    codes = encode(encoder, centre, photos).reshape(-1, 1, *faces.codes.shape[1:])
    pairs = zip(faces.directions, faces.codes, strict=True)
    projected = np.array([d.risk(code.ravel()) / d.sd for d, code in pairs])
    encoded = faces.risks(codes)[:, 0] + projected
    draws = draw_patients(np.arange(len(encoded)), np.zeros(len(encoded)), seed)
    return interval(correlation(encoded, projected[:, None], draws.weights))


def mean_map(maps: np.ndarray) -> np.ndarray:
    """Mean (r, r) of maps (m, r, r), of which each has the same weight."""
    totals = maps.sum(axis=(1, 2), keepdims=True)
    return (maps / np.maximum(totals, 1e-12)).mean(axis=0)


def draw_mean_maps(face: np.ndarray, maps: dict[str, np.ndarray]):
    """The mean maps of each kind over a face (r, r, 3)."""
    row = np.stack([face, *(heat(mean_map(some), face) for some in maps.values())])
    return sheet([row], ["mean face", *map(LABELS.get, maps)], side=256)


def draw_maps(photos: np.ndarray, maps: dict[str, np.ndarray]):
    """A row for each photo of (n, r, r, 3), with its maps of each kind."""
    rows = [
        np.stack([photo, *(heat(some[i], photo) for some in maps.values())])
        for i, photo in enumerate(photos)
    ]
    return sheet(rows, ["photo", *map(LABELS.get, maps)])
