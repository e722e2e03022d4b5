"""What one model of one outer fold predicts, and the file that holds it."""

import json
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np
import pandas as pd

from facies.statistics.outcome import Outcome

KEYS = ("features", "view", "generator", "model")


@dataclass(frozen=True)
class Fit:
    """One tuned model: risks of the n training patients out of the inner folds and of the m test
    patients, whose ``survival`` (m, k) is at ``times`` (k,); ``chosen`` are metric and candidate,
    ``coefficients`` (p,) those of a linear model of photos."""

    chosen: dict
    inner_oof_risk: np.ndarray
    test_risk: np.ndarray
    times: np.ndarray
    survival: np.ndarray
    coefficients: np.ndarray | None = None

    @property
    def risk_sd(self) -> float:
        """SD of the training patients' out-of-fold risks, the unit in which risks move."""
        return float(self.inner_oof_risk.std()) or 1.0

    @classmethod
    def missing(cls, train: int, test: int, times):
        """Of a fold without a model, for so many patients: NaN."""
        survival = np.full((test, len(times)), np.nan)
        return cls({}, np.full(train, np.nan), np.full(test, np.nan), times, survival)

    @classmethod
    def average(cls, fits):
        """Mean of the survival curves of several fits of one fold, and of their risks, centred, in
        SDs of risk."""

        def mean(name):
            scaled = [
                (getattr(fit, name) - fit.inner_oof_risk.mean()) / fit.risk_sd for fit in fits
            ]
            return np.mean(scaled, axis=0)

        survival = np.mean([fit.survival for fit in fits], axis=0)
        return cls({}, mean("inner_oof_risk"), mean("test_risk"), fits[0].times, survival)


@dataclass(frozen=True, kw_only=True)
class FoldFit(Fit):
    """A Fit with what it was fitted to: the file that ``fit_model`` writes. ``reason`` says why
    there is no model, else it is ''. The outcomes of the patients stand in their table, not in the
    file: ``train`` and ``test`` are there where they were asked for."""

    features: str
    view: str
    generator: str
    model: str
    repeat: int
    fold: int
    train_ids: np.ndarray
    test_ids: np.ndarray
    reason: str = ""
    train: Outcome | None = None
    test: Outcome | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Features, view, generator and model: the folds of one key are scored together."""
        return tuple(getattr(self, name) for name in KEYS)

    def save(self, path) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["chosen"] = json.dumps(self.chosen)
        absent = {"train", "test"} | {name for name, value in values.items() if value is None}
        np.savez(path, **{name: values[name] for name in values if name not in absent})

    @classmethod
    def load(cls, path, patients: pd.DataFrame | None = None):
        """The fit at ``path``, with the outcomes of ``patients`` (patient_id, time, event)."""
        with np.load(path, allow_pickle=False) as file:
            values = {name: array if array.ndim else array.item() for name, array in file.items()}
        values["chosen"] = json.loads(values["chosen"])
        if patients is not None:
            outcomes = patients.set_index("patient_id")
            for part in ("train", "test"):
                values[part] = Outcome.of(outcomes.loc[values[f"{part}_ids"]])
        return cls(**values)


def by_key(fits) -> dict[tuple, list[FoldFit]]:
    """The fits of each (features, view, generator, model), by repeat and fold."""
    fits = sorted(fits, key=lambda fit: (fit.key, fit.repeat, fit.fold))
    return {key: list(group) for key, group in groupby(fits, key=lambda fit: fit.key)}
