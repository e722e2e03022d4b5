"""What a network can learn about rendered portraits: their parameters as standardised numbers."""

import dataclasses

import numpy as np
import pandas as pd

from facies.demo.portraits import Portrait

CIRCULAR = ["background_hue", "clothing_hue"]
CATEGORICAL = ["hair_style", "background", "clothing"]


def rendering_targets(parameters: np.ndarray) -> np.ndarray:
    """Parameters (n, fields of Portrait) as standardised numbers (n, k), float32: hues as sine and
    cosine, kinds as indicators, and no seed."""
    table = pd.DataFrame(parameters, columns=[field.name for field in dataclasses.fields(Portrait)])
    angles = 2 * np.pi * table[CIRCULAR]
    hues = [np.sin(angles).add_suffix("_sin"), np.cos(angles).add_suffix("_cos")]
    table = pd.get_dummies(table.drop(columns=["seed", *CIRCULAR]), columns=CATEGORICAL)
    table = table.join(hues).astype(np.float32)
    return ((table - table.mean()) / table.std().replace(0, 1)).to_numpy()
