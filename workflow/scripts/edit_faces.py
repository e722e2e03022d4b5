"""Edit faces to a wanted risk, draw them, and check on held-out patients that edits keep to it."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.common.rows import Rows
from facies.explanation import edits
from facies.explanation.confined import Confined, confine, main_axes
from facies.explanation.direction import load_directions, random_steps
from facies.explanation.heldout import HeldOut, held_out_faces
from facies.explanation.strips import heat, risk_labels, save_moving, sheet
from facies.generator.checkpoints import best_device, load_networks
from facies.generator.perception import Perception
from facies.photos.detection import FaceDetector
from facies.projection.projector import ProjectionSettings, Projector

FACES = 24  # patients whose edits are checked
SHOWN = 4
RANDOM = 4  # random directions to a face
ENDS = (edits.LEVELS[0], edits.LEVELS[-1])
FRAMES = np.linspace(*ENDS, 13)
ENOUGH = 30  # patients, whose mean face resembles none of them
ORDINARY = 0.8  # of their spread: truncation (Karras et al. 2019, appendix B)


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


def random_steps_of(faces: HeldOut, seed: int) -> np.ndarray:
    """Changes (m, RANDOM, num_ws, w_dim) as long as the edits, in random directions.

    Those of a face are drawn from the codes of the photos that its fold was trained on.
    """
    random = np.random.default_rng(seed)
    steps = np.empty((len(faces.codes), RANDOM, *faces.codes.shape[1:]))
    for fold in np.unique(faces.folds):
        own = np.flatnonzero(faces.folds == fold)
        length = faces.directions[own[0]].length
        drawn = random_steps(faces.trained_on(fold), length, len(own) * RANDOM, random)
        steps[own] = drawn.reshape(len(own), *steps.shape[1:])
    return steps


def place_shares(faces: HeldOut, steps: np.ndarray, regions: list, generator) -> list[dict]:
    """Where changes (m, k, num_ws, w_dim) of faces, whose regions are known, change the picture
    between both ends, in the mean over k."""
    if not regions:
        return []
    codes = np.repeat(faces.codes, steps.shape[1], axis=0)
    ends = edits.render(generator, edits.moved(codes, steps.reshape(codes.shape), ENDS))
    energies = edits.change(ends.reshape(*steps.shape[:2], *ends.shape[1:])).mean(axis=1)
    return [edits.shares(*pair) for pair in zip(energies, regions, strict=True)]


def check_places(faces: HeldOut, kinds: dict, regions: list, generator, seed: int) -> dict:
    """Where kinds of changes (m, k, num_ws, w_dim) change the picture, beside the mere area of the
    regions; and how many times the share of random changes falls into face and head."""
    rows = {name: place_shares(faces, own, regions, generator) for name, own in kinds.items()}
    rows["area"] = [edits.shares(np.ones(where.shape), where) for where in regions]

    def times_random(kind, part):
        above, below = (np.array([row[part] for row in rows[k]]) for k in (kind, "random"))
        return edits.ratio(above, below, seed)

    return {
        "faces_found": len(regions),
        "share": {name: edits.mean_shares(own, seed) for name, own in rows.items()},
        "times_random": {
            kind: {part: times_random(kind, part) for part in ("face", "head")}
            for kind in ("fitted", "confined", "adjusted")
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


def shown(steps: np.ndarray, confined: Confined) -> tuple[list[int], list[np.ndarray]]:
    """Rows of a few faces that can be edited in both ways, and both kinds of their steps, of all
    `steps` (m, num_ws, w_dim); of any faces in one way where no face was found."""
    rows = confined.rows[:SHOWN]
    if rows:
        return rows, [steps[rows], confined.steps[: len(rows), 0]]
    return list(range(len(steps)))[:SHOWN], [steps[:SHOWN]]


def walk(codes, kinds: list, generator, levels=edits.LEVELS) -> np.ndarray:
    """Edits (n, kinds, levels, r, r, 3) of codes (n, num_ws, w_dim) along steps of some kinds."""
    moved = [edits.moved(codes, steps, levels) for steps in kinds]
    return edits.render(generator, np.stack(moved, axis=1))


def draw_walks(images: np.ndarray, photos: np.ndarray | None = None):
    """A row for each kind of edit of each face (n, kinds, levels, r, r, 3), from ill to healthy,
    and where it changes; the photos (n, r, r, 3), if any, in front."""
    rows = []
    for i, walks in enumerate(images):
        front = [] if photos is None else [photos[i]]
        for walked in walks:
            marked = heat(edits.change(walked), walked[len(walked) // 2])
            rows.append(np.stack([*front, *walked[::-1], marked]))
    labels = risk_labels(edits.LEVELS[::-1])
    return sheet(rows, [*([] if photos is None else ["photo"]), *labels, "change"])


def draw_moving(path, codes, kinds: list, generator) -> None:
    """Faces (n, num_ws, w_dim) from healthy to ill and back, a row for each kind of edit."""
    images = walk(codes, kinds, generator, FRAMES)
    save_moving(path, list(images.transpose(2, 1, 0, 3, 4, 5)))


def nobody(everyone: pd.DataFrame, generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the mean face (num_ws, w_dim) and of people who do not exist (n, num_ws, w_dim)."""
    means = everyone.groupby("patient_id").mean().to_numpy()
    shape = generator.num_ws, generator.w_dim
    random = np.random.default_rng(seed)
    if len(means) >= ENOUGH:
        axes = main_axes(means)
        people = random.standard_normal((2 * SHOWN, len(axes))) @ axes
        mean = means.mean(axis=0).reshape(shape)
    else:
        z = torch.from_numpy(random.standard_normal((2 * SHOWN, generator.z_dim))).float()
        with torch.no_grad():
            people = generator.mapping(z.to(generator.mapping.w_avg.device)).cpu().numpy()
        mean = generator.mapping.w_avg.expand(shape).cpu().numpy()
        people -= mean
    return mean, mean + ORDINARY * people.reshape(-1, *shape)


