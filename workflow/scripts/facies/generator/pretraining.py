"""Small networks trained from scratch on rendered portraits, for the demo."""

import numpy as np
import torch
from PIL import Image

from facies.generator.pictures import grid, sample, to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.generator.training import Trainer, TrainingSettings

CHANNELS = {"channel_base": 1024, "channel_max": 128}
# No noise inputs: at this size they fill faces with speckle before eyes are learned. A stronger R1
# than the automatic one keeps so small a discriminator from running ahead.
SETTINGS = TrainingSettings(batch=16, noise="none", freeze_d=0, precision="float32", r1_factor=6.0)


def build_trainer(resolution: int, seed: int, device) -> Trainer:
    """New networks of about a million parameters each."""
    torch.manual_seed(seed)
    generator = Generator(64, 128, resolution, mapping_layers=2, **CHANNELS)
    discriminator = Discriminator(resolution, **CHANNELS)
    encoder = Encoder(generator.num_ws, 128, resolution, **CHANNELS)
    return Trainer(generator, discriminator, encoder, SETTINGS, device, seed)


@torch.no_grad()
def sample_sheet(trainer: Trainer, photos: np.ndarray) -> Image.Image:
    """Samples, then photos uint8 (n, r, r, 3) above their reconstructions by the encoder."""
    samples = sample(trainer.G_ema, 64, seed=0)
    codes = trainer.E_ema(to_tensor(photos).to(trainer.device), trainer.G_ema.mapping.w_avg)
    reconstructed = to_uint8(trainer.G_ema.synthesis(codes))
    return grid(np.concatenate([samples, photos, reconstructed]), columns=len(photos))
