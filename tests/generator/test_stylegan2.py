"""The networks against their definitions, written out slowly."""

import pytest
import torch
import torch.nn.functional as F

from facies.generator.stylegan2 import (
    Discriminator,
    Encoder,
    Generator,
    SynthesisLayer,
    filter2d,
    fir_filter,
    minibatch_stddev,
    upsample2d,
)

SMALL = {"channel_base": 128, "channel_max": 16}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def by_definition(layer, x, w):
    """Karras et al. 2020, equations 1 and 3: each photo convolved by its own weights."""
    images = []
    for photo, style in zip(x, layer.affine(w), strict=True):
        weight = layer.weight * style[None, :, None, None]
        weight = weight / (weight.square().sum([1, 2, 3], keepdim=True) + 1e-8).sqrt()
        if layer.up:
            zeros = torch.zeros(photo.shape[0], photo.shape[1] * 2, photo.shape[2] * 2)
            zeros[:, ::2, ::2] = photo
            y = F.conv2d(zeros[None], weight.flip([2, 3]), padding=1)
            y = filter2d(F.pad(y, [2, 1, 2, 1]), fir_filter(), pad=0, gain=4)
        else:
            y = F.conv2d(photo[None], weight, padding=1)
        y = y + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
        images.append(F.leaky_relu(y, 0.2) * 2**0.5)
    return torch.cat(images)


def test_layer_equals_its_definition():
    layer = SynthesisLayer(5, 7, 6, resolution=8)
    layer.noise_strength.data.fill_(0.3)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 6)
    torch.testing.assert_close(layer(x, w), by_definition(layer, x, w), rtol=1e-4, atol=1e-5)


def test_upsampling_layer_equals_its_definition_inside_the_border():
    layer = SynthesisLayer(5, 7, 6, resolution=16, up=True)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 6)
    inside = (..., slice(3, -3), slice(3, -3))
    expected = by_definition(layer, x, w)
    torch.testing.assert_close(layer(x, w)[inside], expected[inside], rtol=1e-4, atol=1e-5)


def test_upsample_is_the_1331_filter():
    image = torch.zeros(1, 1, 3, 3)
    image[0, 0, 1, 1] = 1
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    assert torch.allclose(upsample2d(image)[0, 0, 1:5, 1:5], torch.outer(taps, taps))


def test_shapes_and_code_count():
    generator = Generator(8, 12, 32, mapping_layers=2, **SMALL)
    assert generator.num_ws == 8  # 2 log2(32) - 2
    z = torch.randn(2, 8)
    assert generator.mapping(z).shape == (2, 8, 12)
    assert generator(z).shape == (2, 3, 32, 32)
    assert Discriminator(32, **SMALL)(generator(z)).shape == (2, 1)
    codes = Encoder(8, 12, 32, **SMALL)(generator(z), generator.mapping.w_avg)
    assert codes.shape == (2, 8, 12)


def test_parameter_names_are_the_references():
    names = set(Generator(8, 8, 8, mapping_layers=1, **SMALL).state_dict())
    layer = {"weight", "bias", "noise_strength", "noise_const", "resample_filter"}
    layer |= {"affine.weight", "affine.bias"}
    rgb = {"weight", "bias", "affine.weight", "affine.bias"}
    expected = {"mapping.fc0.weight", "mapping.fc0.bias", "mapping.w_avg", "synthesis.b4.const"}
    for name in ("b4.conv1", "b8.conv0", "b8.conv1"):
        expected |= {f"synthesis.{name}.{part}" for part in layer}
    for name in ("b4.torgb", "b8.torgb"):
        expected |= {f"synthesis.{name}.{part}" for part in rgb}
    assert names == expected


def test_each_photo_is_rendered_as_if_alone():
    generator = Generator(8, 8, 16, mapping_layers=2, **SMALL)
    z = torch.randn(4, 8)
    alone = torch.cat([generator(row[None]) for row in z])
    torch.testing.assert_close(generator(z), alone, rtol=1e-4, atol=1e-5)


def test_minibatch_stddev_by_hand():
    x = torch.tensor([0.0, 2.0]).view(2, 1, 1, 1)
    assert minibatch_stddev(x)[:, 1].flatten().tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
