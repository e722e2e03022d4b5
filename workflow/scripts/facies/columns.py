"""Columns of the photos' sheet that a user names: camera, date, ward, glasses."""

import re

import pandas as pd

from facies.errors import InputError

DATE = re.compile(r"\d{4}-\d\d-\d\d")


def named_columns(sheet: pd.DataFrame, names) -> pd.DataFrame:
    """Columns of a sheet of text as numbers or words, by photo; dates (2024-02-29) become days,
    empty cells missing.

    Raises InputError for a name that is taken, or for a date that is none.
    """
    columns = {}
    for name in names:
        if name in ("photo_id", "patient_id", "path"):
            raise InputError(f"photos' sheet: {name} tells who is who; take it out of the config")
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
        columns[name] = column
    return pd.DataFrame(columns, index=sheet.index)


def per_patient(table: pd.DataFrame, photos: pd.DataFrame, patient_ids) -> pd.DataFrame:
    """Columns of ``patient_ids`` from those of photos (photo_id): the mean of numbers, the first
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
