"""Map which pixels carry the risk: by the generator's Jacobian, and by covering parts of photos."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.common.rows import Rows, mean_picture
from facies.explanation import edits
from facies.explanation.attribution import encode, jacobian, occlusion
from facies.explanation.direction import load_directions
from facies.explanation.heldout import HeldOut, held_out_faces
from facies.explanation.recovery import correlation
from facies.explanation.strips import heat, sheet
from facies.generator.checkpoints import best_device, load_networks
from facies.photos.detection import FaceDetector
from facies.statistics.bootstrap import draw_patients, interval

FACES = 24
SHOWN = 4
NAMES = {"jacobian": "generator draws", "occlusion": "encoder reads"}


def by_jacobian(faces: HeldOut, generator) -> np.ndarray:
    """Squared change of every pixel per SD of risk, summed over colours, (m, r, r)."""
    pairs = zip(faces.codes, faces.steps, strict=True)
    changes = [jacobian(generator, code, step[None])[0] for code, step in pairs]
    return np.square(changes).sum(axis=-1)


def by_occlusion(faces: HeldOut, photos, fills: dict, risk_of) -> np.ndarray:
    """Squared change of risk, in SDs, when a part of a photo (m, r, r, 3) shows the mean photo of
    its fold's training patients: (m, r, r)."""
    maps = []
    for photo, fold, direction in zip(photos, faces.folds, faces.directions, strict=True):
        found = occlusion(photo, fills[fold], lambda some, d=direction: risk_of(some, d))
        maps.append(np.square(found / direction.sd))
    return np.stack(maps)


def places(maps: np.ndarray, regions: list, seed: int) -> dict:
    """Share of maps (m, r, r) in each region, over faces whose regions were found."""
    pairs = zip(maps, regions, strict=True)
    rows = [edits.shares(own, where) for own, where in pairs if where is not None and own.any()]
    return edits.mean_shares(rows, seed)


def agreement(faces: HeldOut, encoded: np.ndarray, seed: int) -> dict:
    """Correlation over faces of the risk by the encoder alone, codes (m, 1, num_ws, w_dim), with
    that by projection: how far what the encoder reads speaks for the model."""
    pairs = zip(faces.directions, faces.codes, strict=True)
    projected = np.array([d.risk(code.ravel()) / d.sd for d, code in pairs])
    read = faces.risks(encoded)[:, 0] + projected
    draws = draw_patients(np.arange(len(read)), np.zeros(len(read)), seed)
    return interval(correlation(read, projected[:, None], draws.weights))


def mean_map(maps: np.ndarray) -> np.ndarray:
    """Mean (r, r) of maps (m, r, r), of which each counts alike."""
    totals = maps.sum(axis=(1, 2), keepdims=True)
    return (maps / np.maximum(totals, 1e-12)).mean(axis=0)


def main(job):
    torch.set_num_threads(job.threads)
    seed, device = job.params.seed, best_device()
    networks = load_networks(job.input.checkpoint, "generator", "encoder")
    generator, encoder = (network.to(device) for network in networks)
    centre = generator.mapping.w_avg
    fitted = load_directions(job.input.direction, "fitted")
    tables = read_table(job.input.photos), read_table(job.input.folds)
    faces = held_out_faces(job.input.latents, *tables, fitted, FACES, seed)
    with np.load(job.input.aligned) as aligned:
        images, index = Rows(job.input.aligned, "images"), pd.Index(aligned["photo_ids"])
    photos = images[index.get_indexer(faces.photo_ids)]
    known = index.get_indexer(faces.everyone.index.get_level_values("photo_id"))
    fills = {
        fold: mean_picture(images, known[faces.fold_of != fold]) for fold in np.unique(faces.folds)
    }

    def risk_of(some, direction):
        return direction.risk(encode(encoder, centre, some))

    maps = {
        "jacobian": by_jacobian(faces, generator),
        "occlusion": by_occlusion(faces, photos, fills, risk_of),
    }
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    regions = [edits.find_regions(photo, detector) for photo in photos]
    encoded = encode(encoder, centre, photos).reshape(-1, 1, *fitted.shape)
    found = {
        "faces": len(photos),
        "faces_found": sum(own is not None for own in regions),
        "agreement": agreement(faces, encoded, seed),
        "area": places(np.ones(maps["jacobian"].shape), regions, seed),
        **{name: places(own, regions, seed) for name, own in maps.items()},
    }
    write_json(job.output.figures, found)
    face = edits.render(generator, centre.expand(1, *fitted.shape).cpu().numpy())[0]
    means = [heat(mean_map(own), face) for own in maps.values()]
    labels = ["mean face", *NAMES.values()]
    sheet([np.stack([face, *means])], labels, side=256).save(job.output.mean)
    if job.params.show:
        rows = [
            np.stack([photo, *(heat(own[i], photo) for own in maps.values())])
            for i, photo in enumerate(photos[:SHOWN])
        ]
        sheet(rows, ["photo", *NAMES.values()]).save(job.output.patients)
    print(f"{len(photos)} faces mapped, {found['faces_found']} found again")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
