"""Projection compared with the projector of NVIDIA's `stylegan2-ada-pytorch`, and alone.

    python benchmarks/projection.py ratio generator.safetensors photos.npz --reference path/to/it
    python benchmarks/projection.py curves generator.safetensors photos.npz
    python benchmarks/projection.py table generator.safetensors photos.npz
    python benchmarks/projection.py company generator.safetensors photos.npz

`photos.npz` is a table of aligned photos (`results/aligned/full.npz`), the generator one that was
tuned on them. `ratio` runs both projectors in one process with the same weights and the same loss
network: the features of the tuned discriminator instead of the VGG16 that the reference downloads,
whose algorithm is unchanged. Reconstructions are scored by PSNR, also within the face, and by the
distance in features of the shipped perception network, which neither minimises. `curves` shows
quality against time from the mean code and from the encoder's; `table` the contributions of W+ and
encoder; `company` how far a photo's code depends on the other photos of its batch.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from reference import open_reference

from facies.generator.checkpoints import best_device, load_networks
from facies.generator.losses import feature_distance
from facies.generator.pictures import to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.projection.projector import ProjectionSettings, Projector, Slots
from facies.projection.quality import psnr, ssim

SHIPPED = Path(__file__).parents[1] / "resources/perception.safetensors"
OVAL = (0.57, 0.5, 0.27, 0.2)  # centre and half axes of a face in an aligned crop, down and across


class FromTheMean(Projector):
    """Starts at the mean code, as the reference does."""

    def _start(self, target):
        return self.mean.expand(len(target), self.generator.num_ws, -1).clone()


class InW(Projector):
    """One code for all layers."""

    def _slots(self):
        size = self.generator.img_resolution
        return Slots(self.settings.batch, (1, self.generator.w_dim), size, self.device)

    def _start(self, target):
        return super()._start(target).mean(dim=1, keepdim=True)


class InWFromTheMean(InW, FromTheMean):
    pass


class Scorer:
    """Means over photos of what a reconstruction keeps, each with its standard error."""

    def __init__(self, photos: np.ndarray):
        (self.network,) = load_networks(SHIPPED, "perception")
        self.photos, size = photos, photos.shape[1]
        down, across = ((np.mgrid[0:size, 0:size] + 0.5) / size).reshape(2, size, size)
        y, x, height, width = OVAL
        self.face = ((down - y) / height) ** 2 + ((across - x) / width) ** 2 < 1

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> dict[str, tuple[float, float]]:
        a, b = (self.network.features(to_tensor(x)) for x in (self.photos, images))
        pairs = list(zip(self.photos, images, strict=True))
        scores = {
            "psnr": [psnr(*pair) for pair in pairs],
            "psnr_face": [psnr(*pair, self.face) for pair in pairs],
            "ssim": [ssim(*pair) for pair in pairs],
            "perceptual": feature_distance(a, b).tolist(),
        }
        error = np.sqrt(len(pairs))
        return {name: (np.mean(v), np.std(v, ddof=1) / error) for name, v in scores.items()}


def as_text(scores: dict) -> str:
    return "  ".join(f"{name} {mean:.3f} ({error:.3f})" for name, (mean, error) in scores.items())


def seconds(task):
    """A task's result and its time: on a CPU that of the process, on a GPU wall time."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    start = clock()
    result = task()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return result, clock() - start


class Features(torch.nn.Module):
    """A discriminator behind the call of the reference's loss network.

    Images (n, 3, r, r) in [0, 255] to vectors whose squared distance is `feature_distance`.
    """

    def __init__(self, discriminator):
        super().__init__()
        self.discriminator = discriminator

    def forward(self, images, resize_images=False, return_lpips=True):
        found = []
        for x in self.discriminator.features(images / 127.5 - 1):
            unit = x * (x.square().sum(dim=1, keepdim=True) + 1e-8).rsqrt()
            found.append(unit.flatten(1) / np.sqrt(x.shape[2] * x.shape[3]))
        return torch.cat(found, dim=1)


class Reference:
    """The reference's projector with our generator's weights and our loss network."""

    def __init__(self, folder: Path, generator: Generator, discriminator, device: str):
        open_reference(folder)
        sys.modules.setdefault("imageio", ModuleType("imageio"))  # for videos only
        import projector
        from training import networks

        projector.dnnlib.util.open_url = lambda url: contextlib.nullcontext()
        s = generator.settings
        shape = {k: s[k] for k in ("channel_base", "channel_max")}
        mapping = {"num_layers": s["mapping_layers"]}
        sizes = (s["z_dim"], 0, s["w_dim"], s["img_resolution"], 3)
        self.generator = networks.Generator(*sizes, mapping_kwargs=mapping, synthesis_kwargs=shape)
        self.generator.load_state_dict(generator.state_dict(), strict=False)
        self.generator = self.generator.to(device).eval().requires_grad_(False)
        self.module, self.loss, self.device = projector, Features(discriminator), device

    def __call__(self, photos: np.ndarray, steps: int) -> np.ndarray:
        """Project one photo after the other, and render as the reference does in the end."""
        images, load = [], torch.jit.load
        torch.jit.load = lambda file: self.loss
        try:
            for photo in photos:
                target = torch.from_numpy(photo).permute(2, 0, 1).to(self.device)
                torch.manual_seed(303)  # the reference's default
                ws = self.module.project(
                    self.generator, target, num_steps=steps, device=torch.device(self.device)
                )
                with torch.no_grad():
                    image = self.generator.synthesis(ws[-1:], noise_mode="const")
                images.append(to_uint8(image)[0])
        finally:
            torch.jit.load = load
        return np.stack(images)


