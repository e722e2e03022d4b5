"""Train the network in whose features generators are evaluated, on rendered portraits."""

import numpy as np
import torch

from facies.common.jobs import run_job
from facies.demo.targets import rendering_targets
from facies.generator.checkpoints import best_device, save_networks
from facies.generator.perception_training import train_perception


def main(job):
    torch.set_num_threads(job.threads)
    parts = [np.load(path) for path in job.input.photos]
    photos = np.concatenate([part["images"] for part in parts])
    targets = rendering_targets(np.concatenate([part["parameters"] for part in parts]))
    network = train_perception(photos, targets, job.params.kimg, job.params.seed, best_device())
    card = {"kimg": f"{job.params.kimg:g}", "seed": str(job.params.seed)}
    save_networks(job.output.checkpoint, {"perception": network}, half=True, **card)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
