"""Tune the pretrained generator on the cohort's aligned photos."""

import numpy as np
import pandas as pd
import torch

from facies.checkpoints import best_device, load_networks, save_networks
from facies.jobs import run_job
from facies.pictures import grid, to_uint8
from facies.training import Sampler, Trainer, TrainingSettings, train

TICKS = 10  # rows in the log


def tune(trainer: Trainer, sampler: Sampler, kimg: float, path: str) -> None:
    """Train, writing the log anew with each tick, so that it can be watched."""
    rows = []
    for row in train(trainer, sampler, kimg, tick=max(int(kimg * 1000 / TICKS), 1)):
        rows.append(row)
        pd.DataFrame(rows).to_csv(path, index=False, float_format="%.5g")


@torch.no_grad()
def samples(trainer: Trainer, seed: int) -> np.ndarray:
    """64 samples of the averaged generator."""
    z = torch.randn(64, trainer.G.z_dim, generator=torch.Generator().manual_seed(seed))
    return to_uint8(trainer.G_ema(z.to(trainer.device)))


def main(job):
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.params.seed)
    photos = np.load(job.input.photos)["images"]
    networks = load_networks(job.input.pretrained, "generator", "discriminator", "encoder")
    chosen = job.params.settings
    settings = TrainingSettings(
        batch=chosen["batch"], noise=chosen["noise"], ema_rampup=None, ada_kimg=100
    )
    networks = [network.requires_grad_(True) for network in networks]
    trainer = Trainer(*networks, settings, best_device())
    images = torch.from_numpy(photos).permute(0, 3, 1, 2)
    sampler = Sampler(images, settings.batch, job.params.seed)
    grid(samples(trainer, job.params.seed), columns=16, scale=2).save(job.output.before)
    tune(trainer, sampler, chosen["kimg"], job.output.log)
    grid(samples(trainer, job.params.seed), columns=16, scale=2).save(job.output.samples)
    grid(photos[:64], columns=16, scale=2).save(job.output.reals)
    save_networks(job.output.checkpoint, trainer.networks(), kimg=f"{trainer.images / 1000:g}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
