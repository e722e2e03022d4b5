"""StyleGAN2's networks in plain PyTorch (Karras et al. 2020, arXiv 1912.04958).

Parameters carry the names of NVIDIA's `stylegan2-ada-pytorch`, so that its weights load as they
are. There is no compiled extension: a modulated convolution scales its input by the style and its
output by the demodulation factor, which lets the whole batch share one ordinary convolution.

Images are (n, 3, resolution, resolution) in [-1, 1]; W+ codes `ws` are (n, num_ws, w_dim).

The convolutions compute in the dtype `compute` of the synthesis network or the discriminator:
bfloat16 halves their time where the processor has it. Weights, codes and images stay float32.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LRELU_SLOPE = 0.2
LRELU_GAIN = float(np.sqrt(2))
MBSTD_GROUP = 4


def fir_filter() -> torch.Tensor:
    """The [1, 3, 3, 1] low-pass filter as a normalised (4, 4) kernel."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 64


def filter2d(x: torch.Tensor, kernel: torch.Tensor, pad: int, gain: float = 1, stride: int = 1):
    """Filter each channel of x (n, c, h, w) by a symmetric kernel after zero padding by `pad`."""
    if x.is_cuda:
        x = x.contiguous()  # in channels last cuDNN takes thrice as long for single channels
    weight = (kernel * gain).to(x.dtype).expand(x.shape[1], 1, *kernel.shape)
    return F.conv2d(x, weight, padding=pad, stride=stride, groups=x.shape[1])


def upsample2d(image: torch.Tensor) -> torch.Tensor:
    """Twice the size through the [1, 3, 3, 1] filter: bilinear interpolation over a zero border."""
    padded = F.pad(image, [1, 1, 1, 1])
    larger = F.interpolate(padded, scale_factor=2, mode="bilinear", align_corners=False)
    return larger[:, :, 2:-2, 2:-2]


def leaky_relu(x: torch.Tensor, clamp: float | None = None) -> torch.Tensor:
    """Leaky ReLU without its gain: being positively homogeneous, it lets callers fold that in."""
    x = F.leaky_relu(x, LRELU_SLOPE, inplace=True)  # memory traffic is what counts here
    return x if clamp is None else x.clamp(-clamp, clamp)


class FullyConnected(nn.Module):
    """Dense layer with equalised learning rate (Karras et al. 2018, section 4.1)."""

    def __init__(self, inputs, outputs, activate=False, lr_multiplier=1.0, bias_init=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full([outputs], float(bias_init)))
        self.weight_gain = lr_multiplier / np.sqrt(inputs)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x):
        gain = LRELU_GAIN if self.activate else 1.0
        weight, bias = self.weight * (self.weight_gain * gain), self.bias * (self.bias_gain * gain)
        x = F.linear(x, weight.to(x.dtype), bias.to(x.dtype))
        return leaky_relu(x) if self.activate else x


