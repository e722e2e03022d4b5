import numpy as np
import pytest
import torch

from facies.explanation.attribution import SQUARES, encode, jacobian, occlusion
from facies.generator.stylegan2 import Encoder, Generator


def test_derivative_of_the_picture_is_that_of_a_small_step():
    torch.manual_seed(0)
    generator = Generator(4, 8, 16, 64, 8, mapping_layers=1).eval().requires_grad_(False)
    random = np.random.default_rng(0)
    code, step, other = random.normal(size=(3, 6, 8))
    exact, more = jacobian(generator, code, np.stack([step, step + other]))
    assert more == pytest.approx(exact + jacobian(generator, code, other[None])[0], abs=0.01)

    def picture(at):
        with torch.no_grad():
            image = generator.synthesis(torch.from_numpy(at[None].astype(np.float32)))[0]
        return image.permute(1, 2, 0).numpy() * 127.5

    numerical = (picture(code + 3e-4 * step) - picture(code - 3e-4 * step)) / 6e-4
    assert np.linalg.norm(exact) > 100
    assert np.linalg.norm(exact - numerical) < 0.01 * np.linalg.norm(exact)


def test_covering_finds_the_planted_square_and_its_sign():
    photo, fill = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 40, np.uint8)

    def risk(photos):  # the brightness of one square raises it, that of another lowers it
        values = photos.mean(axis=-1) / 60
        return values[:, 8:12, 16:20].mean(axis=(1, 2)) - 2 * values[:, :4, :4].mean(axis=(1, 2))

    found = occlusion(photo, fill, risk)
    expected = np.zeros((32, 32))
    expected[8:12, 16:20], expected[:4, :4] = 1, -2
    assert 32 // SQUARES == 4 and found == pytest.approx(expected)
    assert photo.min() == 100  # the photo itself stays as it is


def test_codes_of_many_photos_are_those_of_each():
    torch.manual_seed(0)
    encoder = Encoder(6, 8, 16, 128, 8).eval().requires_grad_(False)
    photos = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), np.uint8)
    mean = torch.ones(8)
    together = encode(encoder, mean, photos)
    assert together.shape == (70, 48)
    assert together[69] == pytest.approx(encode(encoder, mean, photos[69:])[0], abs=1e-5)
