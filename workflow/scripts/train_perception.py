"""Train the network that measures generators: it reads how a portrait was drawn and damaged."""

import dataclasses

import numpy as np
import pandas as pd
import torch

from facies.common.jobs import run_job
from facies.demo.portraits import Portrait
from facies.generator.checkpoints import best_device, save_networks
from facies.generator.damage import Damage
from facies.generator.pictures import to_tensor
from facies.generator.stylegan2 import Discriminator

CHANNELS = {"channel_base": 512, "channel_max": 96}
BATCH = 32
LEARNING_RATE = 0.004
CIRCULAR = ["background_hue", "clothing_hue"]
CATEGORICAL = ["hair_style", "background", "clothing"]


def drawing(parameters: np.ndarray) -> np.ndarray:
    """Parameters (n, fields of Portrait) as standardised numbers (n, k)."""
    table = pd.DataFrame(parameters, columns=[field.name for field in dataclasses.fields(Portrait)])
    angles = 2 * np.pi * table[CIRCULAR]
    shown = [np.sin(angles).add_suffix("_sin"), np.cos(angles).add_suffix("_cos")]
    table = pd.get_dummies(table.drop(columns=["seed", *CIRCULAR]), columns=CATEGORICAL)
    table = table.join(shown).astype(np.float32)
    return ((table - table.mean()) / table.std().replace(0, 1)).to_numpy()


def train(photos: np.ndarray, targets: np.ndarray, kimg: float, seed: int, device: str):
    """Show photos uint8 (n, r, r, 3), each time damaged anew, with their targets (n, k).

    The learning rate falls to nought by a cosine, which lets so short a training converge.
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
        seen = damage(to_tensor(photos[chosen].numpy())).to(device)
        drawn, told = network(seen).split([targets.shape[1], sample.shape[1]], dim=1)
        # Each half counts as much as the other, however many numbers it has.
        error = (drawn - targets[chosen].to(device)).square().mean()
        error = error + (told - ((damage.strengths() - mean) / sd).to(device)).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        errors.append(error.item())
        if step % 100 == 0:
            print(f"kimg {step * BATCH / 1000:g} error {np.mean(errors[-100:]):.3f}", flush=True)
    return network


def main(job):
    torch.set_num_threads(job.threads)
    parts = [np.load(path) for path in job.input.photos]
    photos = np.concatenate([part["images"] for part in parts])
    targets = drawing(np.concatenate([part["parameters"] for part in parts]))
    network = train(photos, targets, job.params.kimg, job.params.seed, best_device())
    card = {"kimg": f"{job.params.kimg:g}", "seed": str(job.params.seed)}
    save_networks(job.output.checkpoint, {"perception": network}, half=True, **card)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
