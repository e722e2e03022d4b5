"""A small network in training; a module of its own, because other processes import it."""

import torch

from facies.generator import parallel
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.generator.training import Sampler, Trainer, TrainingSettings

SMALL = {"channel_base": 64, "channel_max": 8}
SETTINGS = {"batch": 4, "noise": "random", "freeze_d": 0, "precision": "float32"}


def trainer(pieces=1, **settings):
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, mapping_layers=1, **SMALL)
    encoder = Encoder(generator.num_ws, 8, 16, **SMALL)
    settings = TrainingSettings(**(SETTINGS | settings))
    return Trainer(generator, Discriminator(16, **SMALL), encoder, settings, pieces=pieces)


def photos(n=8):
    random = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=random, dtype=torch.uint8)


def run(target, pieces):
    """Nine steps, so that every regulariser had its turn; called in each process."""
    whole = trainer(pieces, batch=16, path_interval=4, noise="none")
    whole.augment_p = 0.5
    sampler = Sampler(photos(40), 16, seed=0)
    losses = [{k: float(v) for k, v in whole.step(sampler[i]).items()} for i in range(9)]
    if parallel.rank() == 0:
        torch.save([losses, whole.state_dict()], target)