def main(job):
    torch.set_num_threads(job.threads)
    seed, device = job.params.seed, best_device()
    networks = load_networks(job.input.checkpoint, "generator", "discriminator", "encoder")
    projector = Projector(*networks, ProjectionSettings(**job.params.settings), device)
    generator = projector.generator
    perception = Perception(job.input.perception, device)
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    fitted = load_directions(job.input.direction, "fitted")
    adjusted = load_directions(job.input.direction, "adjusted")

    tables = read_table(job.input.photos), read_table(job.input.folds)
    faces = held_out_faces(job.input.latents, *tables, fitted, FACES, seed)
    axes = {fold: main_axes(faces.trained_on(fold)) for fold in np.unique(faces.folds)}
    own = [axes[fold] for fold in faces.folds]
    confined = confine(faces.codes, faces.directions, own, generator, detector, RANDOM, seed)
    seen = faces.some(confined.rows)
    others = dataclasses.replace(seen, directions=[adjusted.by_fold[fold] for fold in seen.folds])
    kinds = {
        "fitted": seen.steps[:, None],
        "confined": confined.steps[:, :1],
        "adjusted": others.steps[:, None],
        "random": random_steps_of(seen, seed),
        "random_confined": confined.steps[:, 1:],
    }

    def check(some: HeldOut, steps) -> dict:
        images = edits.render(generator, edits.moved(some.codes, steps))
        risk = check_risk(some, images, projector, seed)
        return {**risk, "identity": check_identity(images, perception, seed)}

    found = {
        "faces": len(faces.codes),
        **check(faces, faces.steps),
        "confined": check(seen, confined.steps[:, 0]) if confined.rows else None,
        "place": check_places(seen, kinds, confined.regions, generator, seed),
    }

    mean, people = nobody(faces.everyone, generator, seed)
    axes = main_axes(faces.everyone.to_numpy())
    parts = [fitted.mean] * len(people), [axes] * len(people), generator, detector, 0, seed
    strip = {"fitted": fitted.mean.step, "adjusted": adjusted.mean.step}
    if (alone := confine(mean[None], *parts)).rows:
        strip["confined"] = alone.steps[0, 0]
    found["strip"] = list(strip)
    write_json(job.output.figures, found)
    steps = [step.reshape(fitted.shape) for step in strip.values()]
    draw_walks(walk(mean[None], steps, generator)).save(job.output.strip)
    fitted_steps = np.broadcast_to(steps[0], people.shape)
    rows, steps = shown(fitted_steps, confine(people, *parts))
    draw_walks(walk(people[rows], steps, generator)).save(job.output.walks)
    draw_moving(job.output.moving, people[rows], steps, generator)
    if job.params.show:
        rows, steps = shown(faces.steps, confined)
        with np.load(job.input.aligned) as aligned:
            place = pd.Index(aligned["photo_ids"]).get_indexer(faces.photo_ids[rows])
        photos = Rows(job.input.aligned, "images")[place]
        draw_walks(walk(faces.codes[rows], steps, generator), photos).save(job.output.patients)
        draw_moving(job.output.patients_moving, faces.codes[rows], steps, generator)
    print(f"{found['faces']} faces edited, {found['place']['faces_found']} found again")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
