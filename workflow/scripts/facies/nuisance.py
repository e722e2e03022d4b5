"""What a photo tells besides the face: camera, light, place of the crop, size of the file.

Colours and light are measured outside the face: in the face they are signs of health as well, and a
model of theirs would be a model of the face.
"""

import re

import cv2
import numpy as np
import pandas as pd

from facies.errors import InputError
from facies.regions import FACE
from facies.views import settle

# Of those that the alignment measures.
ALIGNED = ("face_size", "roll", "yaw", "width", "height", "leaves_photo", "turns")
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def measures(item: dict, meta: dict, file_bytes: int) -> dict[str, float]:
    """Nuisances of one aligned photo: its ``item`` (image, regions, quad), what the alignment said
    of it, and the size of its file."""
    outside = settle(item["regions"]) != FACE
    colour = item["image"][outside].mean(axis=0) if outside.any() else np.full(3, 128.0)
    grey = cv2.cvtColor(item["image"], cv2.COLOR_RGB2GRAY)
    relief = cv2.Laplacian(grey, cv2.CV_64F)
    x, y = item["quad"].mean(axis=0)
    return {name: float(meta[name]) for name in ALIGNED} | {
        "sharpness": float(np.log1p(relief.var())),
        "noise": float(np.median(np.abs(relief))),
        "exposure": float(colour.mean()),
        "contrast": float(grey[outside].std()) if outside.any() else 0.0,
        "redness": float(colour[0] - colour[1]),
        "blueness": float(colour[2] - colour[1]),
        "crop_x": float(x / meta["width"]),
        "crop_y": float(y / meta["height"]),
        "file_size": float(np.log(max(file_bytes, 1))),
    }


def named_columns(sheet: pd.DataFrame, names) -> pd.DataFrame:
    """The user's own nuisances by photo; dates (2024-02-29) become days, empty cells missing.

    Raises InputError for a name that is taken, or for dates among other words.
    """
    columns = {}
    for name in names:
        if name in ("photo_id", "patient_id", "path"):
            raise InputError(f"cohort.nuisance: {name} is no nuisance; take it out of the config")
        column = sheet[name].replace("", None)
        dated = column.dropna().map(lambda cell: bool(DATE.fullmatch(cell)))
        if len(dated) and dated.all():
            days = pd.to_datetime(column, errors="coerce")
            if len(bad := column[days.isna() & column.notna()]):
                raise InputError(
                    f"photos' sheet: row {bad.index[0]}: {name} is {bad.iloc[0]!r}, which is no "
                    "day; correct it, or leave it empty"
                )
            column = (days - pd.Timestamp("2000-01-01")).dt.days
        else:
            numbers = pd.to_numeric(column, errors="coerce")
            column = numbers if (numbers.isna() == column.isna()).all() else column
        columns[f"own_{name}"] = column
    return pd.DataFrame(columns, index=sheet.index)


def per_patient(table: pd.DataFrame, photos: pd.DataFrame, patient_ids) -> pd.DataFrame:
    """Nuisances of ``patient_ids`` from those of photos (photo_id): the mean of numbers, the first
    of words; ``photos`` leads from photo to patient. Columns without any value are left out."""
    owned = table.merge(photos[["photo_id", "patient_id"]]).drop(columns="photo_id")
    groups = owned.groupby("patient_id")
    columns = {
        name: groups[name].mean()
        if pd.api.types.is_numeric_dtype(owned[name])
        else groups[name].first()
        for name in owned.columns.drop("patient_id")
    }
    return pd.DataFrame(columns).reindex(patient_ids).dropna(axis=1, how="all")
