"""Training of the network that evaluates generators: it predicts how a portrait was rendered, and
how it was damaged."""

import numpy as np
import torch

from facies.generator.damage import Damage
from facies.generator.pictures import to_tensor
from facies.generator.stylegan2 import Discriminator

CHANNELS = {"channel_base": 512, "channel_max": 96}
BATCH = 32
LEARNING_RATE = 0.004


def train_perception(
    photos: np.ndarray, targets: np.ndarray, kimg: float, seed: int, device: str
) -> Discriminator:
    """Show photos uint8 (n, r, r, 3), damaged anew each time, with their targets (n, k).

    The learning rate falls to zero on a cosine, with which so short a training converges.
    """
    torch.manual_seed(seed)
    photos, targets = torch.from_numpy(photos), torch.from_numpy(targets)
    sample = Damage.random(10_000).strengths()
    mean, sd = sample.mean(dim=0), sample.std(dim=0)
    outputs = targets.shape[1] + sample.shape[1]
    network = Discriminator(photos.shape[1], **CHANNELS, outputs=outputs, mbstd=False)
    network.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99))
    steps = int(kimg * 1000 / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    errors = []
    for step in range(1, steps + 1):
        chosen = torch.randint(len(photos), [BATCH])
        damage = Damage.random(BATCH)
        images = damage(to_tensor(photos[chosen].numpy())).to(device)
        rendering, damages = network(images).split([targets.shape[1], sample.shape[1]], dim=1)
        # Each half counts as much as the other, however many numbers it has.
        error = (rendering - targets[chosen].to(device)).square().mean()
        error = error + (damages - ((damage.strengths() - mean) / sd).to(device)).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        errors.append(error.item())
        if step % 100 == 0:
            print(f"kimg {step * BATCH / 1000:g} error {np.mean(errors[-100:]):.3f}", flush=True)
    return network
