"""The columns for which health scores are adjusted."""

import pandas as pd

from facies.cohort.columns import per_patient

# Adjusted for unless the config says otherwise, beside the clinical columns.
MEASURED = ("yaw", "roll", "skin_brightness", "crop_sharpness")


def chosen_traits(
    names: list[str] | None,
    clinical: pd.DataFrame,
    photos: pd.DataFrame,
    aligned: pd.DataFrame,
    named: pd.DataFrame,
) -> pd.DataFrame:
    """The config's columns of each patient: clinical ones, what photos measure (means), or the
    photos' ``named`` columns (means of numbers, the first of words)."""
    measured = aligned[aligned.used == 1].drop(columns=["used", "reason"])
    measured = measured.filter(regex="^(?!quad_)")
    traits = clinical.join(
        per_patient(measured.drop(columns=list(clinical), errors="ignore"), photos, clinical.index)
    )
    names = [*clinical, *MEASURED] if names is None else names
    others = [name for name in names if name not in traits and name in named]
    used = named.loc[named.photo_id.isin(measured.photo_id), ["photo_id", *others]]
    traits = traits.join(per_patient(used, photos, clinical.index))
    return traits.reindex(columns=list(names))
