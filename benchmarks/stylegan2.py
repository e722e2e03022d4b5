"""StyleGAN2 compared with NVIDIA's PyTorch implementation: equality and speed.

    python benchmarks/stylegan2.py path/to/stylegan2-ada-pytorch --resolution 64 --batch 8

Both have the same weights and run in turn in one process. Printed are the largest relative
differences, the ratios of median times (above 1: ours is faster), and the time of a task's
arithmetic at the rate of large matrix products on this machine. On a GPU the reference uses its
CUDA kernels if it can compile them.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from reference import open_reference

from facies.generator.stylegan2 import Discriminator, Encoder, Generator
from facies.generator.training import Trainer, TrainingSettings, random_of

CHANNEL_BASE = {64: 16384, 256: 32768, 1024: 32768}
INTERVALS = {"path": 8, "r1": 16}  # steps between two turns of a regulariser, on both sides


def build(reference: Path, resolution: int, device: str) -> tuple[list, list]:
    """NVIDIA's generator and discriminator with random weights, and ours with the same."""
    open_reference(reference)
    from training import networks

    torch.manual_seed(0)
    base = {"channel_base": CHANNEL_BASE[resolution]}
    theirs = [
        networks.Generator(512, 0, 512, resolution, 3, synthesis_kwargs=base),
        networks.Discriminator(0, resolution, 3, **base),
    ]
    for name, value in theirs[0].named_parameters():
        if name.endswith("noise_strength"):
            value.data.fill_(0.1)
    ours = [Generator(512, 512, resolution, **base), Discriminator(resolution, **base)]
    for a, b in zip(theirs, ours, strict=True):
        b.load_state_dict({k: v for k, v in a.state_dict().items() if k in b.state_dict()})
    formats = {"memory_format": torch.channels_last}
    return [n.to(device) for n in theirs], [n.to(device, **formats) for n in ours]


def forward(synthesis, ws, **noise):
    with torch.no_grad():
        return synthesis(ws, **noise)


def backward(synthesis, ws, **noise):
    """Gradient with respect to the codes, what projection needs."""
    ws = ws.clone().requires_grad_(True)
    synthesis(ws, **noise).square().mean().backward()
    return ws.grad


def seconds(task) -> float:
    start = time.perf_counter()
    task()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def in_turn(tasks: list, repeats: int) -> list[float]:
    """Median seconds of each task, after one round that is not counted."""
    rounds = [[seconds(task) for task in tasks] for _ in range(repeats + 1)][1:]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def difference(a, b) -> float:
    return ((a - b).abs().max() / a.abs().max()).item()


