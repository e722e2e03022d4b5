"""Test of the perception network on rendered portraits, damaged ones and generators' samples.

    python benchmarks/perception.py results/pretraining/{10,11}.npz \
        --generators resources/generator.safetensors

The two parts hold 1000 portraits each that the network was not trained on, and 2000 further people
are rendered for comparison. Printed are the variance of drawing parameters and of damage that it
explains, and the distances for the table in resources/README.md.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.demo.targets import rendering_targets
from facies.generator.checkpoints import load_networks
from facies.generator.damage import PARTS, Damage, blur, lose_parts, speckle
from facies.generator.distances import frechet_distance, kernel_distance, precision_recall
from facies.generator.perception import Perception, features
from facies.generator.pictures import to_tensor, to_uint8
from facies.generator.stylegan2 import Discriminator
from facies.photos.alignment import crop, ffhq_quad

RESOURCES = Path(__file__).parents[1] / "resources"
UNSEEN_PART = 12
FEW = 100  # samples, as one may have of a small cohort's photos


def rendered(part: int, count: int) -> np.ndarray:
    """Portraits of one part, uint8 (count, 64, 64, 3)."""
    images = []
    for portrait in pretraining_portraits(part, count):
        photo, _, points = render(portrait)
        images.append(crop(photo, ffhq_quad(points["eyes"], points["mouth"]), 64))
    return np.stack(images)


def damaged(photos: np.ndarray) -> dict[str, np.ndarray]:
    """The same portraits, damaged in one way each."""
    images, n = to_tensor(photos), len(photos)
    ways = {
        "blurred, 1 pixel": blur(images, torch.ones(n)),
        "speckled, 5 % of the range": speckle(images, torch.full([n], 0.05)),
        "eyes and mouth smeared": lose_parts(images, PARTS.expand(n, 3, 2), torch.ones(n, 3)),
    }
    return {way: to_uint8(result.clamp(-1, 1)) for way, result in ways.items()}


@torch.no_grad()
def samples(path: Path, n: int) -> np.ndarray:
    """A generator's samples, uint8 (n, r, r, 3)."""
    (generator,) = load_networks(path, "generator")
    z = torch.randn(n, generator.z_dim, generator=torch.Generator().manual_seed(0))
    return np.concatenate([to_uint8(generator(batch)) for batch in z.split(50)])


@torch.no_grad()
def print_readings(photos: np.ndarray, parameters: np.ndarray) -> None:
    """Share of variance explained, of drawing parameters in whole photos and of damage."""
    (network,) = load_networks(RESOURCES / "perception.safetensors", "perception")
    whole, damage = to_tensor(photos), Damage.random(len(photos))
    targets = torch.from_numpy(rendering_targets(parameters))
    k = targets.shape[1]
    read = torch.cat([network(batch)[:, :k] for batch in whole.split(50)])
    told = torch.cat([network(batch)[:, k:] for batch in damage(whole).split(50)])
    strengths = damage.strengths()
    strengths = (strengths - strengths.mean(0)) / strengths.std(0)
    for name, a, b in (("drawing", read, targets), ("damage", told, strengths)):
        explained = 1 - (a - b).square().mean(0)
        print(name, " ".join(f"{value:.2f}" for value in explained), f"mean {explained.mean():.2f}")


class Untrained:
    """A network of the same shape with random weights, called as Perception is."""

    def __init__(self):
        torch.manual_seed(0)
        (network,) = load_networks(RESOURCES / "perception.safetensors", "perception")
        self.network = Discriminator(**network.settings)

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        batches = to_tensor(images).split(50)
        return torch.cat([features(self.network, batch) for batch in batches]).double().numpy()


def row(reference: np.ndarray, images: np.ndarray, networks: list) -> list[float]:
    """Distances in the trained network, and the Frechet distance in the untrained one."""
    (real, fake), (real_untrained, fake_untrained) = (
        [network(photos) for photos in (reference, images)] for network in networks
    )
    return [
        frechet_distance(real, fake),
        frechet_distance(real, fake[:FEW]),
        kernel_distance(real, fake),
        *precision_recall(real, fake),
        frechet_distance(real_untrained, fake_untrained),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs=2, type=Path)
    parser.add_argument("--generators", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    parts = [np.load(path) for path in given.parts]
    photos = np.concatenate([part["images"] for part in parts])
    print_readings(photos, np.concatenate([part["parameters"] for part in parts]))
    sets = {"other portraits": photos} | damaged(photos)
    sets |= {str(path): samples(path, len(photos)) for path in given.generators}
    reference = rendered(UNSEEN_PART, len(photos))
    networks = [Perception(RESOURCES / "perception.safetensors"), Untrained()]
    for name, images in sets.items():
        print(f"| {name} |", " | ".join(f"{x:.3g}" for x in row(reference, images, networks)), "|")


if __name__ == "__main__":
    main()
