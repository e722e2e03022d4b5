"""Convert the checkpoint that tuning starts from, and sample from it."""

import torch
from PIL import Image

from facies.common.bounded import limited_memory
from facies.common.errors import InputError
from facies.common.jobs import run_job
from facies.generator.checkpoints import load_networks, save_networks
from facies.generator.pictures import grid, mean_face, sample

MEMORY = 4e9  # bytes; networks of 1024 pixels with the state of their training take a third


def main(job):
    torch.set_num_threads(job.threads)
    path, p = job.input.pretrained, job.params
    kinds = ("generator", "discriminator", "encoder")
    with limited_memory(MEMORY):
        loaded = load_networks(path, *kinds[:2], optional=kinds[2:], label=p.label)
    networks = {kind: network for kind, network in zip(kinds, loaded, strict=True) if network}
    for kind, network in networks.items():
        if network.img_resolution != p.resolution:
            raise InputError(
                f"{path}: a {kind} of {network.img_resolution} pixels, and the config's resolution "
                f"is {p.resolution}: give the config the resolution of the generator"
            )
    save_networks(job.output.checkpoint, networks)
    samples = sample(networks["generator"], 64, p.seed)
    grid(samples, columns=16).save(job.output.samples)
    Image.fromarray(mean_face(networks["generator"])).save(job.output.mean_face)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
