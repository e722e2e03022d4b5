"""Clinical columns as numbers: what is learned of training patients, and applied to others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Column:
    """One variable: a number with its ``median``, or categories with their ``levels``."""

    name: str
    median: float | None = None
    levels: tuple[str, ...] = ()

    @classmethod
    def learn(cls, column: pd.Series, rows):
        """Median or levels of the rows ``rows``; the column's dtype says which it is."""
        values = column.iloc[rows].dropna()
        if pd.api.types.is_numeric_dtype(column):
            return cls(column.name, median=float(values.median()) if len(values) else 0.0)
        return cls(column.name, levels=tuple(np.unique(values.to_numpy(str)).tolist()))

    def encode(self, column: pd.Series) -> list[np.ndarray]:
        """Columns (n,): the number and whether it is missing, or an indicator per level."""
        missing = column.isna().to_numpy()
        if self.median is not None:
            numbers = column.astype(float).fillna(self.median).to_numpy()
            return [numbers, missing.astype(float)]
        text = column.astype(str).to_numpy()
        # The first level is the reference: its indicator follows from the others'.
        return [(~missing & (text == level)).astype(float) for level in self.levels[1:]] + [
            missing.astype(float)
        ]


@dataclass(frozen=True)
class ClinicalEncoder:
    """Encoded columns (p,) that vary in training, by their mean ``centre`` and their ``scale``."""

    columns: tuple[Column, ...]
    kept: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, frame: pd.DataFrame, rows):
        """Everything from the rows ``rows`` of a table of clinical columns."""
        columns = tuple(Column.learn(frame[name], rows) for name in frame)
        x = _encoded(columns, frame)[rows]
        centre, scale = x.mean(0), x.std(0)
        kept = np.flatnonzero(scale > 1e-12)  # a column that is constant in training is of no use
        if not len(kept):  # one column of zeros: every model predicts the same for all
            return cls(columns, np.array([0]), centre[:1], np.array([np.inf]))
        return cls(columns, kept, centre[kept], scale[kept])

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """The standardised columns (n, p) of any patients."""
        return (_encoded(self.columns, frame)[:, self.kept] - self.centre) / self.scale


def _encoded(columns, frame):
    return np.column_stack(
        [part for column in columns for part in column.encode(frame[column.name])]
    )
