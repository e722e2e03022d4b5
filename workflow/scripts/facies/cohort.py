"""Read the two sheets, and account for every row of them.

What makes a run meaningless (a column that is not there, an id that stands twice with different
outcomes) stops it with one message that names file, row and remedy. What concerns one photo or one
patient becomes an exclusion with a reason. Ids are text: 007 stays 007.
"""

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd

from facies.errors import InputError

ID = re.compile(r"[A-Za-z0-9_-]+")
EVENTS = {"1": 1, "true": 1, "yes": 1, "1.0": 1, "0": 0, "false": 0, "no": 0, "0.0": 0}
MISSING = {"na", "n/a", "nan", "null", ".", "?"}


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of the patients' sheet, as the config names them."""

    time: str
    event: str
    clinical: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Usable photos and patients, and every exclusion: {photo_id or patient_id, reason}."""

    photos: pd.DataFrame
    patients: pd.DataFrame
    flow: dict


def read_sheet(path: str | Path, columns: list[str]) -> pd.DataFrame:
    """A sheet of text, separated by comma, semicolon or tab; rows are numbered as in an editor.

    Where commas do not separate cells, 7,5 is read as 7.5; NA and its like are empty cells.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; name your sheet in the config") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the sheet as CSV UTF-8") from None
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = list(csv.reader(text.splitlines(), delimiter=separator))
    if len(rows) < 2:
        raise InputError(f"{path}: the sheet is empty; it needs a heading and a row")
    names = [name.strip() for name in rows[0]]
    if twice := [name for name in columns if names.count(name) > 1]:
        raise InputError(f"{path}: the heading {twice[0]} stands twice; rename one of them")
    if missing := [name for name in columns if name not in names]:
        raise InputError(
            f"{path}: no column {missing[0]}; there are {', '.join(names)}: "
            "rename it in the sheet or in the config"
        )
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(names):
            raise InputError(f"{path}: row {number} has {len(row)} cells, not {len(names)}")
    cells = [[_plain(cell, separator) for cell in row] for row in rows[1:] if row]
    numbers = [number for number, row in enumerate(rows[1:], start=2) if row]
    return pd.DataFrame(cells, columns=names, index=numbers)[columns]


def _plain(cell: str, separator: str) -> str:
    cell = cell.strip()
    if separator != "," and re.fullmatch(r"[+-]?\d+,\d+", cell):
        return cell.replace(",", ".")
    return "" if cell.lower() in MISSING else cell


def check_cohort(photos_path: str, patients_path: str, columns: Columns) -> Cohort:
    """Read, check and join both sheets; raises InputError, see above."""
    reserved = {"patient_id", "time", "event", columns.time, columns.event}
    if clash := [name for name in columns.clinical if name in reserved]:
        raise InputError(
            f"cohort.clinical names {clash[0]}, which tells the outcome or is a reserved word: "
            "take it out, or rename the column"
        )
    photos = read_sheet(photos_path, ["photo_id", "patient_id", "path"])
    wanted = ["patient_id", columns.time, columns.event, *columns.clinical]
    patients = read_sheet(patients_path, list(dict.fromkeys(wanted)))
    check_ids(photos_path, photos, "photo_id", "patient_id")
    check_ids(patients_path, patients, "patient_id")
    refuse_duplicates(photos_path, photos, "photo_id")
    excluded = [
        {"patient_id": row.patient_id, "reason": "the same row stands twice; one was kept"}
        for row in patients[patients.duplicated()].itertuples()
    ]
    check_codes(patients_path, patients, columns)
    total = len(patients)
    patients = patients.drop_duplicates()
    refuse_duplicates(patients_path, patients, "patient_id")
    patients, without_outcome = outcomes(patients, columns)
    photos, alone = _join(photos, patients, without_outcome)
    patients_left = patients[patients.patient_id.isin(photos.patient_id)]
    lonely = patients[~patients.patient_id.isin(photos.patient_id)].patient_id
    excluded += [{"patient_id": i, "reason": reason} for i, reason in without_outcome.items()]
    excluded += [{"patient_id": i, "reason": "no photo in the photos' sheet"} for i in lonely]
    flow = {
        "photos_in": len(photos) + len(alone),
        "patients_in": total,
        "excluded": excluded + alone,
    }
    if patients_left.empty:
        raise InputError(
            f"{patients_path}: no patient has a photo and an outcome; "
            f"the first of {len(flow['excluded'])} reasons: {flow['excluded'][0]['reason']}"
        )
    if not patients_left.event.any():
        raise InputError(f"{patients_path}: column {columns.event} holds no event (1)")
    return Cohort(photos.sort_values("photo_id"), patients_left.sort_values("patient_id"), flow)


def check_ids(path, table, *names):
    for name in names:
        bad = table[~table[name].map(lambda value: bool(ID.fullmatch(value)))]
        if len(bad):
            raise InputError(
                f"{path}: row {bad.index[0]}: {name} {bad[name].iloc[0]!r} may hold only letters, "
                "digits, - and _; rename it"
            )


def refuse_duplicates(path, table, name):
    twice = table[table.duplicated(name, keep=False)]
    if len(twice):
        first = twice[name].iloc[0]
        rows = ", ".join(map(str, twice.index[twice[name] == first]))
        raise InputError(f"{path}: rows {rows} have the same {name} {first}; keep one of them")


def check_codes(path, patients, columns) -> None:
    """Refuse what would be silently misread: events coded 1 and 2, words among numbers."""
    events = patients[columns.event].str.lower()
    if len(odd := events[(events != "") & ~events.isin(EVENTS)]):
        raise InputError(
            f"{path}: row {odd.index[0]}: {columns.event} is {odd.iloc[0]!r}; write 1 for a death, "
            "0 for the end of follow-up, and nothing where it is not known"
        )
    for name in columns.clinical:
        given = patients[name][patients[name] != ""]
        words = given[pd.to_numeric(given, errors="coerce").isna()]
        if 0 < len(words) < len(given) / 2:
            raise InputError(
                f"{path}: row {words.index[0]}: {name} is {words.iloc[0]!r} among numbers; "
                "correct it, or leave it empty; where numbers stand for categories, use words"
            )


def outcomes(patients, columns) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table with canonical names, and why some patients have no usable outcome."""
    time = pd.to_numeric(patients[columns.time], errors="coerce")
    event = patients[columns.event].str.lower().map(EVENTS)
    reasons = {}
    for number, patient in patients.patient_id.items():
        if not patients[columns.time][number]:
            reasons[patient] = f"{columns.time} is missing"
        elif not np.isfinite(time[number]):
            reasons[patient] = f"{columns.time} is not a number"
        elif time[number] <= 0:
            reasons[patient] = f"{columns.time} is not positive"
        elif np.isnan(event[number]):
            reasons[patient] = f"{columns.event} is missing"
    table = pd.DataFrame({"patient_id": patients.patient_id, "time": time, "event": event})
    table = table.join(patients[list(columns.clinical)])
    table = table[~table.patient_id.isin(reasons)]
    return table.astype({"event": int}), reasons


def _join(photos, patients, without_outcome) -> tuple[pd.DataFrame, list[dict]]:
    """Photos whose patient is usable, and the others with the reason."""
    known = photos.patient_id.isin(patients.patient_id)
    alone = [
        {
            "photo_id": row.photo_id,
            "reason": "its patient has no usable outcome"
            if row.patient_id in without_outcome
            else "its patient is not in the patients' sheet",
        }
        for row in photos[~known].itertuples()
    ]
    return photos[known], alone
