import copy

import pytest
import torch
from small_training import SETTINGS, photos, run, trainer

from facies.generator import parallel
from facies.generator.training import Sampler, TrainingSettings, train


def test_resumed_run_equals_an_uninterrupted_one():
    whole, sampler = trainer(noise="random"), Sampler(photos(), 4, seed=0)
    whole.augment_p = 0.5
    for step in range(3):
        whole.step(sampler[step])
    saved = copy.deepcopy(whole.state_dict())
    for step in range(3, 6):
        whole.step(sampler[step])
    resumed = trainer(noise="random")
    torch.manual_seed(9)
    resumed.load_state_dict(saved)
    for step in range(3, 6):
        resumed.step(sampler[step])
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
    shown = torch.cat([sampler[0], sampler[1]])[:, 0, 0, 0]
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
    assert TrainingSettings(**SETTINGS | {"batch": 16}).r1_gamma(64) == 0.0002 * 64**2 / 16


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


@pytest.mark.parametrize(("processes", "pieces"), [(2, 1), (1, 2), (2, 2)])
def test_shares_of_a_batch_train_as_the_whole(tmp_path, processes, pieces):
    run(tmp_path / "whole", 1)
    parallel.launch(run, processes, tmp_path / "shared", pieces)
    (whole, expected), (shared, found) = (
        torch.load(tmp_path / name, weights_only=True) for name in ("whole", "shared")
    )
    for a, b in zip(whole, shared, strict=True):
        assert b == pytest.approx(a, rel=1e-4, abs=1e-6)
    for network in ("G", "D", "E", "G_ema"):
        for name, value in expected[network].items():
            assert torch.allclose(found[network][name], value, atol=1e-5), name


def test_shares_keep_the_groups_of_the_minibatch_deviation():
    first, second = parallel.shares(16, 2, group=4)
    assert first.tolist() == [0, 1, 4, 5, 8, 9, 12, 13]
    assert second.tolist() == [2, 3, 6, 7, 10, 11, 14, 15]


def test_pieces_hold_no_more_photos_than_fit():
    settings = TrainingSettings(**SETTINGS | {"batch": 48})
    assert [settings.pieces(n, processes=1) for n in (64, 32, 24, 16, 10, 1)] == [1, 2, 2, 3, 6, 12]
    assert settings.pieces(16, processes=2) == 2
    with pytest.raises(ValueError, match="48 photos on 5 GPUs: make it a multiple of 20"):
        settings.pieces(64, processes=5)


def test_an_overflow_does_not_reach_the_weights():
    run = trainer()

    def objective(rows):
        weight = run.G.synthesis.b4.conv1.bias
        loss = weight[0] * torch.inf - weight[1] * torch.inf
        return loss, {"loss": loss}

    before = run.G.synthesis.b4.conv1.bias.detach().clone()
    run._descend("G", 4, objective)
    after = run.G.synthesis.b4.conv1.bias.detach()
    # Adam's first step is the rate itself, against the gradient's sign.
    rate = run.optimizers["G"].param_groups[0]["lr"]
    assert (after - before)[:3].tolist() == pytest.approx([-rate, rate, 0])


def test_frozen_layers_of_the_discriminator_stay():
    run = trainer(freeze_d=4)
    before = copy.deepcopy(run.D.state_dict())
    run.step(Sampler(photos(), 4, seed=0)[0])
    changed = {k for k, v in run.D.state_dict().items() if not torch.equal(v, before[k])}
    names = [f"b16.{layer}" for layer in ("fromrgb", "conv0", "conv1", "skip")]
    assert not [key for key in changed if key.startswith(tuple(names))]
    assert {"b8.conv0.weight", "b4.out.weight"} <= changed
