"""Map which pixels carry the risk: by the generator's Jacobian, and by covering parts of photos."""

from pathlib import Path

import numpy as np
import torch

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.explanation import maps
from facies.explanation.direction import load_directions
from facies.explanation.edits import render
from facies.explanation.heldout import aligned_photos, held_out_faces, mean_training_photos
from facies.explanation.regions import find_regions
from facies.generator.checkpoints import best_device, load_networks
from facies.photos.detection import FaceDetector

FACES = 24
SHOWN = 4


def main(job):
    torch.set_num_threads(job.threads)
    seed, device = job.params.seed, best_device()
    networks = load_networks(job.input.checkpoint, "generator", "encoder")
    generator, encoder = (network.to(device) for network in networks)
    centre = generator.mapping.w_avg
    fitted = load_directions(job.input.direction, "fitted")
    tables = read_table(job.input.photos), read_table(job.input.folds)
    faces = held_out_faces(job.input.latents, *tables, fitted, FACES, seed)
    photos = aligned_photos(job.input.aligned, faces.photo_ids)
    fills = mean_training_photos(job.input.aligned, faces)
    made = {
        "jacobian": maps.jacobian_maps(faces, generator),
        "occlusion": maps.occlusion_maps(faces, photos, fills, encoder, centre),
    }
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    regions = [find_regions(photo, detector) for photo in photos]
    figures = {
        "faces": len(photos),
        "faces_detected": sum(one is not None for one in regions),
        "agreement": maps.agreement(faces, photos, encoder, centre, seed),
        "area": maps.map_shares(np.ones(made["jacobian"].shape), regions, seed),
        **{name: maps.map_shares(some, regions, seed) for name, some in made.items()},
    }
    write_json(job.output.figures, figures)
    face = render(generator, centre.expand(1, *fitted.shape).cpu().numpy())[0]
    maps.draw_mean_maps(face, made).save(job.output.mean)
    if job.params.show:
        maps.draw_maps(photos[:SHOWN], made).save(job.output.patients)
    print(f"{len(photos)} faces mapped, {figures['faces_detected']} detected")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
