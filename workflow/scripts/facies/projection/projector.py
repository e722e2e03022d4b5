"""Find the W+ code whose rendering is the photo (Abdal et al. 2019, arXiv 1904.03189).

The encoder gives the start; gradient descent on the code alone does the rest, with the networks
frozen and many photos at once. Photos do not meet: each slot of the batch has its own loss, its own
step of its own schedule and its own Adam. A photo that has used up its steps leaves, and the next
one enters its slot. Batches keep one size, because kernels chosen by size would
otherwise make a photo's last digits depend on how many others were projected beside it: on a CPU a
photo gets the same code to the bit, whichever photos are in the other slots.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat

import numpy as np
import torch

from facies.generator.losses import feature_distance, pixel_distance
from facies.generator.pictures import to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.projection.likeness import Likeness

GROUPS = 8  # photos enter and leave in groups of this part of the batch, which share one pass


@dataclasses.dataclass(frozen=True)
class ProjectionSettings:
    """How long and under which losses a photo is projected; the first four are the config's."""

    steps: int
    batch: int
    face_weight: float
    precision: str
    learning_rate: float = 0.05
    pixel_weight: float = 10.0
    feature_weight: float = 0.5
    prior_weight: float = 0.02
    likeness_weight: float = 1.0  # of each network that the user names

    def rate(self, step: torch.Tensor) -> torch.Tensor:
        """Learning rates at these steps: after a short rise, on a cosine to zero."""
        rise = ((step + 1) / (0.1 * self.steps)).clamp(max=1)
        return self.learning_rate * rise * (0.5 + 0.5 * torch.cos(math.pi * step / self.steps))


@dataclasses.dataclass(frozen=True)
class ProjectedPhoto:
    """The photo at `index` in the stream of photos: its `code` (num_ws, w_dim) float32, and its
    rendering `image` uint8 (r, r, 3)."""

    index: int
    code: np.ndarray
    image: np.ndarray


@dataclasses.dataclass(frozen=True)
class Projection:
    """Of n photos: codes (n, num_ws, w_dim) and renderings uint8 (n, r, r, 3)."""

    codes: np.ndarray
    images: np.ndarray