class MappingNetwork(nn.Module):
    """z (n, z_dim) to ws (n, num_ws, w_dim); keeps the running mean of w in `w_avg`."""

    def __init__(self, z_dim, w_dim, num_ws, num_layers=8, lr_multiplier=0.01):
        super().__init__()
        self.z_dim, self.w_dim, self.num_ws = z_dim, w_dim, num_ws
        self.num_layers = num_layers
        for i in range(num_layers):
            layer = FullyConnected(z_dim if i == 0 else w_dim, w_dim, True, lr_multiplier)
            self.add_module(f"fc{i}", layer)
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z):
        w = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        for i in range(self.num_layers):
            w = getattr(self, f"fc{i}")(w)
        return w.unsqueeze(1).repeat(1, self.num_ws, 1)


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU (Karras et al. 2020, figure 2d)."""

    def __init__(self, inputs, outputs, w_dim, resolution, up=False, conv_clamp=None):
        super().__init__()
        self.resolution, self.up, self.conv_clamp = resolution, up, conv_clamp
        self.affine = FullyConnected(w_dim, inputs, bias_init=1)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("resample_filter", fir_filter())

    def forward(self, x, w, noise="const"):
        style = self.affine(w)
        squared = self.weight.square().sum(dim=[2, 3])
        demodulation = (style.square() @ squared.T + 1e-8).rsqrt() * LRELU_GAIN
        x = x * style[:, :, None, None].to(x.dtype)
        weight = self.weight.to(x.dtype)
        if self.up:
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = filter2d(x, self.resample_filter, pad=1, gain=4)
        else:
            x = F.conv2d(x, weight, padding=1)
        bias = (self.bias * LRELU_GAIN).to(x.dtype)[None, :, None, None]
        x = torch.addcmul(bias, x, demodulation[:, :, None, None].to(x.dtype))
        noise = self._noise(x, noise)
        if noise is not None:
            x += (noise * (self.noise_strength * LRELU_GAIN)).to(x.dtype)
        return leaky_relu(x, self.conv_clamp and self.conv_clamp * LRELU_GAIN)

    def _noise(self, x, noise):
        if noise == "random":
            return torch.randn(x.shape[0], 1, self.resolution, self.resolution, device=x.device)
        return self.noise_const[None, None] if noise == "const" else None


class ToRGBLayer(nn.Module):
    """Modulated 1x1 convolution to colour, without demodulation: one matrix product a photo."""

    def __init__(self, inputs, w_dim, conv_clamp=None):
        super().__init__()
        self.conv_clamp = conv_clamp
        self.affine = FullyConnected(w_dim, inputs, bias_init=1)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.weight_gain = 1 / np.sqrt(inputs)

    def forward(self, x, w):
        style = self.affine(w) * self.weight_gain
        weight = self.weight[:, :, 0, 0] * style[:, None, :]  # (n, 3, inputs)
        rgb = torch.baddbmm(self.bias[:, None].to(x.dtype), weight.to(x.dtype), x.flatten(2))
        rgb = rgb.unflatten(2, x.shape[2:])
        return rgb if self.conv_clamp is None else rgb.clamp(-self.conv_clamp, self.conv_clamp)


class SynthesisBlock(nn.Module):
    """One resolution of the skip generator: up-convolution, convolution, colour output."""

    def __init__(self, inputs, outputs, w_dim, resolution, conv_clamp=None):
        super().__init__()
        if inputs == 0:
            self.const = nn.Parameter(torch.randn(outputs, resolution, resolution))
        else:
            self.conv0 = SynthesisLayer(inputs, outputs, w_dim, resolution, True, conv_clamp)
        self.conv1 = SynthesisLayer(outputs, outputs, w_dim, resolution, False, conv_clamp)
        self.torgb = ToRGBLayer(outputs, w_dim, conv_clamp)
        self.layers = [self.conv1] if inputs == 0 else [self.conv0, self.conv1]

    def forward(self, x, image, ws, noise):
        for layer, w in zip(self.layers, ws.unbind(1), strict=False):
            x = layer(x, w, noise)
        rgb = self.torgb(x, ws[:, len(self.layers)]).float()
        return x, rgb if image is None else upsample2d(image) + rgb


class SynthesisNetwork(nn.Module):
    """ws (n, num_ws, w_dim) to images; `noise` is const, random or none."""

    compute = torch.float32

    def __init__(self, w_dim, img_resolution, channel_base, channel_max, conv_clamp=None):
        super().__init__()
        self.w_dim, self.img_resolution = w_dim, img_resolution
        self.resolutions = [2**i for i in range(2, int(np.log2(img_resolution)) + 1)]
        inputs = 0
        for resolution in self.resolutions:
            outputs = min(channel_base // resolution, channel_max)
            block = SynthesisBlock(inputs, outputs, w_dim, resolution, conv_clamp)
            self.add_module(f"b{resolution}", block)
            inputs = outputs
        self.num_ws = sum(len(block.layers) for block in self.blocks) + 1

    @property
    def blocks(self) -> list[SynthesisBlock]:
        return [getattr(self, f"b{resolution}") for resolution in self.resolutions]

    def forward(self, ws, noise="const"):
        x = self.b4.const.to(self.compute).expand(len(ws), -1, -1, -1)
        image, start = None, 0
        for block in self.blocks:
            count = len(block.layers)
            block_ws = ws[:, start : start + count + 1]
            x, image = block(x, image, block_ws, noise)
            start += count
        return image


class Generator(nn.Module):
    """StyleGAN2's generator: `mapping` from z to W+, `synthesis` from W+ to the image."""

    def __init__(
        self,
        z_dim=512,
        w_dim=512,
        img_resolution=256,
        channel_base=32768,
        channel_max=512,
        mapping_layers=8,
        conv_clamp=None,
    ):
        super().__init__()
        self.settings = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.z_dim, self.w_dim, self.img_resolution = z_dim, w_dim, img_resolution
        self.synthesis = SynthesisNetwork(
            w_dim, img_resolution, channel_base, channel_max, conv_clamp
        )
        self.num_ws = self.synthesis.num_ws
        self.mapping = MappingNetwork(z_dim, w_dim, self.num_ws, mapping_layers)

    def forward(self, z, noise="const"):
        return self.synthesis(self.mapping(z), noise)


