"""Edited faces as figures: of the mean face, of people who do not exist, and of patients."""

import numpy as np
import pandas as pd
import torch

from facies.explanation.confined import Confined, main_axes
from facies.explanation.edits import ENDS, LEVELS, moved, render
from facies.explanation.regions import squared_change
from facies.explanation.strips import heat, risk_labels, save_moving, sheet
from facies.generator.pictures import MEAN_OF

SHOWN = 4
FRAMES = np.linspace(*ENDS, 13)
TRUNCATION = 0.8  # of the patients' SD (Karras et al. 2019, appendix B)


def synthetic_codes(everyone: pd.DataFrame, generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the mean face (1, num_ws, w_dim) and of people who do not exist (n, num_ws, w_dim),
    from the codes of the patients' photos or, of few patients, from the generator."""
    means = everyone.groupby("patient_id").mean().to_numpy()
    shape = generator.num_ws, generator.w_dim
    random = np.random.default_rng(seed)
    if len(means) >= MEAN_OF:
        axes = main_axes(means)
        people = random.standard_normal((2 * SHOWN, len(axes))) @ axes
        mean = means.mean(axis=0).reshape(shape)
    else:
        z = torch.from_numpy(random.standard_normal((2 * SHOWN, generator.z_dim))).float()
        with torch.no_grad():
            people = generator.mapping(z.to(generator.mapping.w_avg.device)).cpu().numpy()
        mean = generator.mapping.w_avg.expand(shape).cpu().numpy()
        people -= mean
    return mean[None], mean + TRUNCATION * people.reshape(-1, *shape)


def chosen(steps: np.ndarray, confined: Confined) -> tuple[list[int], list[np.ndarray]]:
    """Rows of a few faces that can be edited in both ways, and both kinds of their steps, of all
    `steps` (m, num_ws, w_dim); of any faces in one way where no face was detected."""
    rows = confined.rows[:SHOWN]
    if rows:
        return rows, [steps[rows], confined.steps[: len(rows), 0]]
    return list(range(len(steps)))[:SHOWN], [steps[:SHOWN]]


def walks(codes, kinds: list, generator, levels=LEVELS) -> np.ndarray:
    """Edits (n, kinds, levels, r, r, 3) of codes (n, num_ws, w_dim) along steps of some kinds."""
    codes = [moved(codes, steps, levels) for steps in kinds]
    return render(generator, np.stack(codes, axis=1))


def draw_walks(images: np.ndarray, photos: np.ndarray | None = None):
    """A row for each kind of edit of each face (n, kinds, levels, r, r, 3), from higher to lower
    risk, and where it changes; the photos (n, r, r, 3), if any, in front."""
    rows = []
    for i, kinds in enumerate(images):
        front = [] if photos is None else [photos[i]]
        for levels in kinds:
            marked = heat(squared_change(levels), levels[len(levels) // 2])
            rows.append(np.stack([*front, *levels[::-1], marked]))
    labels = risk_labels(LEVELS[::-1])
    return sheet(rows, [*([] if photos is None else ["photo"]), *labels, "change"])


def draw_moving(path, codes, kinds: list, generator) -> None:
    """Faces (n, num_ws, w_dim) from lower to higher risk and back, a row for each kind of edit."""
    images = walks(codes, kinds, generator, FRAMES)
    save_moving(path, list(images.transpose(2, 1, 0, 3, 4, 5)))
