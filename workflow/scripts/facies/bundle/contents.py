"""What a bundle holds beside the networks: refitted models, and moments over patients."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.bundle.locked import moments
from facies.bundle.schema import MEASURES
from facies.survival.designs import patient_means, photo_owners


@dataclass(frozen=True)
class Refit:
    """A refitted model: ``ids`` (n,) and log-risks (n,) of the patients, its ``numbers`` by name,
    and the words of its ``card``."""

    ids: np.ndarray
    risk: np.ndarray
    numbers: dict[str, np.ndarray]
    card: dict


def read_refit(path) -> Refit:
    """What ``refit_model`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        numbers = {
            name.removeprefix("model."): file[name]
            for name in file.files
            if name.startswith("model.")
        }
        return Refit(file["ids"], file["risk"], numbers, json.loads(str(file["card"])))


def model_arrays(refits: dict[str, Refit]) -> dict[str, np.ndarray]:
    """The bundle's arrays of models by features: their numbers, and the moments of their risks."""
    arrays = {}
    for features, refit in refits.items():
        arrays |= {f"{features}.{name}": value for name, value in refit.numbers.items()}
        risk = moments(refit.risk[:, None])
        arrays |= {f"{features}.risk.{name}": value for name, value in risk.items()}
    return arrays


def photo_arrays(latents, table: pd.DataFrame, photos: pd.DataFrame, ids) -> dict[str, np.ndarray]:
    """Moments over patients ``ids`` of codes and of the photos' measures; of the file of latents
    and the ``table`` of alignment by photo_id."""
    with np.load(latents, allow_pickle=False) as file:
        rows, owner = photo_owners(file["photo_ids"], photos, ids)
        codes = patient_means(file["codes"][rows], owner, len(ids))
        columns = [table.loc[file["photo_ids"][rows], name] for name in MEASURES["aligned"]]
        columns += [file[name][rows] for name in MEASURES["latents"]]
    measured = patient_means(np.column_stack(columns), owner, len(ids))
    return {f"codes.{name}": value for name, value in moments(codes).items()} | {
        f"measures.{name}": value for name, value in moments(measured).items()
    }
