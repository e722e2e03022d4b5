"""Edit faces to a wanted risk, draw them, and check on held-out patients that edits keep to it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facies import edits
from facies.checkpoints import best_device, load_networks
from facies.detection import FaceDetector
from facies.direction import load_directions, random_steps
from facies.features import read_table
from facies.heldout import HeldOut, held_out_faces
from facies.jobs import run_job
from facies.perception import Perception
from facies.projection import ProjectionSettings, Projector
from facies.rows import Rows
from facies.sheets import heat, risk_labels, save_moving, sheet

FACES = 24  # patients whose edits are checked
SHOWN = 6
RANDOM = 4  # random directions to a face
ENDS = (edits.LEVELS[0], edits.LEVELS[-1])
FRAMES = np.linspace(*ENDS, 13)
ENOUGH = 30  # patients, whose mean face resembles none of them


def check_risk(faces: HeldOut, images, projector: Projector, seed: int) -> dict:
    """Have edited pictures (m, levels, r, r, 3), projected anew, the risk that was wanted?"""
    flat, batch = images.reshape(-1, *images.shape[2:]), projector.settings.batch
    parts = [projector.project(flat[i : i + batch]).codes for i in range(0, len(flat), batch)]
    found = np.concatenate(parts).astype(float)
    risks = faces.risks(found.reshape(*images.shape[:2], *found.shape[1:]))
    return {
        "levels": list(edits.LEVELS),
        "risk": [edits.over_faces(column, seed) for column in risks.T],
        "slope": edits.over_faces(edits.slopes(risks), seed),
        "monotone": edits.share_of(edits.monotone(risks)),
    }


def random_images(faces: HeldOut, generator, seed: int) -> np.ndarray:
    """Both ends (m, RANDOM, 2, r, r, 3) of changes as long as the edits, in random directions.

    Those of a face are drawn from the codes of the photos that its fold was trained on.
    """
    random = np.random.default_rng(seed)
    steps = np.empty((len(faces.codes), RANDOM, *faces.codes.shape[1:]))
    for fold in np.unique(faces.folds):
        own = np.flatnonzero(faces.folds == fold)
        length = faces.directions[own[0]].length
        known = faces.everyone.to_numpy()[faces.fold_of != fold]
        drawn = random_steps(known, length, len(own) * RANDOM, random)
        steps[own] = drawn.reshape(len(own), *steps.shape[1:])
    repeated = np.repeat(faces.codes, RANDOM, axis=0)
    images = edits.render(generator, edits.moved(repeated, steps.reshape(repeated.shape), ENDS))
    return images.reshape(len(faces.codes), RANDOM, *images.shape[1:])


def place_shares(ends: np.ndarray, regions: list) -> list[dict]:
    """Where pictures (m, k, 2, r, r, 3) differ between their ends, in the mean over k, for each
    face whose regions were found."""
    pairs = [(edits.change(own).mean(axis=0), r) for own, r in zip(ends, regions, strict=True)]
    return [edits.shares(energy, where) for energy, where in pairs if where is not None]


def check_places(faces: HeldOut, adjusted: list, generator, images, regions, seed: int) -> dict:
    """Where edits change the picture, as fitted and adjusted, beside random changes and the mere
    area of the regions; and how many times the random share falls into face and head."""
    other = dataclasses.replace(faces, directions=adjusted)
    other_images = edits.render(generator, edits.moved(faces.codes, other.steps, ENDS))
    ends = {
        "fitted": images[:, None, [0, -1]],
        "adjusted": other_images[:, None],
        "random": random_images(faces, generator, seed),
    }
    rows = {name: place_shares(own, regions) for name, own in ends.items()}
    rows["area"] = [edits.shares(np.ones(r.shape), r) for r in regions if r is not None]

    def times_random(kind, part):
        above, below = (np.array([row[part] for row in rows[k]]) for k in (kind, "random"))
        return edits.ratio(above, below, seed)

    return {
        "faces_found": len(rows["area"]),
        "share": {name: edits.mean_shares(own, seed) for name, own in rows.items()},
        "times_random": {
            kind: {part: times_random(kind, part) for part in ("face", "head")}
            for kind in ("fitted", "adjusted")
        },
    }


def check_identity(images, perception: Perception, seed: int) -> dict:
    """Are both ends still the same person, in the features of a network that knows faces?"""
    features = perception(images.reshape(-1, *images.shape[2:]))
    found = edits.identity(features.reshape(*images.shape[:2], -1))
    return {
        "distance": edits.over_faces(found["distance"], seed),
        "recognised": edits.share_of(found["recognised"]),
    }


def draw_walks(images: np.ndarray, first: np.ndarray | None = None):
    """A row per face, its edits (n, levels, r, r, 3) from ill to healthy and where they change it;
    `first` (n, r, r, 3), the photos, in front."""
    rows = []
    for i, walked in enumerate(images):
        marked = heat(edits.change(walked), walked[len(walked) // 2])
        photo = [] if first is None else [first[i]]
        rows.append(np.stack([*photo, *walked[::-1], marked]))
    labels = risk_labels(edits.LEVELS[::-1])
    return sheet(rows, [*([] if first is None else ["photo"]), *labels, "change"])


def draw_moving(path, generator, codes, steps) -> None:
    """Faces (n, num_ws, w_dim) from healthy to ill and back."""
    images = edits.render(generator, edits.moved(codes, steps, FRAMES))
    save_moving(path, list(images.swapaxes(0, 1)))


def main(job):
    torch.set_num_threads(job.threads)
    seed, device = job.params.seed, best_device()
    networks = load_networks(job.input.checkpoint, "generator", "discriminator", "encoder")
    projector = Projector(*networks, ProjectionSettings(**job.params.settings), device)
    generator = projector.generator
    fitted = load_directions(job.input.direction, "fitted")
    adjusted = load_directions(job.input.direction, "adjusted")

    tables = read_table(job.input.photos), read_table(job.input.folds)
    faces = held_out_faces(job.input.latents, *tables, fitted, FACES, seed)
    images = edits.render(generator, edits.moved(faces.codes, faces.steps))
    perception = Perception(job.input.perception, device)
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    regions = [edits.find_regions(own[len(edits.LEVELS) // 2], detector) for own in images]
    others = [adjusted.by_fold[fold] for fold in faces.folds]
    found = {
        "faces": len(faces.codes),
        **check_risk(faces, images, projector, seed),
        "place": check_places(faces, others, generator, images, regions, seed),
        "identity": check_identity(images, perception, seed),
    }
    Path(job.output.figures).write_text(json.dumps(found, indent=1, allow_nan=False))

    steps = [d.mean.step.reshape(fitted.shape) for d in (fitted, adjusted)]
    means = faces.everyone.groupby("patient_id").mean()
    everyone = means.to_numpy().mean(axis=0).reshape(1, *fitted.shape)
    if len(means) < ENOUGH:
        everyone = generator.mapping.w_avg.expand(1, *fitted.shape).cpu().numpy()
    strips = [edits.render(generator, edits.moved(everyone, step))[0] for step in steps]
    draw_walks(np.stack(strips)).save(job.output.strip)
    z = torch.randn(SHOWN, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        people = generator.mapping(z.to(device)).cpu().numpy()
    # Truncation keeps generated people ordinary (Karras et al. 2019, appendix B).
    people = everyone + 0.6 * (people - people.mean(axis=0))
    walked = edits.render(generator, edits.moved(people, steps[0]))
    draw_walks(walked).save(job.output.walks)
    draw_moving(job.output.moving, generator, people, steps[0])
    if job.params.show:
        with np.load(job.input.aligned) as aligned:
            rows = pd.Index(aligned["photo_ids"]).get_indexer(faces.photo_ids[:SHOWN])
        shown = Rows(job.input.aligned, "images")[rows]
        draw_walks(images[:SHOWN], shown).save(job.output.patients)
        some = faces.codes[:SHOWN], faces.steps[:SHOWN]
        draw_moving(job.output.patients_moving, generator, *some)
    print(f"{found['faces']} faces edited, {found['place']['faces_found']} found again")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
