"""Find the W+ code whose rendering is the photo (Abdal et al. 2019, arXiv 1904.03189).

The encoder gives the start; gradient descent on the code alone does the rest, with the networks
frozen and many photos at once. Photos do not meet: each slot of the batch has its own loss, its own
step of its own schedule and its own Adam. A photo that has converged or used up its steps leaves,
and the next one enters its slot. Batches keep one size, because kernels chosen by size would
otherwise make a photo's last digits depend on how many others were projected beside it: on a CPU a
photo gets the same code to the bit, whichever photos are in the other slots.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat

import numpy as np
import torch
import torch.nn.functional as F

from facies.generator.losses import feature_distance, pixel_distance
from facies.generator.pictures import to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.projection.likeness import Likeness

PATIENCE = 5  # steps over which a photo's loss must still fall
GROUPS = 8  # photos enter and leave in groups of this part of the batch, which share one pass


@dataclasses.dataclass(frozen=True)
class ProjectionSettings:
    """How long and under which losses a photo is projected."""

    space: str = "w+"
    steps: int = 30  # at most
    batch: int = 32
    tolerance: float = 0.0  # share of its loss that a photo must lose in PATIENCE steps to go on
    noise: bool = False
    face_weight: float = 0.0
    learning_rate: float = 0.05
    pixel_weight: float = 10.0
    feature_weight: float = 0.5
    prior_weight: float = 0.02
    # The reference takes 1e5 over a thousand steps; in tens of steps that leaves nothing to fit.
    noise_weight: float = 10.0
    likeness_weight: float = 1.0  # of each network that the user names
    precision: str = "float32"

    def rate(self, step: torch.Tensor) -> torch.Tensor:
        """Learning rates at these steps: after a short rise, on a cosine to zero."""
        rise = ((step + 1) / (0.1 * self.steps)).clamp(max=1)
        return self.learning_rate * rise * (0.5 + 0.5 * torch.cos(math.pi * step / self.steps))


@dataclasses.dataclass(frozen=True)
class ProjectedPhoto:
    """A photo's code, `index` being its position in the stream of photos.

    `code` (num_ws, w_dim) float32, `noise` one float32 map (size, size) a layer, or none where the
    generator's own were kept; `image` uint8 (r, r, 3) is what both render to.
    """

    index: int
    code: np.ndarray
    noise: tuple[np.ndarray, ...]
    image: np.ndarray
    steps: int


@dataclasses.dataclass(frozen=True)
class Projection:
    """Of n photos: codes (n, num_ws, w_dim), renderings uint8 (n, r, r, 3), steps taken (n,), and
    noise maps by layer (n, size, size), or none."""

    codes: np.ndarray
    images: np.ndarray
    steps: np.ndarray
    noise: tuple[np.ndarray, ...]


class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) that counts the steps of each row by itself.

    Parameters and gradients are (rows, ...).
    """

    def __init__(self, parameters: Sequence[torch.Tensor], betas=(0.9, 0.999), eps=1e-8):
        self.parameters, self.betas, self.eps = parameters, betas, eps
        self.means = [torch.zeros_like(p) for p in parameters]
        self.squares = [torch.zeros_like(p) for p in parameters]

    def restart(self, row: int) -> None:
        """Forget what was before in a row."""
        for state in (*self.means, *self.squares):
            state[row] = 0

    def step(self, gradients, rate: torch.Tensor, steps: torch.Tensor) -> None:
        """Move each row by its own `rate` (rows,) after its `steps` (rows,) so far."""
        corrections = [1 - beta ** (steps + 1) for beta in self.betas]
        rows = zip(self.parameters, gradients, self.means, self.squares, strict=True)
        for parameter, gradient, mean, square in rows:
            shape = (-1, *[1] * (gradient.ndim - 1))
            mean.mul_(self.betas[0]).add_(gradient * (1 - self.betas[0]))
            square.mul_(self.betas[1]).add_(gradient.square() * (1 - self.betas[1]))
            size = (square / corrections[1].view(shape)).sqrt() + self.eps
            parameter -= (rate / corrections[0]).view(shape) * mean / size


