"""Adversarial training of StyleGAN2 with an encoder that learns beside it.

The generator, discriminator and regularisers follow Karras et al. 2020 (arXiv 1912.04958) and the
augmentation Karras et al. 2020b (arXiv 2006.06676). Beside them an encoder maps photos to W+, and
the reconstruction loss of real photos flows into the generator too: a small network trained on
few photos becomes faithful to faces much sooner than by the adversarial loss alone, and
projection gets its start for nothing. The generator itself stays a StyleGAN2.
"""

import copy
import dataclasses
from collections import defaultdict
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from facies.augment import augment
from facies.perceptual import feature_distance, pixel_distance
from facies.stylegan2 import Discriminator, Encoder, Generator


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Hyperparameters; the defaults are the reference's where it has them."""

    batch: int = 16
    learning_rate: float = 0.0025
    r1_interval: int = 16
    path_interval: int = 8
    path_weight: float = 2.0
    style_mixing: float = 0.9
    ema_rampup: float | None = 0.05  # None: none, as is right for fine-tuning
    ada_target: float = 0.6
    ada_interval: int = 4
    ada_kimg: float = 500.0
    noise: str = "random"
    r1_factor: float = 1.0
    pixel_weight: float = 20.0
    feature_weight: float = 1.0
    prior_weight: float = 0.02

    def r1_gamma(self, resolution: int) -> float:
        """R1 strength, `r1_factor` times that of the reference's automatic configuration."""
        return self.r1_factor * 0.0002 * resolution**2 / self.batch


def lazy_adam(parameters, learning_rate: float, interval: int) -> torch.optim.Adam:
    """Adam whose settings allow for a regulariser run every `interval` steps (appendix B)."""
    ratio = interval / (interval + 1)
    return torch.optim.Adam(
        parameters, lr=learning_rate * ratio, betas=(0.0, 0.99**ratio), eps=1e-8
    )


class Sampler:
    """Endless shuffled batches of a photo array (n, 3, r, r) uint8, mirrored at random."""

    def __init__(self, images: torch.Tensor, batch: int, seed: int):
        self.images, self.batch = images, batch
        self.random = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.long)

    def next(self) -> torch.Tensor:
        """The next batch as float in [-1, 1]."""
        while len(self.order) < self.batch:
            epoch = torch.randperm(len(self.images), generator=self.random)
            self.order = torch.cat([self.order, epoch])
        chosen, self.order = self.order[: self.batch], self.order[self.batch :]
        photos = self.images[chosen].float() / 127.5 - 1
        mirrored = torch.rand(len(photos), 1, 1, 1, generator=self.random) < 0.5
        return torch.where(mirrored, photos.flip(3), photos)

    def state_dict(self):
        return {"random": self.random.get_state(), "order": self.order}

    def load_state_dict(self, state):
        self.random.set_state(state["random"])
        self.order = state["order"]


