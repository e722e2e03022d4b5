"""Risks, groups and survival that a bundle predicts for patients."""

import numpy as np
import pandas as pd

from facies.bundle.locked import Bundle
from facies.common.errors import InputError
from facies.evaluation.risk_groups import GROUPS


def risks(bundle: Bundle, codes, clinical: pd.DataFrame) -> pd.DataFrame:
    """Log-risks by features of n patients, from mean ``codes`` (n, p) and clinical columns; NaN
    where a patient has no usable photo."""
    table = pd.DataFrame(index=clinical.index)
    table["face"] = bundle.model("face").risk(codes)
    if "clinical" in bundle.card["models"]:
        table["clinical"] = bundle.model("clinical").risk(bundle.encoder("clinical")(clinical))
    if "fused" in bundle.card["models"]:
        encoder = bundle.encoder("fused")
        fused = bundle.model("fused").risk(encoder(clinical.assign(face_risk=table.face)))
        table["fused"] = np.where(table.face.isna(), np.nan, fused)
    return table[[name for name in bundle.card["models"] if name in table]]


def predictions(bundle: Bundle, table: pd.DataFrame) -> pd.DataFrame:
    """A row per patient and features: risk, group, and survival at quarters of the horizon."""
    rows = []
    for features in table:
        model, risk = bundle.model(features), table[features].dropna()
        if not np.isfinite(risk).all():
            raise InputError(
                f"{int((~np.isfinite(risk)).sum())} risks of {features} are infinite: a clinical "
                "value is out of all bounds; correct the sheet"
            )
        times = model.times[len(model.times) // 4 - 1 :: len(model.times) // 4]
        survival = np.exp(-model.cumulative_hazard(risk.to_numpy(), times))
        some = pd.DataFrame(
            {"patient_id": risk.index, "features": features, "risk": risk.to_numpy()}
        )
        some["group"] = [GROUPS[g] for g in model.group(risk.to_numpy())]
        some[[f"survival_at_{time:g}" for time in times]] = survival
        rows.append(some)
    return pd.concat(rows, ignore_index=True)
