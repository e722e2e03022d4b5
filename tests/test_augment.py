import torch

from facies.augment import augment, colour, geometry


def test_strength_zero_changes_nothing():
    images = torch.randn(2, 3, 8, 8)
    assert augment(images, 0.0) is images


def test_grey_stays_grey_under_hue_and_saturation():
    torch.manual_seed(0)
    grey = torch.tensor([0.4, 0.4, 0.4, 1.0])
    out = colour(200, 1.0) @ grey
    assert torch.allclose(out[:, 0], out[:, 1], atol=1e-5)
    assert torch.allclose(out[:, 3], torch.ones(200))


def test_geometry_keeps_the_homogeneous_row():
    matrix = geometry(50, 1.0)
    assert torch.allclose(matrix[:, 2], torch.tensor([0.0, 0.0, 1.0]).expand(50, 3))


def test_share_of_changed_photos_follows_the_strength():
    torch.manual_seed(0)
    identity = torch.eye(3)
    changed = (geometry(4000, 0.1) - identity).abs().amax([1, 2]) > 1e-6
    # Two of eight moves (flip, quarter turn) are the identity in 1/2 and 1/4 of their draws.
    expected = 1 - (1 - 0.05) * (1 - 0.075) * 0.9**5
    assert abs(changed.float().mean() - expected) < 0.02


def test_gradient_reaches_the_images():
    images = torch.randn(2, 3, 8, 8, requires_grad=True)
    augment(images, 0.8).square().sum().backward()
    assert images.grad.abs().sum() > 0
