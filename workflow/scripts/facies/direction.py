"""The health direction: where in W+ the fitted hazard falls, and faces walked along it.

A Cox model says log hazard = beta . code. Its gradient beta is the shortest way to change the
hazard, but codes of one coordinate rarely move alone: a step along beta leaves the faces that
exist. The pattern Sigma beta (Haufe et al. 2014, NeuroImage 87:96) is what a face shows, on
average, when its hazard differs; edits walk along it, in steps of known hazard.
"""

import dataclasses
from itertools import combinations

import numpy as np
import torch

from facies.pictures import to_uint8
from facies.stylegan2 import Generator


@dataclasses.dataclass(frozen=True)
class HealthDirection:
    """Arrays (num_ws, w_dim): `direction` has length one, `step` lowers the risk by one SD.

    `risk_per_unit` is the change of log hazard per unit of length along `direction`, `sd_risk`
    the SD of the linear predictor among the photos, `stability` the mean cosine between folds.
    """

    direction: np.ndarray
    step: np.ndarray
    mean_code: np.ndarray
    risk_per_unit: float
    sd_risk: float
    stability: float


def health_direction(coefficients: np.ndarray, codes: np.ndarray) -> HealthDirection:
    """From coefficients of the folds (k, num_ws * w_dim) and codes (n, num_ws, w_dim)."""
    shape, mean_code = codes.shape[1:], codes.mean(axis=0)
    beta = coefficients.mean(axis=0)
    centred = codes.reshape(len(codes), -1) - mean_code.ravel()
    risk = centred @ beta
    sd_risk = float(risk.std())
    length = float(np.linalg.norm(beta))
    pattern = centred.T @ risk / len(codes)  # Sigma beta, without the (p, p) covariance
    return HealthDirection(
        direction=(-beta / length).reshape(shape),
        step=(-pattern / sd_risk).reshape(shape),
        mean_code=mean_code,
        risk_per_unit=-length,
        sd_risk=sd_risk,
        stability=_mean_cosine(coefficients),
    )


def _mean_cosine(vectors) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [float(a @ b) for a, b in combinations(unit, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")


@torch.no_grad()
def walk(generator: Generator, codes: np.ndarray, step: np.ndarray, sds) -> np.ndarray:
    """Faces of codes (n, num_ws, w_dim), their risk raised by each of `sds` standard deviations.

    Returns uint8 (n, len(sds), r, r, 3).
    """
    moved = codes[:, None] - np.asarray(sds, np.float32)[:, None, None] * step
    flat = torch.from_numpy(moved.reshape(-1, *step.shape).astype(np.float32))
    images = to_uint8(generator.synthesis(flat))
    return images.reshape(len(codes), len(sds), *images.shape[1:])
