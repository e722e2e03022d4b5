"""Features of the aligned photos in the tuned discriminator."""

import numpy as np
import torch

from facies.common.jobs import run_job
from facies.common.rows import Rows
from facies.generator.checkpoints import best_device, load_networks
from facies.generator.pictures import at_once, to_tensor
from facies.projection.embedding import pooled


@torch.no_grad()
def main(job):
    torch.set_num_threads(job.threads)
    device = best_device()
    (discriminator,) = load_networks(job.input.checkpoint, "discriminator")
    discriminator = discriminator.to(device)
    with np.load(job.input.aligned, allow_pickle=False) as aligned:
        photo_ids, images = aligned["photo_ids"], Rows(job.input.aligned, "images")
    size = at_once(discriminator.img_resolution)
    rows = [
        pooled(discriminator.features(to_tensor(images[first : first + size]).to(device)))
        for first in range(0, len(images), size)
    ]
    features = torch.cat(rows).float().cpu().numpy()
    np.savez(job.output.features, photo_ids=photo_ids, features=features)
    print(f"{len(features)} photos, {features.shape[1]} features")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
