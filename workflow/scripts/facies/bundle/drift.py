"""How far patients of another hospital are from those of the development."""

import numpy as np
import pandas as pd

from facies.bundle.locked import Bundle
from facies.bundle.schema import MEASURES


def drift(bundle: Bundle, codes, measures, table: pd.DataFrame, rng) -> dict:
    """How far patients are from those of the bundle: each measure in SDs, and the codes as a whole.

    ``codes`` (n, p) and ``measures`` (n, k) are means per patient, ``table`` the log-risks.
    """
    tensors, names = bundle.tensors, [name for some in MEASURES.values() for name in some]
    rows = [
        shift(name, measures[:, i], *(tensors[f"measures.{m}"][i] for m in ("mean", "sd")), bundle)
        for i, name in enumerate(names)
    ]
    for features in table:
        mean, sd = (tensors[f"{features}.risk.{m}"][0] for m in ("mean", "sd"))
        rows.append(shift(f"log-risk, {features}", table[features].to_numpy(), mean, sd, bundle))
    return {"measures": rows, "codes": code_shift(bundle, codes, rng)}


def shift(name, values, mean, sd, bundle: Bundle) -> dict:
    """Difference of the means in SDs of the development, with its normal interval."""
    values = values[~np.isnan(values)]
    if len(values) < 2 or not sd > 0:
        return {"measure": name, "difference": np.nan, "low": np.nan, "high": np.nan}
    developed = bundle.card["cohort"]["patients"]
    error = np.sqrt((values.std(ddof=1) / sd) ** 2 / len(values) + 1 / developed)
    difference = (values.mean() - mean) / sd
    ends = {"low": difference - 1.96 * error, "high": difference + 1.96 * error}
    return {"measure": name, "difference": difference} | ends


def code_shift(bundle: Bundle, codes, rng) -> dict:
    """Root mean square over coordinates of the difference of means in SDs, beside the 95 % point
    under sampling of as many patients from one population."""
    sd = bundle.tensors["codes.sd"]
    varies = sd > 0
    z = (codes[:, varies] - bundle.tensors["codes.mean"][varies]) / sd[varies]
    n, developed = len(z), bundle.card["cohort"]["patients"]
    if n < 2:
        return {"shift": np.nan, "by_chance": np.nan}
    weights = rng.multinomial(n, np.full(n, 1 / n), size=200) / n
    # Both means vary by chance, the development's with the same SD over its number of patients.
    sampled = weights @ (z - z.mean(0)) * np.sqrt(1 + n / developed)
    by_chance = np.quantile(np.sqrt((sampled**2).mean(1)), 0.95)
    return {"shift": np.sqrt((z.mean(0) ** 2).mean()), "by_chance": by_chance}