class ConvLayer(nn.Module):
    """Convolution with equalised learning rate, optionally filtered and halved in size first."""

    def __init__(self, inputs, outputs, kernel, activate=True, bias=True, down=False, gain=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        if bias:
            self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("resample_filter", fir_filter() if down else None)
        self.activate, self.down, self.pad = activate, down, kernel // 2
        self.weight_gain = gain * (LRELU_GAIN if activate else 1) / np.sqrt(inputs * kernel**2)
        self.bias_gain = gain * (LRELU_GAIN if activate else 1)

    def forward(self, x):
        weight = (self.weight * self.weight_gain).to(x.dtype)
        bias = (self.bias * self.bias_gain).to(x.dtype) if hasattr(self, "bias") else None
        if not self.down:
            x = F.conv2d(x, weight, bias, padding=self.pad)
        elif self.pad:
            x = filter2d(x, self.resample_filter, pad=2)
            x = F.conv2d(x, weight, bias, stride=2)
        else:
            x = filter2d(x, self.resample_filter, pad=1, stride=2)
            x = F.conv2d(x, weight, bias)
        return leaky_relu(x) if self.activate else x


class DiscriminatorBlock(nn.Module):
    """One resolution of the residual discriminator (Karras et al. 2020, figure 7)."""

    def __init__(self, inputs, outputs, from_rgb):
        super().__init__()
        if from_rgb:
            self.fromrgb = ConvLayer(3, inputs, 1)
        self.conv0 = ConvLayer(inputs, inputs, 3)
        self.conv1 = ConvLayer(inputs, outputs, 3, down=True, gain=np.sqrt(0.5))
        self.skip = ConvLayer(
            inputs, outputs, 1, activate=False, bias=False, down=True, gain=np.sqrt(0.5)
        )

    def forward(self, x):
        if hasattr(self, "fromrgb"):
            x = self.fromrgb(x)
        return self.skip(x) + self.conv1(self.conv0(x))


def minibatch_stddev(x: torch.Tensor, group_size: int = MBSTD_GROUP) -> torch.Tensor:
    """Append a channel with the standard deviation over groups of photos (Karras et al. 2018)."""
    n, c, h, w = x.shape
    group = next(g for g in range(min(group_size, n), 0, -1) if n % g == 0)
    y = x.float().reshape(group, -1, c, h, w)
    y = (y.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=[1, 2, 3])
    y = y.repeat(group).reshape(n, 1, 1, 1).expand(n, 1, h, w)
    return torch.cat([x, y.to(x.dtype)], dim=1)


class DiscriminatorEpilogue(nn.Module):
    """The 4x4 end of the discriminator: convolution and two dense layers."""

    def __init__(self, channels, outputs, mbstd):
        super().__init__()
        self.use_mbstd = mbstd
        self.conv = ConvLayer(channels + mbstd, channels, 3)
        self.fc = FullyConnected(channels * 16, channels, activate=True)
        self.out = FullyConnected(channels, outputs)

    def forward(self, x):
        x = minibatch_stddev(x) if self.use_mbstd else x
        return self.out(self.fc(self.conv(x).flatten(1).float()))


class Discriminator(nn.Module):
    """Residual discriminator: images to logits (n, outputs).

    `features` gives what its blocks see, the perceptual space of projection.
    """

    compute = torch.float32

    def __init__(
        self, img_resolution=256, channel_base=32768, channel_max=512, outputs=1, mbstd=True
    ):
        super().__init__()
        self.settings = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.img_resolution = img_resolution
        self.resolutions = [2**i for i in range(int(np.log2(img_resolution)), 2, -1)]
        channels = {r: min(channel_base // r, channel_max) for r in [*self.resolutions, 4]}
        for r in self.resolutions:
            block = DiscriminatorBlock(channels[r], channels[r // 2], r == img_resolution)
            self.add_module(f"b{r}", block)
        self.b4 = DiscriminatorEpilogue(channels[4], outputs, mbstd)

    def features(self, images) -> list[torch.Tensor]:
        """Outputs of the residual blocks, finest first: (n, channels, size, size) each."""
        outputs, images = [], images.to(self.compute)
        for resolution in self.resolutions:
            images = getattr(self, f"b{resolution}")(images)
            outputs.append(images)
        return outputs

    def forward(self, images):
        return self.b4(self.features(images)[-1])

    def freeze(self, layers: int) -> None:
        """Stop the first layers, those next to the image, from learning (Mo et al. 2020)."""
        order = [m for m in self.modules() if isinstance(m, ConvLayer | FullyConnected)]
        for layer in order[:layers]:
            layer.requires_grad_(False)


class Encoder(nn.Module):
    """Images to W+ codes as offsets from a mean code; the discriminator's trunk, its own weights.

    It gives projection its start (as pSp, Richardson et al. 2021, arXiv 2008.00951, in small).
    """

    def __init__(self, num_ws, w_dim, img_resolution, channel_base, channel_max):
        super().__init__()
        self.settings = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.num_ws, self.w_dim, self.img_resolution = num_ws, w_dim, img_resolution
        self.trunk = Discriminator(
            img_resolution, channel_base, channel_max, outputs=num_ws * w_dim, mbstd=False
        )

    def forward(self, images, w_avg):
        return w_avg + self.trunk(images).unflatten(1, (self.num_ws, self.w_dim))
