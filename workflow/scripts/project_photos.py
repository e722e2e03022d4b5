"""Project a shard's aligned photos that the store does not hold yet."""

import time
from pathlib import Path

import numpy as np
import torch

from facies.alignment import face_mask, landmark_drift
from facies.checkpoints import best_device, load_networks
from facies.detection import FaceDetector
from facies.jobs import run_job
from facies.projection import ProjectionSettings, Projector
from facies.quality import psnr, ssim
from facies.store import Store, digest, read_manifests, write_manifest


def build(checkpoint: str, settings: ProjectionSettings) -> Projector:
    networks = load_networks(checkpoint, "generator", "discriminator", "encoder")
    return Projector(*networks, settings, best_device())


def measure(aligned: dict, rebuilt: np.ndarray, detector: FaceDetector) -> dict[str, np.ndarray]:
    """Quality of one reconstruction; drift is NaN where no face is found in it."""
    photo, inside = aligned["image"], face_mask(aligned["regions"])
    return {
        "psnr": np.float32(psnr(photo, rebuilt)),
        "psnr_face": np.float32(psnr(photo, rebuilt, inside)),
        "ssim": np.float32(ssim(photo, rebuilt)),
        "landmark_drift": np.float32(landmark_drift(detector, rebuilt, aligned["landmarks"])),
    }


def project_missing(job, store: Store, keys: dict[str, str], settings: ProjectionSettings) -> None:
    """Project in batches; each photo is stored as soon as its batch is done."""
    missing = [(a, key) for a, key in keys.items() if not store.has("latents", key)]
    if not missing:
        return
    projector = build(job.input.checkpoint, settings)
    detector = FaceDetector(Path(job.input.detector[0]).parent)
    start = time.monotonic()
    for first in range(0, len(missing), settings.batch):
        batch = missing[first : first + settings.batch]
        aligned = [store.load("aligned", key) for key, _ in batch]
        found = projector.project(np.stack([item["image"] for item in aligned]))
        for i, (_, key) in enumerate(batch):
            scores = measure(aligned[i], found.images[i], detector)
            scores["perceptual"] = found.perceptual[i]
            store.save("latents", key, codes=found.codes[i], image=found.images[i], **scores)
        done, rate = first + len(batch), (first + len(batch)) / (time.monotonic() - start)
        print(f"{done}/{len(missing)} photos, {rate:.2f} a second", flush=True)


def main(job):
    torch.set_num_threads(job.threads)
    settings = ProjectionSettings(**job.params.settings)
    store = Store(job.params.store)
    with open(job.input.checkpoint, "rb") as file:
        generator = digest(file.read())
    items = read_manifests([job.input.aligned])
    used = {photo: item["key"] for photo, item in items.items() if item["reason"] is None}
    made_by = (generator, job.params.settings, job.params.code)
    keys = {aligned: digest(aligned, *made_by) for aligned in used.values()}
    project_missing(job, store, keys, settings)
    manifest = {photo: {"key": keys[aligned]} for photo, aligned in used.items()}
    write_manifest(job.output.manifest, manifest)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
