"""Train the demo's generator from scratch on rendered portraits, or resume the last run."""

from pathlib import Path

import numpy as np
import torch

from facies.common.jobs import run_job
from facies.common.store import digest
from facies.generator.checkpoints import best_device, save_networks
from facies.generator.pretraining import SETTINGS, build_trainer, sample_sheet
from facies.generator.training import Sampler, save_state, train

SAVE_EVERY = 4000  # photos


def main(job):
    torch.set_num_threads(job.threads)
    photos = np.concatenate([np.load(path)["images"] for path in job.input.photos])
    made_by = digest(job.params.seed, photos.shape[1], job.params.code)[:16]
    state = Path(job.params.store, "pretraining", f"{made_by}.pt")
    state.parent.mkdir(parents=True, exist_ok=True)
    trainer = build_trainer(photos.shape[1], job.params.seed, best_device())
    images = torch.from_numpy(photos).permute(0, 3, 1, 2)
    sampler = Sampler(images, SETTINGS.batch, job.params.seed)
    if state.exists():
        trainer.load_state_dict(torch.load(state, weights_only=True))
    for row in train(trainer, sampler, job.params.kimg, SAVE_EVERY):
        print(" ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
        save_state(state, trainer.state_dict())
        sample_sheet(trainer, photos[:16]).save(job.output.samples)  # to look at meanwhile
    sample_sheet(trainer, photos[:16]).save(job.output.samples)
    card = {"kimg": f"{trainer.images / 1000:g}", "seed": str(job.params.seed)}
    save_networks(job.output.checkpoint, trainer.networks(), half=True, **card)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
