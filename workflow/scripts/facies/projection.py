"""Find the W+ code whose rendering is the photo (Abdal et al. 2019, arXiv 1904.03189).

The encoder gives the start; gradient descent on the code alone does the rest, with the networks
frozen and many photos at once. Photos do not meet: the loss is a sum over photos and Adam works
element by element. Batches are filled up to one fixed size, because kernels chosen by size would
otherwise make a photo's last digits depend on how many others were projected beside it.

Noise stays the generator's own constant maps, so that a code alone renders back to what was scored.
"""

import dataclasses
import math

import numpy as np
import torch

from facies.perceptual import feature_distance, pixel_distance
from facies.pictures import to_tensor, to_uint8
from facies.stylegan2 import Discriminator, Encoder, Generator


@dataclasses.dataclass(frozen=True)
class ProjectionSettings:
    """How long and under which losses a photo is projected."""

    space: str = "w+"
    steps: int = 30
    batch: int = 32
    learning_rate: float = 0.05
    pixel_weight: float = 10.0
    feature_weight: float = 0.5
    prior_weight: float = 0.02
    precision: str = "float32"

    def rate(self, step: int) -> float:
        """Learning rate after a short rise, on a cosine to zero."""
        rise = min(1.0, (step + 1) / (0.1 * self.steps))
        return self.learning_rate * rise * (0.5 + 0.5 * math.cos(math.pi * step / self.steps))


@dataclasses.dataclass(frozen=True)
class Projection:
    """Codes (n, num_ws, w_dim) float32, renderings (n, r, r, 3) uint8, feature distances (n,)."""

    codes: np.ndarray
    images: np.ndarray
    perceptual: np.ndarray


class Projector:
    """Projects aligned photos by one generator."""

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        encoder: Encoder,
        settings: ProjectionSettings,
        device: str = "cpu",
    ):
        self.generator, self.discriminator, self.encoder = (
            n.to(device, memory_format=torch.channels_last)
            for n in (generator, discriminator, encoder)
        )
        for network in (generator.synthesis, discriminator):
            network.compute = getattr(torch, settings.precision)
        self.settings, self.device = settings, device
        self.mean = self.generator.mapping.w_avg
        self.spread = self._spread_of_w()

    def project(self, photos: np.ndarray) -> Projection:
        """Project up to `settings.batch` aligned photos, uint8 (n, r, r, 3)."""
        n, batch = len(photos), self.settings.batch
        filled = photos[np.arange(batch) % n]
        target = to_tensor(filled).to(self.device, memory_format=torch.channels_last)
        features = self.discriminator.features(target)
        codes = self._start(target)
        optimizer = torch.optim.Adam([codes])
        for step in range(self.settings.steps):
            optimizer.param_groups[0]["lr"] = self.settings.rate(step)
            optimizer.zero_grad()
            self._loss(codes, target, features).sum().backward()
            optimizer.step()
        return self._result(codes, features, n)

    @torch.no_grad()
    def _spread_of_w(self) -> torch.Tensor:
        """Variance of w over random z, the unit in which codes may leave the mean."""
        random = torch.Generator().manual_seed(0)
        z = torch.randn(4096, self.generator.z_dim, generator=random).to(self.device)
        return self.generator.mapping(z)[:, 0].var(dim=0).mean()

    @torch.no_grad()
    def _start(self, target) -> torch.Tensor:
        """The encoder's codes; in W, one for all layers."""
        codes = self.encoder(target, self.mean)
        if self.settings.space == "w":
            codes = codes.mean(dim=1, keepdim=True)
        return codes.detach().requires_grad_(True)

    def _render(self, codes) -> torch.Tensor:
        return self.generator.synthesis(codes.expand(-1, self.generator.num_ws, -1))

    def _loss(self, codes, target, features) -> torch.Tensor:
        """Per photo (batch,): pixels, features, and how far the code strays from the mean."""
        s, images = self.settings, self._render(codes)
        loss = s.pixel_weight * pixel_distance(images, target)
        loss = loss + s.feature_weight * feature_distance(
            self.discriminator.features(images), features
        )
        stray = (codes - self.mean).square().mean(dim=[1, 2]) / self.spread
        return loss + s.prior_weight * stray

    @torch.no_grad()
    def _result(self, codes, features, n) -> Projection:
        images = self._render(codes)
        distance = feature_distance(self.discriminator.features(images), features)
        full = codes.expand(-1, self.generator.num_ws, -1)
        return Projection(
            codes=full[:n].cpu().numpy().astype(np.float32),
            images=to_uint8(images[:n]),
            perceptual=distance[:n].cpu().numpy().astype(np.float32),
        )
