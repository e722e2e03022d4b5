"""Tune the pretrained generator on the cohort's aligned photos, unless the store has it tuned."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from facies.checkpoints import best_device, load_networks, save_networks
from facies.jobs import run_job
from facies.pictures import sample_sheet
from facies.store import digest, file_digest
from facies.stylegan2 import Encoder
from facies.training import Sampler, Trainer, TrainingSettings, train

TICKS = 10  # rows in the log
TEACH_KIMG = 20  # samples that a new encoder sees before it meets photos


def train_and_log(trainer: Trainer, sampler: Sampler, kimg: float, path: Path) -> None:
    """Train, writing the log anew with each tick, so that it can be watched."""
    rows = []
    for row in train(trainer, sampler, kimg, tick=max(int(kimg * 1000 / TICKS), 1)):
        rows.append(row)
        pd.DataFrame(rows).to_csv(path, index=False, float_format="%.5g")


def tune(job, photos: np.ndarray, folder: Path) -> None:
    """Write the tuned networks, their log and their pictures to a new folder."""
    folder.mkdir()
    torch.manual_seed(job.params.seed)
    generator, discriminator, encoder = load_networks(
        job.input.pretrained, "generator", "discriminator", optional=["encoder"]
    )
    chosen = job.params.settings
    settings = TrainingSettings(
        batch=chosen["batch"], noise=chosen["noise"], ema_rampup=None, ada_kimg=100
    )
    start = encoder or Encoder(
        generator.num_ws,
        generator.w_dim,
        generator.img_resolution,
        discriminator.settings["channel_base"],
        discriminator.settings["channel_max"],
    )
    networks = [n.requires_grad_(True) for n in (generator, discriminator, start)]
    trainer = Trainer(*networks, settings, best_device())
    if encoder is None:  # a checkpoint of other code
        trainer.teach_encoder(TEACH_KIMG)
    images = torch.from_numpy(photos).permute(0, 3, 1, 2)
    sampler = Sampler(images, settings.batch, job.params.seed)
    train_and_log(trainer, sampler, chosen["kimg"], folder / "log.csv")
    sample_sheet(trainer.G_ema, job.params.seed).save(folder / "samples.png")
    card = {"kimg": f"{trainer.images / 1000:g}", "photos": str(len(photos))}
    save_networks(folder / "generator.safetensors", trainer.networks(), **card)


def main(job):
    torch.set_num_threads(job.threads)
    p = job.params
    key = digest(file_digest(job.input.pretrained), p.settings, p.seed, p.tuned_for, p.code)
    kept = Path(p.store, "generator", key)
    if kept.is_dir():
        print("tuned before, on the photos of that day; generator.generation asks for a new one")
    else:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            tune(job, np.load(job.input.photos)["images"], Path(folder, "tuned"))
            os.replace(Path(folder, "tuned"), kept)
    for path in job.output:
        shutil.copyfile(kept / Path(path).name, path)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
