import torch

from facies.generator.augment import Augmentation, colour, geometry


def random():
    return torch.Generator().manual_seed(0)


def test_strength_zero_changes_nothing():
    images = torch.randn(2, 3, 8, 8)
    assert Augmentation(2, 0.0, random())(images) is images


def test_grey_stays_grey_under_hue_and_saturation():
    grey = torch.tensor([0.4, 0.4, 0.4, 1.0])
    out = colour(200, 1.0, random()) @ grey
    assert torch.allclose(out[:, 0], out[:, 1], atol=1e-5)
    assert torch.allclose(out[:, 3], torch.ones(200))


def test_geometry_keeps_the_homogeneous_row():
    matrix = geometry(50, 1.0, random())
    assert torch.allclose(matrix[:, 2], torch.tensor([0.0, 0.0, 1.0]).expand(50, 3))


def test_share_of_changed_photos_follows_the_strength():
    identity = torch.eye(3)
    changed = (geometry(4000, 0.1, random()) - identity).abs().amax([1, 2]) > 1e-6
    # Two of eight moves (flip, quarter turn) are the identity in 1/2 and 1/4 of their draws.
    expected = 1 - (1 - 0.05) * (1 - 0.075) * 0.9**5
    assert abs(changed.float().mean() - expected) < 0.02


def test_gradient_reaches_the_images():
    images = torch.randn(2, 3, 8, 8, requires_grad=True)
    Augmentation(2, 0.8, random())(images).square().sum().backward()
    assert images.grad.abs().sum() > 0


def test_rows_of_a_batch_are_augmented_as_in_the_batch():
    images, augmentation = torch.randn(6, 3, 8, 8), Augmentation(6, 0.9, random())
    rows = torch.tensor([4, 1])
    assert torch.allclose(augmentation(images[rows], rows), augmentation(images)[rows], atol=1e-6)
