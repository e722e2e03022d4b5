"""Evaluation of a generator on held-out photos, in the features of a fixed network."""

import numpy as np
import torch

from facies.generator.distances import (
    TrainingShare,
    frechet_distance,
    kernel_distance,
    precision_recall,
    training_share,
)
from facies.generator.losses import pixel_distance
from facies.generator.perception import Perception
from facies.generator.pictures import at_once, sample, to_tensor
from facies.generator.training import Trainer

MOST_SAMPLES = 2000


class GeneratorEvaluator:
    """Evaluates a generator and its encoder on the photos that neither was tuned on.

    There are as many samples as training photos, so that the training photos' own distance from the
    held-out ones (`floor`) is what a perfect generator would reach.
    """

    def __init__(self, photos, patients, held, perceive: Perception, seed: int):
        self.photos, self.patients, self.held = photos, patients, held
        self.perceive, self.seed = perceive, seed
        self.features = perceive(photos)
        self.count = int(min((~held).sum(), MOST_SAMPLES))

    def _distances(self, features) -> dict[str, float]:
        held = self.features[self.held]
        return {
            "frechet": frechet_distance(features, held),
            "kernel": kernel_distance(features, held),
        }

    def floor(self) -> dict[str, float]:
        return self._distances(self.features[~self.held][: self.count])

    def measure(self, trainer: Trainer) -> dict[str, float]:
        """Distances, precision and recall of samples, and the reconstruction error of held-out
        photos."""
        features = self.perceive(sample(trainer.G_ema, self.count, self.seed))
        precision, recall = precision_recall(self.features[~self.held], features)
        return self._distances(features) | {
            "precision": precision,
            "recall": recall,
            "reconstruction_error": self._reconstruction_error(trainer),
        }

    @torch.no_grad()
    def _reconstruction_error(self, trainer: Trainer) -> float:
        """Pixel distance of held-out photos from their reconstructions by the encoder."""
        mean, errors = trainer.G_ema.mapping.w_avg, []
        held, size = np.flatnonzero(self.held), at_once(trainer.G_ema.img_resolution)
        for first in range(0, len(held), size):
            photos = to_tensor(self.photos[held[first : first + size]]).to(trainer.device)
            reconstructed = trainer.G_ema.synthesis(trainer.E_ema(photos, mean))
            errors.append(pixel_distance(reconstructed, photos))
        return float(torch.cat(errors).mean())

    def memorisation(self, samples: np.ndarray) -> TrainingShare:
        """Whether samples lie nearer to the training photos than by chance."""
        features = self.perceive(samples)
        return training_share(features, self.features, ~self.held, self.patients, self.seed)
