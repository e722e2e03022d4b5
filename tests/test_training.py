import copy

import torch

from facies.stylegan2 import Discriminator, Encoder, Generator
from facies.training import Sampler, Trainer, TrainingSettings, train

SMALL = {"channel_base": 64, "channel_max": 8}


def trainer(**settings):
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, mapping_layers=1, **SMALL)
    encoder = Encoder(generator.num_ws, 8, 16, **SMALL)
    settings = TrainingSettings(batch=4, **settings)
    return Trainer(generator, Discriminator(16, **SMALL), encoder, settings)


def photos(n=8):
    random = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=random, dtype=torch.uint8)


def test_resumed_run_equals_an_uninterrupted_one():
    whole, sampler = trainer(), Sampler(photos(), 4, seed=0)
    for _ in range(3):
        whole.step(sampler.next())
    saved = copy.deepcopy({"trainer": whole.state_dict(), "sampler": sampler.state_dict()})
    for _ in range(3):
        whole.step(sampler.next())
    resumed, sampler = trainer(), Sampler(photos(), 4, seed=9)
    resumed.load_state_dict(saved["trainer"])
    sampler.load_state_dict(saved["sampler"])
    for _ in range(3):
        resumed.step(sampler.next())
    for name, value in whole.G_ema.state_dict().items():
        assert torch.equal(value, resumed.G_ema.state_dict()[name]), name


def test_reconstruction_improves():
    run = trainer(learning_rate=0.01)
    flat = photos()[:, :, :1, :1].expand(-1, -1, 16, 16)
    rows = list(train(run, Sampler(flat, 4, seed=0), kimg=0.4, tick=80))
    assert rows[-1]["pixel"] < 0.5 * rows[0]["pixel"]
    assert [round(row["kimg"], 3) for row in rows] == [0.08, 0.16, 0.24, 0.32, 0.4]


def test_sampler_shows_every_photo_once_an_epoch():
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 3, 2, 2)
    sampler = Sampler(images, 3, seed=0)
    shown = torch.cat([sampler.next(), sampler.next()])[:, 0, 0, 0]
    assert sorted(((shown + 1) * 127.5).round().int().tolist()) == [0, 1, 2, 3, 4, 5]


def test_augmentation_grows_when_the_discriminator_is_sure():
    run = trainer(ada_kimg=1.0)
    run.steps = run.settings.ada_interval
    run.signs = [1.0, 1.0, 1.0, 1.0]
    run._adapt_augmentation()
    assert run.augment_p == 4 * 4 / 1000
    run.signs = [0.0]
    run._adapt_augmentation()
    assert run.augment_p == 0.0


def test_r1_weight_follows_resolution_and_batch():
    assert TrainingSettings(batch=16).r1_gamma(64) == 0.0002 * 64**2 / 16


def test_a_new_encoder_learns_the_codes_of_samples():
    run = trainer(learning_rate=0.01)
    z = torch.randn(64, 4)

    @torch.no_grad()
    def error():
        codes = run.G.mapping(z)
        found = run.E_ema(run.G.synthesis(codes), run.G.mapping.w_avg)
        return (found - codes).square().mean().item()

    before = error()
    run.teach_encoder(2.0)
    assert error() < 0.3 * before