class Slots:
    """The photos at work, a row for each: what they should become, and how far they are."""

    def __init__(self, size: int, shapes: Sequence[tuple], resolution: int, device: str):
        self.index = np.full(size, -1)  # of the photo in the stream; -1 where there is none
        self.steps = torch.zeros(size, device=device)
        self.losses = torch.full((size, PATIENCE + 1), torch.inf, device=device)  # newest last
        picture = torch.zeros(size, 3, resolution, resolution, device=device)
        self.target = picture.to(memory_format=torch.channels_last)
        self.face = torch.zeros(size, 1, resolution, resolution, device=device)
        self.views: list[torch.Tensor] = []  # the photos as networks see them
        self.parameters = [torch.zeros(size, *shape, device=device) for shape in shapes]
        self.adam = Adam(self.parameters)

    def enter(self, row: int, index: int, target, face, views, start) -> None:
        """A photo takes the slot of one that left."""
        self.index[row], self.steps[row], self.losses[row] = index, 0, torch.inf
        self.target[row], self.face[row] = target, face
        if not self.views:
            self.views = [x.expand(len(self.index), *x.shape).clone() for x in views]
        for kept, new in zip((*self.views, *self.parameters), (*views, *start), strict=True):
            kept[row] = new
        self.adam.restart(row)

    def finished(self, settings: ProjectionSettings) -> np.ndarray:
        """Rows of photos that used up their steps, or whose loss hardly falls any more."""
        before, now = self.losses[:, 0], self.losses[:, -1]
        stands = now > before * (1 - settings.tolerance) if settings.tolerance else now < 0
        done = (self.steps >= settings.steps) | (stands & before.isfinite())
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
            steps=np.array([f.steps for f in projected]),
            noise=tuple(map(np.stack, zip(*[f.noise for f in projected], strict=True))),
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

    def _render(self, codes, noise) -> torch.Tensor:
        """Images of codes (n, 1 or num_ws, w_dim) and of one noise map (n, 1, size, size) a layer;
        without these, under the generator's own."""
        ws = codes.expand(-1, self.generator.num_ws, -1)
        return self.generator.synthesis(ws, noise or "const")

    def _slots(self) -> Slots:
        count = 1 if self.settings.space == "w" else self.generator.num_ws
        shapes = [(count, self.generator.w_dim)]
        if self.settings.noise:
            shapes += [(1, *shape) for shape in self.generator.synthesis.noise_shapes]
        size = self.generator.img_resolution
        return Slots(self.settings.batch, shapes, size, self.device)

    @torch.no_grad()
    def _variance_of_w(self) -> torch.Tensor:
        """Variance of w over random z, the unit in which codes may leave the mean."""
        random = torch.Generator().manual_seed(0)
        z = torch.randn(4096, self.generator.z_dim, generator=random).to(self.device)
        return self.generator.mapping(z)[:, 0].var(dim=0).mean()

    @torch.no_grad()
    def _start(self, target) -> torch.Tensor:
        """The encoder's codes; in W, one for all layers."""
        codes = self.encoder(target, self.mean)
        return codes.mean(dim=1, keepdim=True) if self.settings.space == "w" else codes

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
            views, codes, noise = self._views(target), self._start(target), self._own_noise()
            for i, (index, (_, mask)) in enumerate(new):
                face = 0 if mask is None else torch.from_numpy(mask).to(self.device)
                seen = [x[i] for x in views]
                slots.enter(free[start + i], index, target[i], face, seen, [codes[i], *noise])

    def _views(self, images) -> list[torch.Tensor]:
        """The discriminator's features of images, and what the likenesses make of them."""
        named = [likeness.embed(images) for likeness in self.likenesses]
        return [*self.discriminator.features(images), *named]

    def _own_noise(self) -> list[torch.Tensor]:
        """The generator's constant maps, where those of photos start from."""
        if not self.settings.noise:
            return []
        return [layer.noise_const for b in self.generator.synthesis.blocks for layer in b.layers]

    def _step(self, slots: Slots) -> None:
        """One step of Adam of every photo."""
        parameters = [p.detach().requires_grad_(True) for p in slots.parameters]
        losses = self._loss(parameters, slots)
        gradients = torch.autograd.grad(losses.sum(), parameters)
        with torch.no_grad():
            slots.losses = torch.cat([slots.losses[:, 1:], losses[:, None]], dim=1)
            slots.adam.step(gradients, self.settings.rate(slots.steps), slots.steps)
            slots.steps += 1
            for noise in slots.parameters[1:]:
                noise -= noise.mean(dim=[2, 3], keepdim=True)
                noise *= noise.square().mean(dim=[2, 3], keepdim=True).rsqrt()

    def _loss(self, parameters, slots: Slots) -> torch.Tensor:
        """Per photo (batch,): pixels, features, and how far the code strays from the mean."""
        s, (codes, *noise) = self.settings, parameters
        images = self._render(codes, noise)
        loss = s.pixel_weight * pixel_distance(images, slots.target)
        if s.face_weight:
            loss = loss + s.face_weight * face_distance(images, slots.target, slots.face)
        count = len(self.discriminator.resolutions)
        seen, target = self._views(images), slots.views
        loss = loss + s.feature_weight * feature_distance(seen[:count], target[:count])
        for likeness, a, b in zip(self.likenesses, seen[count:], target[count:], strict=True):
            loss = loss + s.likeness_weight * likeness.distance(a, b)
        stray = (codes - self.mean).square().mean(dim=[1, 2]) / self.variance
        loss = loss + s.prior_weight * stray
        return loss + s.noise_weight * autocorrelation(noise) if noise else loss

    @torch.no_grad()
    def _leave(self, slots: Slots, done: np.ndarray) -> Iterator[ProjectedPhoto]:
        """Free the slots of photos that are done, and give their codes."""
        # Whole groups again, so that what is stored does not depend on who leaves together.
        for group in np.resize(done, -(-len(done) // self.group) * self.group).reshape(
            -1, self.group
        ):
            codes, *noise = (p[group] for p in slots.parameters)
            images = to_uint8(self._render(codes, noise))
            full = codes.expand(-1, self.generator.num_ws, -1).float().cpu().numpy()
            maps = [x[:, 0].cpu().numpy() for x in noise]
            for i, row in enumerate(group):
                if slots.index[row] >= 0:
                    index, slots.index[row] = int(slots.index[row]), -1
                    noise = tuple(x[i] for x in maps)
                    steps = int(slots.steps[row])
                    yield ProjectedPhoto(index, full[i].copy(), noise, images[i], steps)


def face_distance(a: torch.Tensor, b: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """Squared plus a quarter of absolute difference (n,) over the pixels of `face` (n, 1, r, r);
    0 where there are none."""
    difference = a - b
    cost = (difference.square() + 0.25 * difference.abs()).mean(dim=1, keepdim=True) * face
    return cost.sum(dim=[1, 2, 3]) / face.sum(dim=[1, 2, 3]).clamp(min=1)


def autocorrelation(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """How much noise maps (n, 1, size, size) look like pictures (n,), which they must not carry
    (Karras et al. 2020, arXiv 1912.04958, appendix D): products with themselves, moved by one
    pixel, at every size from their own down to 8 pixels."""
    total = 0
    for noise in maps:
        while True:
            for axis in (2, 3):
                moved = torch.roll(noise, 1, dims=axis)
                total = total + (noise * moved).mean(dim=[1, 2, 3]).square()
            if noise.shape[2] <= 8:
                break
            noise = F.avg_pool2d(noise, 2)
    return total
