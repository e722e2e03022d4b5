"""How good a generator is: distances between sets of photos, and whether it repeats its training.

All work on features (n, d) in float64, one row a photo. A distance that too few photos leave
undefined is NaN, never an exception.
"""

import dataclasses

import numpy as np
import torch


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Wasserstein distance of the Gaussians fitted to a (n, d) and b (m, d).

    Heusel et al. 2017 (arXiv 1706.08500), equation 6. With covariances A'A and B'B the trace of
    their product's root is the sum of the singular values of AB', so no matrix root is needed,
    which would be inexact where there are fewer photos than features.
    """
    if min(len(a), len(b)) < 2:
        return np.nan
    shift = a.mean(axis=0) - b.mean(axis=0)
    a, b = _covariance_root(a), _covariance_root(b)
    shared = np.linalg.norm(a @ b.T, "nuc")
    return float(shift @ shift + np.square(a).sum() + np.square(b).sum() - 2 * shared)


def _covariance_root(x) -> np.ndarray:
    """R (min(n, d), d) with R'R the covariance of x (n, d)."""
    return np.linalg.qr((x - x.mean(axis=0)) / np.sqrt(len(x) - 1), mode="r")


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of a (n, d) and b (m, d), cubic kernel.

    Binkowski et al. 2018 (arXiv 1801.01401), equation 4. It may fall below zero, and unlike the
    Frechet distance its mean does not depend on how many photos there are.
    """
    if min(len(a), len(b)) < 2:
        return np.nan
    return float(_mean_of_pairs(a) + _mean_of_pairs(b) - 2 * _cubic(a, b).mean())


def _cubic(a, b) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_of_pairs(x) -> float:
    """Mean kernel over pairs of different rows."""
    kernel = _cubic(x, x)
    return (kernel.sum() - kernel.trace()) / (len(x) * (len(x) - 1))


def precision_recall(real: np.ndarray, fake: np.ndarray, neighbours: int = 3) -> tuple:
    """Share of fakes among the real photos, and of real photos among the fakes.

    A row is among the others when it lies no farther from one of them than that one's neighbour
    of the given rank (Kynkaanniemi et al. 2019, arXiv 1904.06991, equations 1 and 2).
    """
    if min(len(real), len(fake)) <= neighbours:
        return np.nan, np.nan
    between = _distances(real, fake)
    precision = (between <= _reach(real, neighbours)[:, None]).any(axis=0).mean()
    recall = (between <= _reach(fake, neighbours)).any(axis=1).mean()
    return float(precision), float(recall)


def _reach(x, neighbours) -> np.ndarray:
    """Distance (n,) of each row of x to its neighbour of the given rank; 0 is the row itself."""
    return np.partition(_distances(x, x), neighbours, axis=1)[:, neighbours]


def _distances(a, b) -> np.ndarray:
    """Euclidean distances (n, m), exact also between rows that are nearly equal."""
    a, b = torch.from_numpy(np.ascontiguousarray(a)), torch.from_numpy(np.ascontiguousarray(b))
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").numpy()


@dataclasses.dataclass(frozen=True)
class TrainingShare:
    """How often a sample's nearest photo is a training photo, beside chance.

    `low` and `high` bound 95 % of the shares under chance, `p` is the chance of this share or a
    larger one. Sample i is nearest to training photo `nearest[i]`, at `distance[i]`.
    """

    share: float
    low: float
    high: float
    p: float
    nearest: np.ndarray
    distance: np.ndarray


def training_share(
    samples: np.ndarray,
    photos: np.ndarray,
    trained: np.ndarray,
    patients: np.ndarray,
    seed: int,
    permutations: int = 1000,
) -> TrainingShare:
    """Whether samples (n, d) lie nearer to the photos that the generator was trained on.

    `photos` (m, d) are training and held-out ones, which the bools `trained` (m,) distinguish;
    a patient's photos (`patients`, (m,)) must all be one or the other. A generator that
    repeats nobody would do the same had other patients been held out, so chance is estimated by
    permuting the labels among patients (as the nearest-neighbour two-sample test of Schilling
    1986). Without held-out patients, or samples, nothing is known: NaN.
    """
    between = _distances(samples, photos)
    training = np.flatnonzero(trained)
    nearest = training[between[:, training].argmin(axis=1)] if len(training) else training
    distance = between[np.arange(len(nearest)), nearest]
    if not len(samples) or np.all(trained) or not np.any(trained):
        return TrainingShare(np.nan, np.nan, np.nan, np.nan, nearest, distance)
    _, first, patient = np.unique(patients, return_index=True, return_inverse=True)
    labels = np.asarray(trained)[first].astype(int)
    # Samples by the patient whose photo is nearest: whole numbers, so that ties are ties.
    won = np.bincount(patient[between.argmin(axis=1)], minlength=len(labels))
    random = np.random.default_rng(seed)
    chance = random.permuted(np.tile(labels, (permutations, 1)), axis=1) @ won
    low, high = np.quantile(chance, [0.025, 0.975]) / len(samples)
    p = (1 + (chance >= labels @ won).sum()) / (1 + permutations)
    share = labels @ won / len(samples)
    return TrainingShare(float(share), float(low), float(high), float(p), nearest, distance)