class Trainer:
    """All that training changes: networks, their averages, optimisers, augmentation strength."""

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        encoder: Encoder,
        settings: TrainingSettings,
        device: str = "cpu",
    ):
        self.settings, self.device = settings, device
        self.G = generator.to(device).train()
        # Channels last is a third faster in the residual trunks, and slower in the generator.
        trunks = (discriminator, encoder)
        self.D, self.E = (n.to(device, memory_format=torch.channels_last).train() for n in trunks)
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.E_ema = copy.deepcopy(self.E).eval().requires_grad_(False)
        rate = settings.learning_rate
        self.optimizers = {
            "G": lazy_adam(self.G.parameters(), rate, settings.path_interval),
            "D": lazy_adam(self.D.parameters(), rate, settings.r1_interval),
            "E": torch.optim.Adam(self.E.parameters(), lr=rate, betas=(0.0, 0.99)),
        }
        self.images = self.steps = 0
        self.augment_p = 0.0
        self.path_mean = torch.zeros([], device=device)
        self.signs: list[float] = []

    def step(self, reals: torch.Tensor) -> dict[str, float]:
        """One training step on real photos (batch, 3, r, r) in [-1, 1]; returns its losses."""
        reals = reals.to(self.device, memory_format=torch.channels_last)
        losses = self._train_generator(reals)
        if self.steps % self.settings.path_interval == 0:
            losses |= self._regularise_paths()
        losses |= self._train_discriminator(reals)
        if self.steps % self.settings.r1_interval == 0:
            losses |= self._regularise_discriminator(reals)
        self.steps += 1
        self.images += len(reals)
        self._average()
        self._adapt_augmentation()
        return losses

    def teach_encoder(self, kimg: float) -> None:
        """Show a new encoder thousands of samples of the generator, whose codes are known."""
        batch = self.settings.batch
        for _ in range(int(kimg * 1000 / batch)):
            with torch.no_grad():
                codes, mean = self._sample_ws(batch), self.G.mapping.w_avg
                images = self.G.synthesis(codes)
                spread = codes[:, 0].var(dim=0).mean() + 1e-8
            error = (self.E(images, mean) - codes).square().mean() / spread
            self._apply(error, "E")
        self.E_ema.load_state_dict(self.E.state_dict())

    def _sample_ws(self, n: int, update_w_avg: bool = False) -> torch.Tensor:
        """Codes of random z, some of them crossing over to a second z (style mixing)."""
        z = torch.randn(2, n, self.G.z_dim, device=self.device)
        ws = self.G.mapping(z[0], update_w_avg=update_w_avg)
        if torch.rand([]) < self.settings.style_mixing:
            cutoff = int(torch.randint(1, self.G.num_ws, []))
            ws = torch.cat([ws[:, :cutoff], self.G.mapping(z[1])[:, cutoff:]], dim=1)
        return ws

    def _train_generator(self, reals) -> dict[str, float]:
        """Fool the discriminator, and render again what the encoder saw."""
        n = len(reals)
        self.D.requires_grad_(False)
        sampled = self._sample_ws(n, update_w_avg=True)
        mean = self.G.mapping.w_avg
        encoded = self.E(reals, mean)
        fakes = self.G.synthesis(sampled, self.settings.noise)
        adversarial = F.softplus(-self.D(augment(fakes, self.augment_p))).mean()
        # Random noise would only blur what is compared; projection renders with constant noise too.
        noise = "const" if self.settings.noise == "random" else self.settings.noise
        rebuilt = self.G.synthesis(encoded, noise)
        pixel = pixel_distance(rebuilt, reals).mean()
        with torch.no_grad():
            target = self.D.features(reals)
        feature = feature_distance(self.D.features(rebuilt), target).mean()
        spread = sampled.detach()[:, 0].var(dim=0).mean() + 1e-8
        prior = (encoded - mean).square().mean() / spread
        s = self.settings
        total = adversarial + s.pixel_weight * pixel + s.feature_weight * feature
        total = total + s.prior_weight * prior
        self._apply(total, "G", "E")
        return {
            "generator": adversarial.item(),
            "pixel": pixel.item(),
            "feature": feature.item(),
            "prior": prior.item(),
        }

    def _regularise_paths(self) -> dict[str, float]:
        """Path length regularisation (equation 4), on half a batch."""
        ws = self._sample_ws(max(self.settings.batch // 2, 1))
        images = self.G.synthesis(ws, self.settings.noise)
        noise = torch.randn_like(images) / self.G.img_resolution
        (gradient,) = torch.autograd.grad((images * noise).sum(), ws, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        mean = self.path_mean.lerp(lengths.mean(), 0.01)
        self.path_mean = mean.detach()
        penalty = (lengths - mean).square().mean()
        self._apply(penalty * self.settings.path_weight * self.settings.path_interval, "G")
        return {"path": penalty.item()}

    def _train_discriminator(self, reals) -> dict[str, float]:
        """Tell augmented photos from augmented samples."""
        self.D.requires_grad_(True)
        with torch.no_grad():
            fakes = self.G.synthesis(self._sample_ws(len(reals)), self.settings.noise)
        fake_logits = self.D(augment(fakes, self.augment_p))
        real_logits = self.D(augment(reals, self.augment_p))
        loss = F.softplus(fake_logits).mean() + F.softplus(-real_logits).mean()
        self._apply(loss, "D")
        self.signs.append(real_logits.sign().mean().item())
        return {"discriminator": loss.item(), "real_sign": self.signs[-1]}

    def _regularise_discriminator(self, reals) -> dict[str, float]:
        """R1 (Mescheder et al. 2018) on augmented photos, whose map needs no second derivative."""
        photos = augment(reals, self.augment_p).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(self.D(photos).sum(), photos, create_graph=True)
        penalty = gradient.square().sum([1, 2, 3]).mean()
        weight = self.settings.r1_gamma(self.G.img_resolution) / 2 * self.settings.r1_interval
        self._apply(penalty * weight, "D")
        return {"r1": penalty.item()}

    def _apply(self, loss, *names):
        """Differentiate and step the named optimisers."""
        for name in names:
            self.optimizers[name].zero_grad(set_to_none=True)
        loss.backward()
        for name in names:
            self.optimizers[name].step()

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
            overfitting = sum(self.signs) / len(self.signs) - s.ada_target
            change = s.batch * s.ada_interval / (s.ada_kimg * 1000)
            self.augment_p = min(
                max(self.augment_p + (change if overfitting > 0 else -change), 0), 1
            )
            self.signs.clear()

    def networks(self) -> dict[str, torch.nn.Module]:
        """What a checkpoint keeps: the averaged generator and encoder, and the discriminator."""
        return {"generator": self.G_ema, "discriminator": self.D, "encoder": self.E_ema}

    def state_dict(self) -> dict:
        """Everything needed to go on exactly, randomness included."""
        networks = ("G", "D", "E", "G_ema", "E_ema")
        return {
            **{name: getattr(self, name).state_dict() for name in networks},
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "images": self.images,
            "steps": self.steps,
            "augment_p": self.augment_p,
            "path_mean": self.path_mean,
            "signs": self.signs,
            "random": torch.get_rng_state(),
        }

    def load_state_dict(self, state: dict) -> None:
        for name in ("G", "D", "E", "G_ema", "E_ema"):
            getattr(self, name).load_state_dict(state[name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.images, self.steps = state["images"], state["steps"]
        self.augment_p, self.path_mean = state["augment_p"], state["path_mean"]
        self.signs = list(state["signs"])
        torch.set_rng_state(state["random"])


def train(trainer: Trainer, sampler: Sampler, kimg: float, tick: int) -> Iterator[dict]:
    """Train until `kimg` thousand photos were shown; every `tick` photos yield the mean losses."""
    sums, counts = defaultdict(float), defaultdict(int)
    while trainer.images < kimg * 1000:
        for name, value in trainer.step(sampler.next()).items():
            sums[name] += value
            counts[name] += 1
        if trainer.images % tick < trainer.settings.batch:
            row = {"kimg": trainer.images / 1000, "augment_p": trainer.augment_p}
            yield row | {name: sums[name] / counts[name] for name in sums}
            sums.clear(), counts.clear()