def rate(device: str, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product."""
    n = 8192 if device == "cuda" else 2048
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    return 2 * n**3 / min(in_turn([lambda: a @ b], 5))


def operations(task) -> int:
    """Additions and multiplications of a task's convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        task()
    return counter.get_total_flops()


def compare_networks(theirs, ours, given, device) -> None:
    """Parity and times of synthesis, and parity of the discriminator."""
    for network in (*theirs, *ours):
        network.eval().requires_grad_(False)
    ws = ours[0].mapping(torch.randn(given.batch, 512, device=device))
    sides = ((theirs[0].synthesis, {"noise_mode": "const"}), (ours[0].synthesis, {}))
    images = forward(ours[0].synthesis, ws)
    print(f"logits    difference {difference(theirs[1](images, None), ours[1](images)):.1e}")
    for dtype in (torch.float32, torch.bfloat16):
        ours[0].synthesis.compute = dtype
        peak = rate(device, dtype)
        for task in (forward, backward):
            jobs = [lambda s=s, k=k, task=task: task(s, ws, **k) for s, k in sides]
            apart = difference(jobs[0](), jobs[1]())
            a, b = in_turn(jobs, given.repeats)
            took, floor = b * 1000, operations(jobs[1]) / peak * 1000
            print(
                f"{task.__name__:9} {str(dtype)[6:]:8} difference {apart:.1e}   "
                f"reference / ours {a / b:.2f}   ours {took:.0f} ms, arithmetic {floor:.0f} ms"
            )
    ours[0].synthesis.compute = torch.float32


def settings(batch, precision="float32") -> TrainingSettings:
    return TrainingSettings(batch, noise="random", freeze_d=0, precision=precision)


def their_turns(networks, batch, reals, device) -> dict:
    """The reference's phases, each with its step of Adam, as functions."""
    from training.loss import StyleGAN2Loss

    generator, judge = networks
    gamma = settings(batch).r1_gamma(reals.shape[-1])
    loss = StyleGAN2Loss(device, generator.mapping, generator.synthesis, judge, r1_gamma=gamma)
    adam = {n: torch.optim.Adam(n.parameters(), lr=2e-3, betas=(0.0, 0.99)) for n in networks}
    labels = torch.zeros(batch, 0, device=device)

    def turn(phase, network, gain):
        z = torch.randn(batch, 512, device=device)
        for other in networks:
            other.requires_grad_(other is network)
        adam[network].zero_grad(set_to_none=True)
        loss.accumulate_gradients(phase, reals, labels, z, labels, sync=True, gain=gain)
        adam[network].step()

    return {
        "generator": lambda: turn("Gmain", generator, 1),
        "discriminator": lambda: turn("Dmain", judge, 1),
        "path": lambda: turn("Greg", generator, INTERVALS["path"]),
        "r1": lambda: turn("Dreg", judge, INTERVALS["r1"]),
    }


class Adversarial(Trainer):
    """Our training without the encoder and the reconstruction, which the reference has not."""

    def _reconstruct(self, reals, variance):
        return 0, {}


def our_turns(kind, networks, batch, reals, device, precision) -> dict:
    """Our phases as functions."""
    generator, judge = networks
    shape = {k: judge.settings[k] for k in ("channel_base", "channel_max")}
    encoder = Encoder(generator.num_ws, 512, reals.shape[-1], **shape)
    trainer = kind(generator, judge, encoder, settings(batch, precision), device)
    for network in (trainer.G, trainer.D, trainer.E):
        network.requires_grad_(True)
    random = random_of(0, 0, 1)
    return {
        "generator": lambda: trainer._train_generator(reals, random),
        "discriminator": lambda: trainer._train_discriminator(reals, random),
        "path": lambda: trainer._regularise_paths(random),
        "r1": lambda: trainer._regularise_discriminator(reals, random),
    }


def compare_training(theirs, ours, given, device) -> None:
    """Times of a training step: both networks' turns, and the regularisers' at their intervals."""
    for network in (*theirs, *ours):
        network.train().requires_grad_(True)
    shape = (given.batch, 3, given.resolution, given.resolution)
    reals = torch.rand(shape, device=device) * 2 - 1
    sides = {"reference": their_turns(theirs, given.batch, reals, device)}
    for precision in ("float32", "bfloat16"):
        for name, kind in (("adversarial", Adversarial), ("with encoder", Trainer)):
            turns = our_turns(kind, ours, given.batch, reals, device, precision)
            sides[f"{name}, {precision}"] = turns
    totals = dict.fromkeys(sides, 0.0)
    for phase in ("generator", "discriminator", "path", "r1"):
        times = in_turn([turns[phase] for turns in sides.values()], given.repeats)
        for name, value in zip(sides, times, strict=True):
            totals[name] += value / INTERVALS.get(phase, 1)
    first = totals.pop("reference")
    for name, total in totals.items():
        print(f"training step, {name}: reference / ours {first / total:.2f}, {1000 * total:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("--resolution", type=int, choices=CHANNEL_BASE, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--training", action="store_true", help="time training steps too")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(
        f"{given.resolution} px, batch {given.batch}, {device}, {torch.get_num_threads()} threads"
    )
    theirs, ours = build(given.reference, given.resolution, device)
    compare_networks(theirs, ours, given, device)
    if given.training:
        compare_training(theirs, ours, given, device)


if __name__ == "__main__":
    main()
