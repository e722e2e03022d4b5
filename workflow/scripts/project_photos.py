"""Project a shard's aligned photos that the store does not hold yet."""

from pathlib import Path

import torch

from facies.common.jobs import run_job
from facies.common.progress import Progress
from facies.common.store import Store, digest, file_digest, read_manifests, write_manifest
from facies.generator.checkpoints import best_device, load_networks
from facies.photos.alignment import face_mask
from facies.projection import likeness
from facies.projection.fidelity import Fidelity
from facies.projection.projector import ProjectionSettings, Projector


def build(job, settings: ProjectionSettings) -> tuple[Projector, Fidelity]:
    """The projector and what measures its work; networks that the user named serve both."""
    device, ships = best_device(), job.input.perception
    kinds = {"lpips": likeness.perceptual, "identity": likeness.identity}
    named = {name: kinds[name](path, device) for name, path in job.params.named.items() if path}
    seen = [named.get(name) or kind(ships, device) for name, kind in kinds.items()]
    networks = load_networks(job.input.checkpoint, "generator", "trunk", "encoder")
    projector = Projector(*networks, settings, device, list(named.values()))
    return projector, Fidelity(Path(job.input.detector[0]).parent, *seen, device)


def project_missing(job, store: Store, keys: dict[str, str], settings: ProjectionSettings) -> None:
    """Project what the store lacks; each photo is stored as soon as it is done."""
    missing = [(a, key) for a, key in keys.items() if not store.has("latents", key)]
    if not missing:
        return
    projector, fidelity = build(job, settings)
    items = (store.load("aligned", aligned) for aligned, _ in missing)
    photos = ((item["image"], face_mask(item["regions"])) for item in items)
    progress = Progress(len(missing), "PSNR in the face")
    for projected in projector.stream(photos):
        aligned, key = missing[projected.index]
        figures = fidelity(store.load("aligned", aligned), projected.image)
        store.save("latents", key, codes=projected.code, image=projected.image, **figures)
        progress.add(float(figures["psnr_face"]))


def main(job):
    torch.set_num_threads(job.threads)
    settings = ProjectionSettings(**job.params.settings)
    store = Store(job.params.store)
    networks = [job.input.checkpoint, job.input.perception, *job.input.named]
    items = read_manifests([job.input.aligned])
    used = {photo: item["key"] for photo, item in items.items() if item["reason"] is None}
    roles = [name for name, path in job.params.named.items() if path]
    made_by = ([file_digest(p) for p in networks], roles, job.params.settings, job.params.code)
    keys = {aligned: digest(aligned, *made_by) for aligned in used.values()}
    project_missing(job, store, keys, settings)
    manifest = {photo: {"key": keys[aligned]} for photo, aligned in used.items()}
    write_manifest(job.output.manifest, manifest)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
