"""Train the demo's generator from scratch on rendered portraits; go on where the last run ended."""

from pathlib import Path

import numpy as np
import torch

from facies.common.jobs import run_job
from facies.common.store import digest
from facies.generator.checkpoints import best_device, save_networks
from facies.generator.pictures import grid, sample, to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.generator.training import Sampler, Trainer, TrainingSettings, save_state, train

CHANNELS = {"channel_base": 1024, "channel_max": 128}
SAVE_EVERY = 4000  # photos
# No noise inputs: at this size they fill faces with speckle before eyes are learned. A stronger R1
# than the automatic one keeps so small a discriminator from running ahead.
SETTINGS = TrainingSettings(batch=16, noise="none", freeze_d=0, precision="float32", r1_factor=6.0)


def build(resolution: int, seed: int) -> Trainer:
    """New networks of about a million parameters each."""
    torch.manual_seed(seed)
    generator = Generator(64, 128, resolution, mapping_layers=2, **CHANNELS)
    discriminator = Discriminator(resolution, **CHANNELS)
    encoder = Encoder(generator.num_ws, 128, resolution, **CHANNELS)
    return Trainer(generator, discriminator, encoder, SETTINGS, best_device(), seed)


@torch.no_grad()
def draw(path: Path, trainer: Trainer, photos: np.ndarray) -> None:
    """Eight rows of samples, then photos above their reconstructions by the encoder."""
    samples = sample(trainer.G_ema, 64, seed=0)
    codes = trainer.E_ema(to_tensor(photos).to(trainer.device), trainer.G_ema.mapping.w_avg)
    rebuilt = to_uint8(trainer.G_ema.synthesis(codes))
    grid(np.concatenate([samples, photos, rebuilt]), columns=len(photos)).save(path)


def main(job):
    torch.set_num_threads(job.threads)
    photos = np.concatenate([np.load(path)["images"] for path in job.input.photos])
    made_by = digest(job.params.seed, photos.shape[1], job.params.code)[:16]
    state = Path(job.params.store, "pretraining", f"{made_by}.pt")
    state.parent.mkdir(parents=True, exist_ok=True)
    trainer = build(photos.shape[1], job.params.seed)
    images = torch.from_numpy(photos).permute(0, 3, 1, 2)
    sampler = Sampler(images, SETTINGS.batch, job.params.seed)
    if state.exists():
        trainer.load_state_dict(torch.load(state, weights_only=True))
    for row in train(trainer, sampler, job.params.kimg, SAVE_EVERY):
        print(" ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
        save_state(state, trainer.state_dict())
        draw(Path(job.output.samples), trainer, photos[:16])  # to look at meanwhile
    draw(Path(job.output.samples), trainer, photos[:16])
    card = {"kimg": f"{trainer.images / 1000:g}", "seed": str(job.params.seed)}
    save_networks(job.output.checkpoint, trainer.networks(), half=True, **card)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
