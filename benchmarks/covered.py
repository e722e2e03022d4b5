"""Sensitivity and specificity of the detection of covered faces, with covers drawn on photos.

    python benchmarks/covered.py test FOLDER            # the table of docs/photos.md
    python benchmarks/covered.py train FOLDER           # writes resources/visibility.npz

FOLDER holds photographs of faces (.jpg, .png), one a person. A random half of them and 200 rendered
portraits are used for training, the other half for the test. `--all` tests all photos, of a folder
that was not used for training.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binomtest
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from facies.common.errors import InputError
from facies.demo.covers import COVERS, HARMLESS, cover, cut
from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.photos.detection import INPUT, FaceDetector
from facies.photos.images import read_photo
from facies.photos.regions import OVAL
from facies.photos.visibility import (
    CELLS,
    MOST_TURNED,
    WEIGHTS,
    reason,
    stacked,
    turned,
    visibility,
)

DETECTOR = WEIGHTS.parent / "detector"
SIDE = 700  # pixels; larger photos are reduced
SHOWN = ("plain", "glasses", "beard", "tube", "mask", "mask", "nose_free", "sunglasses")
SHOWN += ("sunglasses", "side", "lower", "upper", "cut")
EPOCHS, BATCH, HIDDEN, RATE = 8, 64, 24, 0.009


def photographs(folder: Path):
    """Paths of the photos in random order."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def read(path):
    photo = read_photo(path).pixels
    scale = SIDE / max(photo.shape)
    if scale < 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return photo


def covered(kind, photo, face, random):
    """A photo with a cover, the mask of what it hides in the original, and the new corner there."""
    if kind == "cut":
        return cut(photo, face, random)
    return *cover(kind, photo, face, random), (0, 0)


def augment(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Vary light, colour, sharpness, grain and compression."""
    image = photo / 255.0
    if random.random() < 0.25:
        image = np.repeat((image @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
    if random.random() < 0.5:
        image = image ** np.exp(random.normal(0, 0.35)) * random.uniform(0.6, 1.15)
    if random.random() < 0.3:
        image = image * (1 + random.normal(0, 0.12, 3))
    if random.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.5) * max(photo.shape) / 300)
    if random.random() < 0.3:
        image = image + random.standard_normal(image.shape) * random.uniform(0, 0.05)
    image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if random.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 90))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return image


def examples(photos, detector, random):
    """Activations (c, 12, 12), hidden share and face share of cells (12, 12), for each cover."""
    for photo in photos:
        face = detector.detect(photo)
        if face is None or face.turns:
            continue
        oval = cv2.fillPoly(
            np.zeros(photo.shape[:2], np.float32), [np.int32(np.rint(face.landmarks[OVAL]))], 1.0
        )
        for kind in SHOWN:
            image, hidden, corner = covered(kind, photo, face, random)
            again = detector.detect(augment(image, random))
            if again is None or again.turns:
                continue
            seen = again.landmarks + np.float32(corner)
            matrix, _ = cv2.estimateAffine2D(seen, again.mesh[:, :2].copy())
            maps = [
                cv2.warpAffine(hidden, matrix, (INPUT, INPUT), borderValue=1.0),
                cv2.warpAffine(oval, matrix, (INPUT, INPUT)),
            ]
            maps = [cv2.resize(m, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for m in maps]
            yield stacked(again.activations).astype(np.float16), *maps


def fit(activations, hidden, oval) -> dict[str, np.ndarray]:
    """Weights of the network of `visibility`, by cross-entropy over the cells of the face."""
    torch.manual_seed(0)
    channels = activations.shape[1]
    norm = nn.BatchNorm2d(channels, affine=False)
    inner, outer = nn.Conv2d(channels, HIDDEN, 1), nn.Conv2d(HIDDEN, 1, 1)
    network = nn.Sequential(norm, inner, nn.ReLU(), outer)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-4)
    steps = EPOCHS * len(activations) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for _ in range(steps):
        chosen = torch.randint(len(activations), [BATCH])
        logits = network(activations[chosen].float())[:, 0]
        weight = (oval[chosen] > 0.3).float()
        error = F.binary_cross_entropy_with_logits(logits, hidden[chosen], weight, reduction="sum")
        optimizer.zero_grad()
        (error / weight.sum()).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        matrix = inner.weight[:, :, 0, 0] / (norm.running_var + norm.eps).sqrt()
        bias = inner.bias - matrix @ norm.running_mean
        weights = {"hidden": matrix, "hidden_bias": bias}
        weights |= {"output": outer.weight[0, :, 0, 0], "output_bias": outer.bias}
        return {name: value.numpy() for name, value in weights.items()}


def train(folder):
    detector, random = FaceDetector(DETECTOR), np.random.default_rng(1)
    paths = photographs(folder)
    photos = [render(portrait)[0] for portrait in pretraining_portraits(99, 200)]
    photos += [read(path) for path in paths[: (len(paths) + 1) // 2]]
    parts = zip(*examples(photos, detector, random), strict=True)
    np.savez(WEIGHTS, **fit(*(torch.from_numpy(np.stack(part)) for part in parts)))


def verdict(photo, detector):
    """The reason for excluding a photo; None if it is used."""
    face = detector.detect(photo)
    if face is None or face.count > 1:
        return "no face, or several"
    return reason(visibility(face, photo.shape[:2]))


def test(paths):
    detector, random = FaceDetector(DETECTOR), np.random.default_rng(2)
    excluded, lost = defaultdict(list), defaultdict(int)
    for path in paths:
        try:
            photo = read(path)
        except InputError:
            continue
        face = detector.detect(photo)
        if face is None or face.turns or face.count > 1 or abs(turned(face.mesh)) > MOST_TURNED:
            continue  # turned heads are excluded anyway
        for kind in (*HARMLESS, *COVERS, "cut"):
            outcome = verdict(covered(kind, photo, face, random)[0], detector)
            excluded[kind].append(outcome is not None)
            lost[kind] += outcome == "no face, or several"
    for kind, marks in excluded.items():
        n, share = len(marks), np.mean(marks)
        low, high = binomtest(sum(marks), n).proportion_ci(method="wilson")
        print(f"| {kind} | {n} | {share:.1%} ({low:.1%} to {high:.1%}) | {lost[kind] / n:.1%} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "test"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--most", type=int, help="photos in the test")
    given = parser.parse_args()
    if given.what == "train":
        return train(given.folder)
    paths = photographs(given.folder)
    test(paths[0 if given.all else (len(paths) + 1) // 2 :][: given.most])


if __name__ == "__main__":
    main()