def operations(projector: Projector, photos) -> float:
    """Additions and multiplications of one step of one photo."""
    slots = projector._slots()
    projector._admit(slots, enumerate((photo, None) for photo in photos))
    with FlopCounterMode(display=False) as counter:
        projector._step(slots)
    return counter.get_total_flops() / len(slots.index)


def rate(device: str) -> float:
    """Operations a second of a large matrix product."""
    n = 8192 if device == "cuda" else 1024
    a, b = (torch.randn(n, n, device=device) for _ in range(2))
    return 2 * n**3 / min(seconds(lambda: a @ b)[1] for _ in range(5))


def ratio(given, networks, photos, device) -> None:
    """Photos a second of both, ours at the quality that the reference reaches."""
    scorer, reference = Scorer(photos), Reference(given.reference, *networks[:2], device)
    found = {}
    for steps in given.reference_steps:
        some = photos[: given.photos if steps <= 250 else min(given.photos, 4)]
        images, took = seconds(lambda some=some, steps=steps: reference(some, steps))
        found[steps] = len(some) / took
        scores = Scorer(some)(images)
        print(f"reference, {steps} steps, {len(some)} photos: {len(some) / took:.4f} a second")
        print(f"    {as_text(scores)}", flush=True)
    for steps in given.steps:
        projector = given.kind(*networks, settings(given, steps=steps), device)
        result, took = seconds(lambda p=projector: p.project(photos))
        speed = len(photos) / took
        ratios = ", ".join(f"{speed / v:.1f} times its {k} steps" for k, v in found.items())
        print(f"ours, {steps} steps: {speed:.3f} photos a second, {ratios}")
        print(f"    {as_text(scorer(result.images))}")
        floor = rate(device) / operations(projector, photos) / max(steps, 1)
        print(f"    arithmetic alone: {floor:.1f} photos a second", flush=True)


def curves(given, networks, photos, device) -> None:
    """Quality against time from both starts: each number of steps is a run of its own."""
    scorer = Scorer(photos)
    for name, kind in (("mean", FromTheMean), ("encoder", Projector)):
        for steps in given.steps:
            projector = kind(*networks, settings(given, steps=steps), device)
            result, took = seconds(lambda p=projector: p.project(photos))
            scores = as_text(scorer(result.images))
            print(f"{name:8} {steps:4} steps {took / len(photos):.3f} s a photo  {scores}")
            sys.stdout.flush()


def table(given, networks, photos, device) -> None:
    """Contributions of W+ and the encoder to quality, compared with the mean face."""
    scorer = Scorer(photos)
    mean = np.broadcast_to(photos.mean(axis=0).round().astype(np.uint8), photos.shape)
    print(f"mean face  {as_text(scorer(mean))}", flush=True)
    kinds = {"W, mean": InWFromTheMean, "W, encoder": InW}
    kinds |= {"W+, mean": FromTheMean, "W+, encoder": Projector}
    for name, kind in kinds.items():
        projector = kind(*networks, settings(given, steps=given.steps[0]), device)
        print(f"{name:11} {as_text(scorer(projector.project(photos).images))}", flush=True)


def company(given, networks, photos, device) -> None:
    """Codes of half of the photos, projected alone and, in reverse order, among all."""
    projector = given.kind(*networks, settings(given, steps=given.steps[0]), device)
    half = len(photos) // 2
    alone = projector.project(photos[:half])
    among = projector.project(photos[::-1])
    apart = np.abs(alone.codes - among.codes[::-1][:half]) / projector.variance.sqrt().item()
    pixels = np.abs(alone.images.astype(int) - among.images[::-1][:half])
    print(f"codes differ by {apart.max():.1e} at most, {apart.mean():.1e} on average (SD of w)")
    print(f"pixels differ by {pixels.max()} of 255 at most, {pixels.mean():.1e} on average")


def settings(given, steps: int) -> ProjectionSettings:
    return ProjectionSettings(steps, given.batch, face_weight=0.0, precision=given.precision)


def untrained(resolution: int, channels: int, count: int) -> tuple[list, np.ndarray]:
    """Untrained networks, for sizes without a checkpoint, and the generator's samples as photos."""
    torch.manual_seed(0)
    shape = {"channel_base": channels, "channel_max": 512}
    generator = Generator(512, 512, resolution, **shape)
    others = [
        Discriminator(resolution, **shape),
        Encoder(generator.num_ws, 512, resolution, **shape),
    ]
    networks = [n.eval().requires_grad_(False) for n in (generator, *others)]
    with torch.no_grad():
        ws = generator.mapping(torch.randn(10000, 512))[:, 0]
        generator.mapping.w_avg.copy_(ws.mean(dim=0))
        images = generator(torch.randn(count, 512))
    return networks, to_uint8(images / images.abs().amax(dim=[1, 2, 3], keepdim=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("generator", help="a checkpoint, or the resolution of an untrained one")
    parser.add_argument("aligned", type=Path, nargs="?")
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument(
        "--channels", type=int, default=32768, help="of untrained ones, over pixels"
    )
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--steps", type=int, nargs="+", default=[30])
    parser.add_argument("--reference-steps", type=int, nargs="+", default=[100])
    given = parser.parse_args()
    device = best_device()
    given.kind = Projector
    if given.generator.isdigit():
        networks, photos = untrained(int(given.generator), given.channels, given.photos)
        given.kind = FromTheMean
    else:
        networks = load_networks(given.generator, "generator", "discriminator", "encoder")
        with np.load(given.aligned) as file:
            every = len(file["images"]) // given.photos
            photos = file["images"][:: max(every, 1)][: given.photos]
    print(f"{given.task}: {len(photos)} photos, {device}, {torch.get_num_threads()} threads")
    TASKS[given.task](given, networks, photos, device)


TASKS = {"ratio": ratio, "curves": curves, "table": table, "company": company}

if __name__ == "__main__":
    main()
