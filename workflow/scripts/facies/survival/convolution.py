"""The end-to-end baseline: a convolutional network from pixels to Cox's log-risk.

The incremental value of a generator's latent space is that over this model, which starts from
random weights and learns from the same training patients alone. Patients are its unit: in every
epoch each of them shows one photo, cropped and mirrored at random. The number of epochs is a
candidate like any other, so that inner folds of the training patients stop it.

References
----------
Hagag et al., "Deep Learning for Cancer Prognosis Prediction Using Portrait Photos by StyleGAN
Embedding", arXiv 2306.14596: the comparison.
Katzman et al., "DeepSurv", BMC Med Res Methodol 18 (2018) 24: the loss.
"""

from dataclasses import dataclass

import numpy as np

from facies.survival.designs import photo_owners, small_images
from facies.survival.prediction import CandidatePredictions, Model, longer, state

MARGIN = 1 / 8  # share of a side that a crop leaves out
READ = 1000  # photos at once


@dataclass(frozen=True)
class PhotoSplit:
    """Like designs.Split, but of photos: ``images`` float32 (m, r, r, 3) in [0, 1] of the cohort,
    ``shown`` and ``shown_held`` int, those of the patients ``rows`` and ``held``, and ``patient``
    and ``patient_held`` int, whose they are there."""

    rows: np.ndarray
    held: np.ndarray
    images: np.ndarray
    shown: np.ndarray
    patient: np.ndarray
    shown_held: np.ndarray
    patient_held: np.ndarray
    axes = None
    owner = None


class ImageDesign:
    """Design of the aligned ``images`` uint8 (m, R, R, 3) themselves, averaged down to 64 pixels;
    ``owner`` int (m,) numbers their patients."""

    metrics = ("plain",)

    def __init__(self, images, owner):
        self.images, self.owner = small_images(images), owner

    def split(self, rows, held, metric="plain") -> PhotoSplit:
        return PhotoSplit(rows, held, self.images, *self._of(rows), *self._of(held))

    def _of(self, patients):
        index = np.full(self.owner.max() + 1, -1)
        index[patients] = np.arange(len(patients))
        shown = np.flatnonzero(index[self.owner] >= 0)
        return shown, index[self.owner[shown]]


class ConvolutionalCox(Model):
    """Four convolutions and Cox's partial likelihood in batches of patients."""

    epochs = tuple(range(5, 45, 5))
    longest = 80
    channels = (16, 32, 64, 64)
    batch = 64
    rate, decay = 1e-3, 0.05

    @staticmethod
    def load_design(features, paths, photos, clinical, *_) -> ImageDesign:
        """Of the aligned photos at the only one of ``paths``; see designs.load_design."""
        with np.load(paths[0], allow_pickle=False) as file:
            of_patients, owner = photo_owners(file["photo_ids"], photos, clinical.index)
            return ImageDesign(file["images"][of_patients], owner)

    def candidates(self, split, outcome, seed):
        return [{"epochs": epochs} for epochs in self.epochs]

    def extend(self, candidates, best):
        return longer(candidates, best, "epochs", self.longest)

    def predict(self, split, outcome, candidates, seed):
        import torch

        torch.manual_seed(state(seed))
        rng, outcome = np.random.default_rng(seed), outcome.ranked(seed)
        photos, held = (tensor(split.images[part]) for part in (split.shown, split.shown_held))
        network = self.network()
        optimiser = torch.optim.AdamW(network.parameters(), self.rate, weight_decay=self.decay)
        train_risks, held_risks, done = [], [], 0
        for stop in (c["epochs"] for c in candidates):
            for _ in range(stop - done):
                self._epoch(network, optimiser, photos, split.patient, outcome, rng)
            done = stop
            train_risks.append(mean_risks(network, photos, split.patient))
            held_risks.append(mean_risks(network, held, split.patient_held))
        return CandidatePredictions.log_risks(np.array(held_risks), np.array(train_risks))

    def network(self):
        """Every convolution halves the sides; what is left of the face keeps its place."""
        from torch import nn

        layers, last = [], 3
        for channels in self.channels:
            layers += [nn.Conv2d(last, channels, 3, 2, 1), nn.BatchNorm2d(channels), nn.ReLU()]
            last = channels
        read = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.5))
        return nn.Sequential(*layers, read, nn.Linear(16 * last, 1, bias=False))

    def _epoch(self, network, optimiser, photos, patient, outcome, rng):
        """One photo of every patient, in random order."""
        import torch
        from pycox.models.loss import cox_ph_loss

        network.train()
        order = rng.permutation(len(patient))
        _, first = np.unique(patient[order], return_index=True)
        chosen = rng.permutation(order[first])
        for batch in np.array_split(chosen, max(1, round(len(chosen) / self.batch))):
            patients = outcome[patient[batch]]
            if not patients.event.any():
                continue
            risk = network(cropped(photos[batch], rng))
            target = (
                torch.tensor(np.array(part, np.float32)) for part in (patients.time, patients.event)
            )
            optimiser.zero_grad()
            cox_ph_loss(risk, *target).backward()
            optimiser.step()


def tensor(photos):
    """Photos (m, r, r, 3) in [0, 1] as a tensor (m, 3, r, r) around zero."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(photos.transpose(0, 3, 1, 2)) * 4 - 2)


def cropped(photos, rng):
    """A random square of seven eighths of every photo (m, 3, r, r), mirrored half of the time."""
    import torch

    most = int(photos.shape[-1] * MARGIN)
    side = photos.shape[-1] - most
    corners, mirrored = rng.integers(0, most + 1, (len(photos), 2)), rng.random(len(photos)) < 0.5
    squares = [
        photo[:, top : top + side, left : left + side]
        for photo, (top, left) in zip(photos, corners, strict=True)
    ]
    pairs = zip(squares, mirrored, strict=True)
    return torch.stack([square.flip(-1) if mirror else square for square, mirror in pairs])


def mean_risks(network, photos, patient) -> np.ndarray:
    """Log-risks (n,) of n patients: means over their photos, and over the middle of each photo and
    its mirror image."""
    import torch

    most = int(photos.shape[-1] * MARGIN)
    inside = slice(most // 2, most // 2 + photos.shape[-1] - most)
    network.eval()
    with torch.no_grad():
        risk = torch.cat(
            [
                network(middle) + network(middle.flip(-1))
                for middle in photos[:, :, inside, inside].split(READ)
            ]
        )
    risk = risk[:, 0].numpy().astype(float) / 2
    return np.bincount(patient, risk) / np.bincount(patient)
