"""Adversarial training of StyleGAN2 with an encoder that learns beside it.

The generator, discriminator and regularisers follow Karras et al. 2020 (arXiv 1912.04958) and the
augmentation Karras et al. 2020b (arXiv 2006.06676). Beside them an encoder maps photos to W+, and
the reconstruction loss of real photos flows into the generator too: a small network trained on
few photos becomes faithful to faces much sooner than by the adversarial loss alone, and
projection gets its start for nothing. The generator itself stays a StyleGAN2.

Every random number is a function of the seed and the step, so that a run goes on exactly where it
stopped without remembering the state of a random generator. What concerns the batch is sampled for
the whole batch in every process; each works on its shares, so that several GPUs, or one that takes
the batch in pieces, compute what one large GPU would.
"""

import copy
import dataclasses
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from facies.generator import parallel
from facies.generator.augment import Augmentation
from facies.generator.losses import feature_distance, pixel_distance
from facies.generator.stylegan2 import MBSTD_GROUP, Discriminator, Encoder, Generator

W_AVG_BETA = 0.998  # memory of the mean code

# What random numbers are for; noise maps have one stream a process.
ORDER, MIRROR, DRAWS, LESSON, NOISE = range(1, 6)


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Hyperparameters: the config's, then others with the reference's values where it has them.

    `freeze_d` layers of the discriminator, from the image on, do not learn.
    """

    batch: int
    noise: str
    freeze_d: int
    precision: str
    learning_rate: float = 0.0025
    r1_interval: int = 16
    path_interval: int = 8
    path_weight: float = 2.0
    style_mixing: float = 0.9
    ema_rampup: float | None = 0.05  # None: none, as is right for fine-tuning
    ada_target: float = 0.6
    ada_interval: int = 4
    ada_kimg: float = 500.0
    r1_factor: float = 1.0
    pixel_weight: float = 20.0
    feature_weight: float = 1.0
    prior_weight: float = 0.02

    def r1_gamma(self, resolution: int) -> float:
        """R1 strength, `r1_factor` times that of the reference's automatic configuration."""
        return self.r1_factor * 0.0002 * resolution**2 / self.batch

    def pieces(self, at_once: int, processes: int) -> int:
        """In how many pieces a process takes its part of the batch: none above `at_once` photos,
        or above a group of four. Raises ValueError where groups cannot be split evenly.
        """
        groups, rest = divmod(self.batch, MBSTD_GROUP * processes)
        if rest or not groups:
            raise ValueError(
                f"a batch of {self.batch} photos on {processes} GPUs: make it a multiple of "
                f"{MBSTD_GROUP * processes}, since photos are compared in groups of {MBSTD_GROUP}"
            )
        even = (p for p in range(1, groups) if groups % p == 0)
        return next((p for p in even if MBSTD_GROUP * groups // p <= at_once), groups)


def lazy_adam(parameters, learning_rate: float, interval: int) -> torch.optim.Adam:
    """Adam whose settings allow for a regulariser run every `interval` steps (appendix B)."""
    ratio = interval / (interval + 1)
    return torch.optim.Adam(
        parameters, lr=learning_rate * ratio, betas=(0.0, 0.99**ratio), eps=1e-8
    )


def seed_of(seed: int, step: int, purpose: int) -> int:
    """A seed for what is sampled in this step for this purpose (`DRAWS` ...)."""
    return int(np.random.SeedSequence([seed, step, purpose]).generate_state(1, np.uint64)[0])


def random_of(seed: int, step: int, purpose: int) -> torch.Generator:
    """Random numbers that depend on these three alone."""
    return torch.Generator().manual_seed(seed_of(seed, step, purpose))


class Sampler:
    """Endless shuffled batches of a photo array (n, 3, r, r) uint8, mirrored at random."""

    def __init__(self, images: torch.Tensor, batch: int, seed: int):
        self.images, self.batch, self.seed = images, batch, seed

    def __getitem__(self, step: int) -> torch.Tensor:
        """Batch number `step` as float in [-1, 1]; every photo is shown once an epoch."""
        n = len(self.images)
        epochs, places = np.divmod(np.arange(step * self.batch, (step + 1) * self.batch), n)
        orders = {
            e: torch.randperm(n, generator=random_of(self.seed, e, ORDER)) for e in set(epochs)
        }
        chosen = torch.stack([orders[e][i] for e, i in zip(epochs, places, strict=True)])
        photos = self.images[chosen].float() / 127.5 - 1
        mirrored = torch.rand(len(photos), generator=random_of(self.seed, step, MIRROR)) < 0.5
        return torch.where(mirrored[:, None, None, None], photos.flip(3), photos)


class Trainer:
    """All that training changes: networks, their averages, optimisers, augmentation strength.

    `pieces`: in how many shares a process takes its part of each batch, to bound memory.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        encoder: Encoder,
        settings: TrainingSettings,
        device: str = "cpu",
        seed: int = 0,
        pieces: int = 1,
    ):
        self.settings, self.device, self.seed, self.pieces = settings, device, seed, pieces
        networks = (generator, discriminator, encoder)
        self.G, self.D, self.E = (
            n.to(device, memory_format=torch.channels_last).train() for n in networks
        )
        self.D.freeze(settings.freeze_d)
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.E_ema = copy.deepcopy(self.E).eval().requires_grad_(False)
        for network in (self.G.synthesis, self.D, self.E.trunk):
            network.compute = getattr(torch, settings.precision)
        self.learning = {
            name: [p for p in getattr(self, name).parameters() if p.requires_grad]
            for name in ("G", "D", "E")
        }
        rate = settings.learning_rate
        self.optimizers = {
            "G": lazy_adam(self.learning["G"], rate, settings.path_interval),
            "D": lazy_adam(self.learning["D"], rate, settings.r1_interval),
            "E": torch.optim.Adam(self.learning["E"], lr=rate, betas=(0.0, 0.99)),
        }
        self.images = self.steps = 0
        self.augment_p = 0.0
        self.path_mean = torch.zeros([], device=device)
        self.signs: list[float] = []

    def step(self, reals: torch.Tensor) -> dict[str, torch.Tensor]:
        """One training step on real photos (batch, 3, r, r) in [-1, 1]; returns its losses.

        Every process gets the whole batch.
        """
        torch.manual_seed(seed_of(self.seed, self.steps, NOISE + parallel.rank()))
        random = random_of(self.seed, self.steps, DRAWS)
        reals = reals.to(self.device, memory_format=torch.channels_last)
        losses = self._train_generator(reals, random)
        if self.steps % self.settings.path_interval == 0:
            losses |= self._regularise_paths(random)
        losses |= self._train_discriminator(reals, random)
        if self.steps % self.settings.r1_interval == 0:
            losses |= self._regularise_discriminator(reals, random)
        self.steps += 1
        self.images += len(reals)
        self._average()
        self._adapt_augmentation()
        return losses

    def teach_encoder(self, kimg: float) -> None:
        """Show a new encoder thousands of samples of the generator, whose codes are known."""
        n = self.settings.batch
        for lesson in range(int(kimg * 1000 / n)):
            codes = self._draw_codes(n, random_of(self.seed, lesson, LESSON))
            variance = self._mean_and_variance(codes[0][0])[1]

            def objective(rows, codes=codes, variance=variance):
                with torch.no_grad():
                    ws, mean = self._ws(codes, rows), self.G.mapping.w_avg
                    images = self.G.synthesis(ws)
                error = (self.E(images, mean) - ws).square().mean() / variance
                return error, {"error": error}

            self._descend("E", n, objective)
        self.E_ema.load_state_dict(self.E.state_dict())

    def _draw_codes(self, n: int, random) -> tuple[torch.Tensor, int]:
        """Two z for each of n images, (2, n, z_dim), and the layer where the second takes over."""
        z = torch.randn(2, n, self.G.z_dim, generator=random)
        mixed = torch.rand([], generator=random) < self.settings.style_mixing
        cutoff = int(torch.randint(1, self.G.num_ws, [], generator=random))
        return z.to(self.device), cutoff if mixed else self.G.num_ws

    def _ws(self, codes, rows) -> torch.Tensor:
        """W+ codes of these rows of a draw, some crossing over to a second z (style mixing)."""
        z, cutoff = codes
        ws = self.G.mapping(z[0, rows])
        if cutoff == self.G.num_ws:
            return ws
        return torch.cat([ws[:, :cutoff], self.G.mapping(z[1, rows])[:, cutoff:]], dim=1)

    @torch.no_grad()
    def _mean_and_variance(self, z) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean (w_dim,) of w over a batch of z, and its variance about that."""
        w = self.G.mapping(z)[:, 0]
        return w.mean(dim=0), w.var(dim=0).mean() + 1e-8

    def _train_generator(self, reals, random) -> dict[str, torch.Tensor]:
        """Fool the discriminator, and render again what the encoder saw."""
        n = len(reals)
        codes = self._draw_codes(n, random)
        augmentation = Augmentation(n, self.augment_p, random)
        mean, variance = self._mean_and_variance(codes[0][0])
        self.G.mapping.w_avg.lerp_(mean, 1 - W_AVG_BETA)
        self._discriminator_learns(False)

        def objective(rows):
            adversarial = self._fool(codes, augmentation, rows)
            reconstruction, figures = self._reconstruct(reals[rows], variance)
            return adversarial + reconstruction, {"generator": adversarial, **figures}

        return self._descend("GE", n, objective)

    def _fool(self, codes, augmentation, rows) -> torch.Tensor:
        """The generator's logistic loss."""
        fakes = self.G.synthesis(self._ws(codes, rows), self.settings.noise)
        return F.softplus(-self.D(augmentation(fakes, rows))).mean()

    def _reconstruct(self, reals, variance) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of the photos' reconstructions through the encoder, and its terms."""
        s, mean = self.settings, self.G.mapping.w_avg
        encoded = self.E(reals, mean)
        # Random noise would only blur what is compared; projection renders with constant noise too.
        reconstructed = self.G.synthesis(encoded, "const" if s.noise == "random" else s.noise)
        pixel = pixel_distance(reconstructed, reals).mean()
        with torch.no_grad():
            target = self.D.features(reals)
        feature = feature_distance(self.D.features(reconstructed), target).mean()
        prior = (encoded - mean).square().mean() / variance
        loss = s.pixel_weight * pixel + s.feature_weight * feature + s.prior_weight * prior
        return loss, {"pixel": pixel, "feature": feature, "prior": prior}

    def _regularise_paths(self, random) -> dict[str, torch.Tensor]:
        """Path length regularisation (equation 4), on half a batch."""
        n, size = self.settings.batch // 2, self.G.img_resolution
        codes = self._draw_codes(n, random)
        noise = torch.randn(n, 3, size, size, generator=random) / size

        def objective(rows):
            ws = self._ws(codes, rows)
            images = self.G.synthesis(ws, self.settings.noise)
            product = (images * noise[rows].to(self.device)).sum()
            (gradient,) = torch.autograd.grad(product, ws, create_graph=True)
            lengths = gradient.square().sum(2).mean(1).sqrt()
            penalty = (lengths - self.path_mean).square().mean()
            loss = penalty * self.settings.path_weight * self.settings.path_interval
            return loss, {"path": penalty, "length": lengths.mean()}

        figures = self._descend("G", n, objective, group=1)
        self.path_mean = self.path_mean.lerp(figures.pop("length"), 0.01)
        return figures

    def _train_discriminator(self, reals, random) -> dict[str, torch.Tensor]:
        """Tell augmented photos from augmented samples."""
        n = len(reals)
        codes = self._draw_codes(n, random)
        fake_moves, real_moves = (Augmentation(n, self.augment_p, random) for _ in range(2))
        self._discriminator_learns(True)

        def objective(rows):
            with torch.no_grad():
                fakes = self.G.synthesis(self._ws(codes, rows), self.settings.noise)
            fake_logits = self.D(fake_moves(fakes, rows))
            real_logits = self.D(real_moves(reals[rows], rows))
            loss = F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()
            return loss, {"discriminator": loss, "real_sign": real_logits.sign().mean()}

        figures = self._descend("D", n, objective)
        self.signs.append(figures["real_sign"])
        return figures

    def _regularise_discriminator(self, reals, random) -> dict[str, torch.Tensor]:
        """R1 (Mescheder et al. 2018) on augmented photos, whose map needs no second derivative."""
        augmentation = Augmentation(len(reals), self.augment_p, random)
        weight = self.settings.r1_gamma(self.G.img_resolution) / 2 * self.settings.r1_interval

        def objective(rows):
            photos = augmentation(reals[rows], rows).detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(self.D(photos).sum(), photos, create_graph=True)
            penalty = gradient.square().sum([1, 2, 3]).mean()
            return penalty * weight, {"r1": penalty}

        return self._descend("D", len(reals), objective)

    def _discriminator_learns(self, yes: bool) -> None:
        for parameter in self.learning["D"]:
            parameter.requires_grad_(yes)

    def _descend(
        self, names: str, n: int, objective: Callable, group: int = MBSTD_GROUP
    ) -> dict[str, torch.Tensor]:
        """One step of the named optimisers on the mean of an objective over a batch of n.

        The objective is called with the rows of each share and returns its loss, and figures whose
        means are given back.
        """
        for name in names:
            self.optimizers[name].zero_grad(set_to_none=True)
        shares = parallel.shares(n, self.pieces * parallel.processes(), group)
        total = 0
        for rows in shares[parallel.rank() :: parallel.processes()]:
            loss, figures = objective(rows)
            (loss / self.pieces).backward()
            total = total + torch.stack([f.detach().float() for f in figures.values()])
        parameters = [p for name in names for p in self.learning[name]]
        parallel.average_gradients(parameters)
        for gradient in (p.grad for p in parameters if p.grad is not None):
            # As the reference: one overflow must not undo days of training.
            torch.nan_to_num(gradient, nan=0, posinf=1e5, neginf=-1e5, out=gradient)
        for name in names:
            self.optimizers[name].step()
        return dict(zip(figures, parallel.average(total / self.pieces), strict=True))

    @torch.no_grad()
    def _average(self):
        """Exponential moving averages with a half-life of batch * 10/32 kimg."""
        half_life = self.settings.batch * 1000 * 10 / 32
        if self.settings.ema_rampup is not None:
            half_life = min(half_life, self.images * self.settings.ema_rampup)
        beta = 0.5 ** (self.settings.batch / max(half_life, 1e-8))
        for mean, network in ((self.G_ema, self.G), (self.E_ema, self.E)):
            for averaged, value in zip(mean.parameters(), network.parameters(), strict=True):
                averaged.lerp_(value, 1 - beta)
            for averaged, value in zip(mean.buffers(), network.buffers(), strict=True):
                averaged.copy_(value)

    def _adapt_augmentation(self):
        """Move the strength so that the mean sign of real logits stays at its target."""
        s = self.settings
        if self.steps % s.ada_interval == 0:
            overfitting = float(sum(self.signs)) / len(self.signs) - s.ada_target
            change = s.batch * s.ada_interval / (s.ada_kimg * 1000)
            self.augment_p = min(
                max(self.augment_p + (change if overfitting > 0 else -change), 0), 1
            )
            self.signs.clear()

    def networks(self) -> dict[str, torch.nn.Module]:
        """What a checkpoint keeps: the averaged generator and encoder, and the discriminator."""
        return {"generator": self.G_ema, "discriminator": self.D, "encoder": self.E_ema}

    def state_dict(self) -> dict:
        """Everything needed to go on exactly."""
        networks = ("G", "D", "E", "G_ema", "E_ema")
        return {
            **{name: getattr(self, name).state_dict() for name in networks},
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "images": self.images,
            "steps": self.steps,
            "augment_p": self.augment_p,
            "path_mean": self.path_mean,
            "signs": [float(sign) for sign in self.signs],
        }

    def load_state_dict(self, state: dict) -> None:
        for name in ("G", "D", "E", "G_ema", "E_ema"):
            getattr(self, name).load_state_dict(state[name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.images, self.steps = state["images"], state["steps"]
        self.augment_p, self.path_mean = state["augment_p"], state["path_mean"]
        self.signs = list(state["signs"])


def train(trainer: Trainer, sampler: Sampler, kimg: float, tick: int) -> Iterator[dict]:
    """Train until `kimg` thousand photos were shown; every `tick` photos yield the mean losses."""
    sums, counts = defaultdict(float), defaultdict(int)
    while trainer.images < kimg * 1000:
        for name, value in trainer.step(sampler[trainer.steps]).items():
            sums[name] += value
            counts[name] += 1
        if trainer.images % tick < trainer.settings.batch:
            row = {"kimg": trainer.images / 1000, "augment_p": trainer.augment_p}
            yield row | {name: float(sums[name]) / counts[name] for name in sums}
            sums.clear(), counts.clear()


def save_state(path: Path, state: dict) -> None:
    """Write beside, then rename: a kill leaves the old state or the new one, never half of one."""
    beside = path.with_suffix(".tmp")
    torch.save(state, beside)
    os.replace(beside, path)
