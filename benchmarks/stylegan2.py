"""Our StyleGAN2 beside NVIDIA's plain PyTorch path: the same numbers, and how much sooner.

    python benchmarks/stylegan2.py path/to/stylegan2-ada-pytorch --resolution 64 --batch 8

Both generators hold the same weights and run in turn in one process; printed are the largest
relative difference and the ratio of median times (above 1: ours is faster). Times of one machine
mean little elsewhere, their ratio more.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.stylegan2 import Generator

CHANNEL_BASE = {64: 16384, 256: 32768, 1024: 32768}


def build(reference: Path, resolution: int, device: str):
    """NVIDIA's generator with random weights, and ours with the same."""
    sys.path.insert(0, str(reference))
    from training.networks import Generator as Reference

    torch.manual_seed(0)
    base = CHANNEL_BASE[resolution]
    theirs = Reference(512, 0, 512, resolution, 3, synthesis_kwargs={"channel_base": base})
    for name, value in theirs.named_parameters():
        if name.endswith("noise_strength"):
            value.data.fill_(0.1)
    ours = Generator(512, 512, resolution, channel_base=base)
    state = {k: v for k, v in theirs.state_dict().items() if k in ours.state_dict()}
    ours.load_state_dict(state)
    return [n.eval().requires_grad_(False).to(device) for n in (theirs, ours)]


def forward(network, ws, keyword):
    with torch.no_grad():
        return network.synthesis(ws, **keyword)


def backward(network, ws, keyword):
    """Gradient with respect to the codes, what projection needs."""
    ws = ws.clone().requires_grad_(True)
    network.synthesis(ws, **keyword).square().mean().backward()
    return ws.grad


def seconds(task, network, ws, keyword) -> float:
    start = time.perf_counter()
    task(network, ws, keyword)
    if ws.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reference", type=Path)
    parser.add_argument("--resolution", type=int, choices=CHANNEL_BASE, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    theirs, ours = build(given.reference, given.resolution, device)
    ws = ours.mapping(torch.randn(given.batch, 512, device=device))
    sides = ((theirs, {"noise_mode": "const"}), (ours, {"noise": "const"}))
    print(
        f"{given.resolution} px, batch {given.batch}, {device}, {torch.get_num_threads()} threads"
    )
    for task in (forward, backward):
        a, b = (task(network, ws, keyword) for network, keyword in sides)
        difference = ((a - b).abs().max() / a.abs().max()).item()
        times = [[], []]
        for _ in range(given.repeats):
            for side, kept in zip(sides, times, strict=True):
                kept.append(seconds(task, side[0], ws, side[1]))
        ratio = statistics.median(times[0]) / statistics.median(times[1])
        print(f"{task.__name__:9} difference {difference:.1e}   reference / ours {ratio:.2f}")


if __name__ == "__main__":
    main()
