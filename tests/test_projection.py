import numpy as np
import pytest
import torch

from facies.perceptual import feature_distance, pixel_distance
from facies.pictures import grid, to_tensor, to_uint8
from facies.projection import ProjectionSettings, Projector
from facies.quality import psnr, ssim
from facies.stylegan2 import Discriminator, Encoder, Generator

SMALL = {"channel_base": 128, "channel_max": 16}


def projector(**settings):
    torch.manual_seed(0)
    generator = Generator(8, 8, 16, mapping_layers=1, **SMALL)
    encoder = Encoder(generator.num_ws, 8, 16, **SMALL)
    networks = [generator, Discriminator(16, **SMALL), encoder]
    networks = [n.eval().requires_grad_(False) for n in networks]
    return Projector(*networks, ProjectionSettings(batch=4, **settings))


def photos(p, n):
    z = torch.randn(n, 8, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return to_uint8(p.generator(z) * 0.5)


def test_projection_reaches_what_the_generator_can_render():
    short, long = projector(steps=2), projector(steps=150)
    target = photos(long, 4)

    def mean_psnr(p):
        return np.mean(list(map(psnr, target, p.project(target).images)))

    assert mean_psnr(long) > mean_psnr(short) + 6


def test_a_photo_does_not_see_its_neighbours():
    p = projector(steps=5)
    target = photos(p, 4)
    together, alone = p.project(target), p.project(target[2:3])
    assert np.array_equal(together.codes[2], alone.codes[0])


def test_code_renders_back_to_what_was_scored():
    p = projector(steps=5)
    found = p.project(photos(p, 3))
    with torch.no_grad():
        again = to_uint8(p.generator.synthesis(torch.from_numpy(found.codes)))
    assert np.abs(again.astype(int) - found.images).max() <= 1


def test_w_has_one_code_for_all_layers():
    found = projector(steps=3, space="w").project(photos(projector(), 2))
    assert np.array_equal(found.codes, np.repeat(found.codes[:, :1], 6, axis=1))


def test_distances_by_hand():
    a, b = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    assert pixel_distance(a, b).item() == pytest.approx(1.25)
    x, y = torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)
    x[:, 0], y[:, 1] = 3, 5
    assert feature_distance([x], [y]).item() == pytest.approx(2.0)


def test_psnr_and_ssim_by_hand():
    a = np.full((16, 16, 3), 100, np.uint8)
    b = a.copy()
    b[:8] += 10
    inside = np.zeros((16, 16), bool)
    inside[8:] = True
    assert psnr(a, b) == pytest.approx(10 * np.log10(255**2 / 50))
    assert psnr(a, b, inside) == pytest.approx(10 * np.log10(255**2 / 1e-10))
    assert ssim(a, a) == pytest.approx(1.0)
    flat = np.full_like(a, 50)
    expected = (2 * 100 * 50 + 6.5025) / (100**2 + 50**2 + 6.5025)
    assert ssim(a, flat) == pytest.approx(expected)


def test_picture_round_trip_and_grid():
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    assert np.array_equal(to_uint8(to_tensor(images)), images)
    assert grid(images[:3], columns=2, scale=3).size == (12, 12)
