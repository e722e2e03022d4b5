"""Edit faces to a target risk, check the edits on held-out patients, and draw examples."""

from pathlib import Path

import numpy as np
import torch

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.explanation import examples
from facies.explanation.checks import check_edits
from facies.explanation.confined import confine, confine_held_out, main_axes
from facies.explanation.direction import load_directions
from facies.explanation.heldout import aligned_photos, held_out_faces
from facies.generator.checkpoints import best_device, load_networks
from facies.generator.perception import Perception
from facies.photos.detection import FaceDetector
from facies.projection.projector import ProjectionSettings, Projector

FACES = 24  # patients whose edits are checked


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
    confined = confine_held_out(faces, generator, detector, seed)
    figures = check_edits(faces, confined, adjusted, projector, perception, seed)

    def confine_synthetic(codes):
        axes = main_axes(faces.everyone.to_numpy())
        each = [fitted.mean] * len(codes), [axes] * len(codes)
        return confine(codes, *each, generator, detector, 0, seed)

    mean, people = examples.synthetic_codes(faces.everyone, generator, seed)
    strip = {"fitted": fitted.mean.step, "adjusted": adjusted.mean.step}
    if (alone := confine_synthetic(mean)).rows:
        strip["confined"] = alone.steps[0, 0]
    steps = [step.reshape(fitted.shape) for step in strip.values()]
    examples.draw_walks(examples.walks(mean, steps, generator)).save(job.output.strip)
    fitted_steps = np.broadcast_to(steps[0], people.shape)
    rows, steps = examples.chosen(fitted_steps, confine_synthetic(people))
    examples.draw_walks(examples.walks(people[rows], steps, generator)).save(job.output.walks)
    examples.draw_moving(job.output.moving, people[rows], steps, generator)
    if job.params.show:
        rows, steps = examples.chosen(faces.steps, confined)
        photos = aligned_photos(job.input.aligned, faces.photo_ids[rows])
        images = examples.walks(faces.codes[rows], steps, generator)
        examples.draw_walks(images, photos).save(job.output.patients)
        examples.draw_moving(job.output.patients_moving, faces.codes[rows], steps, generator)
    write_json(job.output.figures, figures | {"strip": list(strip)})
    detected = figures["regions"]["faces_detected"]
    print(f"{figures['faces']} faces edited, {detected} detected in their renderings")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
