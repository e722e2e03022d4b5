import numpy as np
import pytest
import torch

from facies.generator.losses import feature_distance, pixel_distance
from facies.generator.pictures import TILE, grid, to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.projection.likeness import Likeness
from facies.projection.projector import Adam, ProjectionSettings, Projector, face_distance
from facies.projection.quality import psnr, ssim

SMALL = {"channel_base": 128, "channel_max": 16}
SETTINGS = {"steps": 30, "batch": 4, "face_weight": 0.0, "precision": "float32"}


def projector(likenesses=(), **settings):
    torch.manual_seed(0)
    generator = Generator(8, 8, 16, mapping_layers=1, **SMALL)
    encoder = Encoder(generator.num_ws, 8, 16, **SMALL)
    networks = [generator, Discriminator(16, **SMALL), encoder]
    networks = [n.eval().requires_grad_(False) for n in networks]
    chosen = ProjectionSettings(**SETTINGS | settings)
    return Projector(*networks, chosen, likenesses=likenesses)


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
    """Another order, other neighbours, a batch that is not full: the same code to the bit."""
    p = projector(steps=8)
    target = photos(p, 11)
    together = p.project(target)
    order = np.random.default_rng(0).permutation(11)
    turned = p.project(target[order])
    assert np.array_equal(turned.codes, together.codes[order])
    assert np.array_equal(turned.images, together.images[order])
    alone = p.project(target[9:10])
    assert np.array_equal(alone.codes[0], together.codes[9])
    few = p.project(target[[9, 3, 9]])
    assert np.array_equal(few.codes, together.codes[[9, 3, 9]])


def test_slots_of_a_larger_batch_give_the_same_code():
    """Photos enter by groups where the batch is large."""
    p = projector(steps=10, batch=16)
    target = photos(p, 40)
    together, turned = p.project(target), p.project(target[::-1])
    assert np.array_equal(turned.codes[::-1], together.codes)


def test_photos_are_taken_only_when_there_is_room():
    p, taken = projector(steps=2), []

    def watched():
        for i, photo in enumerate(photos(p, 10)):
            taken.append(i)
            yield photo, None

    next(p.stream(watched()))
    assert len(taken) == 4  # the slots of the batch


def test_no_step_gives_the_encoder_s_own_code():
    p = projector(steps=0)
    target = photos(p, 5)
    with torch.no_grad():
        start = p.encoder(to_tensor(target), p.mean)
    np.testing.assert_allclose(p.project(target).codes, start.numpy(), rtol=1e-5, atol=1e-6)


def test_adam_is_torchs_with_a_step_count_for_each_row():
    random = torch.Generator().manual_seed(0)
    start = torch.randn(3, 2, 5, generator=random)
    gradients = torch.randn(7, 3, 2, 5, generator=random)
    rows, late = start.clone(), 4  # the last row starts anew after four steps
    ours, steps = Adam(rows), torch.zeros(3)
    for i, gradient in enumerate(gradients):
        if i == late:
            rows[2], steps[2] = start[2], 0
            ours.restart(2)
        ours.step(gradient, torch.full((3,), 0.1), steps)
        steps += 1

    def torchs(parameter, gradients):
        parameter = parameter.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([parameter], lr=0.1)
        for gradient in gradients:
            parameter.grad = gradient
            optimizer.step()
        return parameter.detach()

    torch.testing.assert_close(rows[:2], torchs(start, gradients)[:2])
    torch.testing.assert_close(rows[2], torchs(start[2], gradients[late:, 2]))


def test_rate_rises_for_a_tenth_and_falls_on_a_cosine():
    settings = ProjectionSettings(**SETTINGS | {"steps": 40, "learning_rate": 1.0})
    rates = settings.rate(torch.tensor([0.0, 1.0, 20.0, 40.0]))
    cosine = 0.5 + 0.5 * np.cos(np.pi / 40)
    np.testing.assert_allclose(rates, [0.25, 0.5 * cosine, 0.5, 0.0], atol=1e-6)


def test_code_renders_back_to_what_was_scored():
    p = projector(steps=5)
    found = p.project(photos(p, 3))
    with torch.no_grad():
        again = to_uint8(p.generator.synthesis(torch.from_numpy(found.codes)))
    assert np.abs(again.astype(int) - found.images).max() <= 1


def test_the_face_counts_more_where_it_should():
    a, b = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    b[:, :, :2] = 1
    face = torch.zeros(2, 1, 4, 4)
    face[0, :, 0] = 1
    # The first one's face is all wrong; the second has none.
    assert face_distance(a, b, face).tolist() == [1.25, 0]
    target = photos(projector(), 4)
    inside = np.zeros((4, 16, 16), bool)
    inside[:, 5:12, 5:12] = True

    def mean_psnr(**settings):
        found = projector(steps=40, **settings).project(target, inside)
        return np.mean(list(map(psnr, target, found.images, inside)))

    assert mean_psnr(face_weight=50.0) > mean_psnr() + 0.5


def test_a_network_that_the_user_names_is_descended_on():
    corner = Likeness(lambda x: x[:, :, :4, :4].flatten(1) * 3)  # sees one corner alone
    target = photos(projector(), 4)
    plain = projector(steps=30).project(target).images
    seen = projector([corner], steps=30).project(target).images

    def error(images):
        return np.abs(images[:, :4, :4].astype(float) - target[:, :4, :4]).mean()

    assert error(seen) < 0.8 * error(plain)


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
    assert grid(images[:3], columns=2).size == (2 * TILE, 2 * TILE)