class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) that counts the steps of each row by itself.

    Parameter and gradient are (rows, ...).
    """

    def __init__(self, parameter: torch.Tensor, betas=(0.9, 0.999), eps=1e-8):
        self.parameter, self.betas, self.eps = parameter, betas, eps
        self.mean, self.square = torch.zeros_like(parameter), torch.zeros_like(parameter)

    def restart(self, row: int) -> None:
        """Forget what was before in a row."""
        self.mean[row] = self.square[row] = 0

    def step(self, gradient, rate: torch.Tensor, steps: torch.Tensor) -> None:
        """Move each row by its own `rate` (rows,) after its `steps` (rows,) so far."""
        corrections = [1 - beta ** (steps + 1) for beta in self.betas]
        shape = (-1, *[1] * (gradient.ndim - 1))
        self.mean.mul_(self.betas[0]).add_(gradient * (1 - self.betas[0]))
        self.square.mul_(self.betas[1]).add_(gradient.square() * (1 - self.betas[1]))
        size = (self.square / corrections[1].view(shape)).sqrt() + self.eps
        self.parameter -= (rate / corrections[0]).view(shape) * self.mean / size


class Slots:
    """The photos at work, a row for each: what they should become, and how far they are."""

    def __init__(self, size: int, shape: tuple[int, int], resolution: int, device: str):
        self.index = np.full(size, -1)  # of the photo in the stream; -1 where there is none
        self.steps = torch.zeros(size, device=device)
        picture = torch.zeros(size, 3, resolution, resolution, device=device)
        self.target = picture.to(memory_format=torch.channels_last)
        self.face = torch.zeros(size, 1, resolution, resolution, device=device)
        self.views: list[torch.Tensor] = []  # the photos as networks see them
        self.codes = torch.zeros(size, *shape, device=device)
        self.adam = Adam(self.codes)

    def enter(self, row: int, index: int, target, face, views, code) -> None:
        """A photo takes the slot of one that left."""
        self.index[row], self.steps[row] = index, 0
        self.target[row], self.face[row], self.codes[row] = target, face, code
        if not self.views:
            self.views = [x.expand(len(self.index), *x.shape).clone() for x in views]
        for kept, new in zip(self.views, views, strict=True):
            kept[row] = new
        self.adam.restart(row)

    def finished(self, settings: ProjectionSettings) -> np.ndarray:
        """Rows of photos that used up their steps."""
        done = self.steps >= settings.steps
        return np.flatnonzero(done.cpu().numpy() & (self.index >= 0))


class Projector:
    """Projects aligned photos by one generator."""

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        encoder: Encoder,
        settings: ProjectionSettings,
        device: str = "cpu",
        likenesses: Sequence[Likeness] = (),
    ):
        """`likenesses` are further networks to whose eyes the rendering should be the photo."""
        self.generator, self.discriminator, self.encoder = (
            n.to(device, memory_format=torch.channels_last)
            for n in (generator, discriminator, encoder)
        )
        for network in (generator.synthesis, discriminator):
            network.compute = getattr(torch, settings.precision)
        self.settings, self.device, self.likenesses = settings, device, likenesses
        self.group = max(1, settings.batch // GROUPS)
        self.mean = self.generator.mapping.w_avg
        self.variance = self._variance_of_w()

    def project(self, photos: np.ndarray, faces: np.ndarray | None = None) -> Projection:
        """Project aligned photos uint8 (n, r, r, 3); `faces` bool (n, r, r) masks the face, which
        only `face_weight` needs."""
        masks = repeat(None) if faces is None else faces
        projected = sorted(self.stream(zip(photos, masks, strict=False)), key=lambda f: f.index)
        return Projection(
            codes=np.stack([f.code for f in projected]),
            images=np.stack([f.image for f in projected]),
        )

    def stream(
        self, photos: Iterable[tuple[np.ndarray, np.ndarray | None]]
    ) -> Iterator[ProjectedPhoto]:
        """Project any number of photos, each with the mask of its face or None; each is given back
        as soon as it is done. Only those at work are held."""
        waiting, slots = enumerate(photos), self._slots()
        while True:
            self._admit(slots, waiting)
            if len(done := slots.finished(self.settings)):
                yield from self._leave(slots, done)
            elif (slots.index < 0).all():
                return
            else:
                self._step(slots)

    def _render(self, codes) -> torch.Tensor:
        """Images of codes (n, num_ws, w_dim), or (n, 1, w_dim) for all layers."""
        return self.generator.synthesis(codes.expand(-1, self.generator.num_ws, -1), "const")

    def _slots(self) -> Slots:
        shape = self.generator.num_ws, self.generator.w_dim
        return Slots(self.settings.batch, shape, self.generator.img_resolution, self.device)

    @torch.no_grad()
    def _variance_of_w(self) -> torch.Tensor:
        """Variance of w over random z, the unit in which codes may leave the mean."""
        random = torch.Generator().manual_seed(0)
        z = torch.randn(4096, self.generator.z_dim, generator=random).to(self.device)
        return self.generator.mapping(z)[:, 0].var(dim=0).mean()

    @torch.no_grad()
    def _start(self, target) -> torch.Tensor:
        """The encoder's codes."""
        return self.encoder(target, self.mean)

    @torch.no_grad()
    def _admit(self, slots: Slots, waiting: Iterator) -> None:
        """Let photos in where a group of slots is free."""
        free = np.flatnonzero(slots.index < 0)
        for start in range(0, len(free) - self.group + 1, self.group):
            if not (new := list(islice(waiting, self.group))):
                return
            # A group is always encoded whole, by one kernel for all.
            pictures = np.stack([new[i % len(new)][1][0] for i in range(self.group)])
            target = to_tensor(pictures).to(self.device, memory_format=torch.channels_last)
            views, codes = self._views(target), self._start(target)
            for i, (index, (_, mask)) in enumerate(new):
                face = 0 if mask is None else torch.from_numpy(mask).to(self.device)
                seen = [x[i] for x in views]
                slots.enter(free[start + i], index, target[i], face, seen, codes[i])

    def _views(self, images) -> list[torch.Tensor]:
        """The discriminator's features of images, and what the likenesses make of them."""
        named = [likeness.embed(images) for likeness in self.likenesses]
        return [*self.discriminator.features(images), *named]

    def _step(self, slots: Slots) -> None:
        """One step of Adam of every photo."""
        codes = slots.codes.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(self._loss(codes, slots).sum(), codes)
        with torch.no_grad():
            slots.adam.step(gradient, self.settings.rate(slots.steps), slots.steps)
            slots.steps += 1

    def _loss(self, codes, slots: Slots) -> torch.Tensor:
        """Per photo (batch,): pixels, features, and how far the code strays from the mean."""
        s, images = self.settings, self._render(codes)
        loss = s.pixel_weight * pixel_distance(images, slots.target)
        if s.face_weight:
            loss = loss + s.face_weight * face_distance(images, slots.target, slots.face)
        count = len(self.discriminator.resolutions)
        seen, target = self._views(images), slots.views
        loss = loss + s.feature_weight * feature_distance(seen[:count], target[:count])
        for likeness, a, b in zip(self.likenesses, seen[count:], target[count:], strict=True):
            loss = loss + s.likeness_weight * likeness.distance(a, b)
        stray = (codes - self.mean).square().mean(dim=[1, 2]) / self.variance
        return loss + s.prior_weight * stray

    @torch.no_grad()
    def _leave(self, slots: Slots, done: np.ndarray) -> Iterator[ProjectedPhoto]:
        """Free the slots of photos that are done, and tell what became of each."""
        # Whole groups again, so that what is stored does not depend on who leaves together.
        for group in np.resize(done, -(-len(done) // self.group) * self.group).reshape(
            -1, self.group
        ):
            images = to_uint8(self._render(slots.codes[group]))
            codes = slots.codes[group].float().cpu().numpy()
            for i, row in enumerate(group):
                if slots.index[row] >= 0:
                    index, slots.index[row] = int(slots.index[row]), -1
                    yield ProjectedPhoto(index, codes[i].copy(), images[i])


def face_distance(a: torch.Tensor, b: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """Squared plus a quarter of absolute difference (n,) over the pixels of `face` (n, 1, r, r);
    0 where there are none."""
    difference = a - b
    cost = (difference.square() + 0.25 * difference.abs()).mean(dim=1, keepdim=True) * face
    return cost.sum(dim=[1, 2, 3]) / face.sum(dim=[1, 2, 3]).clamp(min=1)
