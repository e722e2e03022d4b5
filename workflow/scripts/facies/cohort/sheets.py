"""Read the two sheets, and account for every row of them.

What makes a run meaningless (a column that is not there, an id that stands twice with different
outcomes) stops it with one message that names file, row and remedy. What concerns one photo or one
patient becomes an exclusion with a reason. Ids are text: 007 stays 007.
"""

import dataclasses

import numpy as np
import pandas as pd

from facies.cohort.columns import KEY, ColumnType, decide, describe, is_formula, refuse_many
from facies.cohort.ids import check_ids, refuse_duplicates, refuse_lookalikes, refuse_near_misses
from facies.cohort.spreadsheets import IDS, read_sheet
from facies.common.errors import InputError

EVENTS = {"1": 1, "true": 1, "yes": 1, "1.0": 1, "0": 0, "false": 0, "no": 0, "0.0": 0}
COARSE = 0.05  # of the deaths: so many at time 0 are too many to be left in random order
UNMATCHED = 0.05  # of patients and of photos: so many without the other are no coincidence
A_YEAR = {"day": 365.25, "week": 52.18, "month": 12, "year": 1}
LIFETIME = 120  # years
STRAY = "its patient is not in the patients' sheet"


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of both sheets, as the config names them: of the patients' sheet ``time``,
    ``event`` and ``clinical``; of the photos' sheet ``nuisance``, and those of ``explained`` that
    are there. ``declared`` has what the config says of their types."""

    time: str
    event: str
    clinical: tuple[str, ...] = ()
    nuisance: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    declared: dict = dataclasses.field(default_factory=dict)
    time_unit: str = ""


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Usable photos and patients, and the ``flow``: every exclusion {photo_id or patient_id,
    reason} and notes on what was changed. ``named`` are the photos' own columns (photo_id, path,
    ...), ``columns`` how each column was read, for the user."""

    photos: pd.DataFrame
    patients: pd.DataFrame
    flow: dict
    named: pd.DataFrame
    columns: pd.DataFrame


def check_cohort(photos_path: str, patients_path: str, columns: Columns) -> Cohort:
    """Read, check and join both sheets; raises InputError, see above."""
    refuse_names(columns)
    photos, patients = read_sheets(photos_path, patients_path, columns)
    excluded = [
        {"patient_id": row.patient_id, "reason": "the same row stands twice; one was kept"}
        for row in patients[patients.duplicated()].itertuples()
    ]
    named, told = named_columns(photos_path, photos, columns)
    check_events(patients_path, patients, columns.event)
    time = decide(patients_path, patients[columns.time], columns.declared.get(columns.time), True)
    types = clinical_types(patients_path, patients, columns)
    told = [
        describe(time, patients[columns.time], "time", columns.time_unit),
        *(describe(types[name], patients[name], "clinical") for name in types),
        *told,
    ]
    total = len(patients)
    patients = patients.drop_duplicates()
    refuse_duplicates(patients_path, patients, "patient_id")
    known, without_outcome, notes = outcomes(patients, time, columns.event)
    patients = known.assign(**{n: own.values(patients[n][known.index]) for n, own in types.items()})
    photos, alone = _join(photos[IDS], patients, without_outcome)
    patients_left = patients[patients.patient_id.isin(photos.patient_id)]
    lonely = patients[~patients.patient_id.isin(photos.patient_id)].patient_id
    excluded += [{"patient_id": i, "reason": reason} for i, reason in without_outcome.items()]
    excluded += [{"patient_id": i, "reason": "no photo in the photos' sheet"} for i in lonely]
    remedy = "correct cohort.time_unit, or the times"
    notes += unit_notes(columns.time, columns.time_unit, patients_left.time, remedy)
    notes += unmatched_notes(lonely, patients, alone, photos)
    flow = {
        "photos_in": len(photos) + len(alone),
        "patients_in": total,
        "excluded": excluded + alone,
        "notes": notes,
    }
    refuse_hopeless(patients_path, patients_left, columns, flow["excluded"])
    photos, patients = photos.sort_values("photo_id"), patients_left.sort_values("patient_id")
    return Cohort(photos, patients, flow, named, pd.DataFrame(told))


def read_sheets(photos_path, patients_path, columns: Columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The text of both sheets, each id once among photos and alike in both."""
    photos = read_sheet(photos_path, [*IDS, *columns.nuisance], columns.explained)
    wanted = ["patient_id", columns.time, columns.event, *columns.clinical]
    patients = read_sheet(patients_path, list(dict.fromkeys(wanted)))
    check_ids(photos_path, photos, "photo_id", "patient_id")
    check_ids(patients_path, patients, "patient_id")
    refuse_duplicates(photos_path, photos, "photo_id")
    refuse_lookalikes({photos_path: photos.photo_id})
    refuse_lookalikes({patients_path: patients.patient_id, photos_path: photos.patient_id})
    refuse_near_misses({patients_path: patients.patient_id, photos_path: photos.patient_id})
    # No spreadsheet that opens a table takes ./=x.jpg for a formula.
    photos["path"] = [f"./{path}" if is_formula(path) else path for path in photos.path]
    return photos, patients


def refuse_hopeless(path, patients, columns: Columns, excluded: list[dict]) -> None:
    """Refuse a cohort in which there is nothing to learn."""
    if patients.empty:
        raise InputError(
            f"{path}: no patient has a photo and an outcome; "
            f"the first of {len(excluded)} reasons: {excluded[0]['reason']}"
        )
    if not patients.event.any():
        raise InputError(f"{path}: column {columns.event} holds no event (1)")
    if len(patients) > 1 and patients.time.nunique() == 1:
        raise InputError(
            f"{path}: column {columns.time} holds one time for all: nobody outlives another; "
            "give it in a smaller unit"
        )


def refuse_names(columns: Columns) -> None:
    """Refuse columns of the config that tell the outcome or who is who, or that are formulas."""
    reserved = {"patient_id", "time", "event", columns.time, columns.event}
    if clash := [name for name in columns.clinical if name in reserved]:
        raise InputError(
            f"cohort.clinical names {clash[0]}, which tells the outcome or is a reserved word: "
            "take it out, or rename the column"
        )
    own = (*columns.nuisance, *columns.explained)
    if formulas := [name for name in (*columns.clinical, *own) if is_formula(name)]:
        raise InputError(f"the config names the column {formulas[0]}, a formula: rename it")
    used = [columns.time, *columns.clinical, *own]
    refuse_undeclared(columns.declared, used, KEY)
    if columns.time == columns.event:
        raise InputError(f"cohort.time and cohort.event name one column, {columns.time}: name both")
    if clash := [name for name in own if name in IDS]:
        raise InputError(f"photos' sheet: {clash[0]} tells who is who; take it out of the config")


def refuse_undeclared(declared: dict, used: list[str], key: str) -> None:
    """Refuse what the config says of a column that is not read by it: a name may be mistyped."""
    if strange := [name for name in declared if name not in used]:
        raise InputError(
            f"{key}: {strange[0]} is none of the columns that are read so: {', '.join(used)}; "
            "correct the name, or take it out"
        )


def named_columns(path, photos, columns: Columns) -> tuple[pd.DataFrame, list[dict]]:
    """The photos' own columns by their types beside photo_id, and how they were read."""
    named, told = photos[["photo_id", "path"]].copy(), []
    for name in photos.columns.drop(IDS):
        own = decide(path, photos[name], columns.declared.get(name))
        refuse_many(path, own, photos[name])
        named[name] = own.values(photos[name])
        role = "nuisance" if name in columns.nuisance else "explanation"
        told.append(describe(own, photos[name], role))
    return named, told


def clinical_types(path, patients, columns: Columns) -> dict[str, ColumnType]:
    """The types of the clinical columns; refuses one without any value."""
    types = {}
    for name in columns.clinical:
        types[name] = decide(path, patients[name], columns.declared.get(name))
        refuse_many(path, types[name], patients[name])
        if types[name].is_missing(patients[name]).all():
            raise InputError(
                f"{path}: column {name} holds no value for any patient: fill it or take it out of "
                "cohort.clinical"
            )
    return types


def check_events(path, patients, event: str) -> None:
    """Refuse what would be silently misread: events coded 1 and 2."""
    cells = patients[event][~ColumnType(event, "category").is_missing(patients[event])].str.lower()
    if len(odd := cells[~cells.isin(EVENTS)]):
        raise InputError(
            f"{path}: row {odd.index[0]}: {event} is neither 1 nor 0; write 1 for a death, "
            "0 for the end of follow-up, and nothing where it is not known"
        )


def outcomes(patients, time: ColumnType, event: str) -> tuple[pd.DataFrame, dict, list[str]]:
    """Outcomes (patient_id, time, event), why some patients have no usable one, and notes.

    A death at time 0 is an early death whose time was rounded down: it is counted at half the unit
    of rounding.
    """
    cells = patients[time.name]
    times, missing = time.values(cells), time.is_missing(cells)
    events = patients[event].str.lower().map(EVENTS)
    reasons = {}
    for number, patient in patients.patient_id.items():
        if missing[number]:
            reasons[patient] = f"{time.name} is missing"
        elif np.isnan(times[number]):
            reasons[patient] = f"{time.name} is not a number"
        elif times[number] < 0:
            reasons[patient] = f"{time.name} is not positive"
        elif np.isnan(events[number]):
            reasons[patient] = f"{event} is missing"
        elif times[number] == 0 and not events[number]:
            reasons[patient] = f"{time.name} is 0 without a death: no follow-up"
    table = pd.DataFrame({"patient_id": patients.patient_id, "time": times, "event": events})
    table = table[~table.patient_id.isin(reasons)].astype({"event": int})
    at_zero = table.time == 0
    if not at_zero.any():
        return table, reasons, []
    half = rounding(table.time.to_numpy()) / 2
    table.loc[at_zero, "time"] = half
    return table, reasons, zero_notes(time.name, half, at_zero.sum(), table.event.sum())


def zero_notes(name, half, number, deaths) -> list[str]:
    """What was done with deaths at time 0."""
    notes = [f"{number} of {deaths} deaths at {name} 0 are counted at {half:g}, half its unit"]
    if number > COARSE * deaths:
        notes.append(
            f"{name} is rounded so coarsely that {number / deaths:.0%} of the deaths are at 0, "
            "whose order is lost: give it in a smaller unit"
        )
    return notes


def unit_notes(name: str, unit: str, times, remedy: str) -> list[str]:
    """Times that nobody can live: they are in another unit, or days of a calendar."""
    a_year = A_YEAR.get(unit.strip().lower().removesuffix("s"), np.inf)
    if not len(times) or times.max() <= LIFETIME * a_year:
        return []
    return [f"{name} goes beyond {LIFETIME} years if it is in {unit}: {remedy}"]


def unmatched_notes(lonely, patients, alone, photos) -> list[str]:
    """Many patients without a photo beside many photos without a patient: ids may be at fault."""
    strays = sum(row["reason"] == STRAY for row in alone)
    total = len(alone) + len(photos)
    if len(lonely) <= UNMATCHED * len(patients) or strays <= UNMATCHED * total:
        return []
    return [
        f"{len(lonely)} of {len(patients)} patients have no photo, and {strays} of {total} photos "
        "no patient: compare patient_id in both sheets"
    ]


def rounding(times) -> float:
    """The unit that ``times`` were rounded to: 1, 0.1 or 0.01, or else, where they were computed,
    the least step between two of them."""
    for unit in (1.0, 0.1, 0.01):
        if np.allclose(times / unit, np.round(times / unit), rtol=0, atol=1e-6):
            return unit
    return float(np.diff(np.unique(np.round(times, 9))).min())


def _join(photos, patients, without_outcome) -> tuple[pd.DataFrame, list[dict]]:
    """Photos whose patient is usable, and the others with the reason."""
    known = photos.patient_id.isin(patients.patient_id)
    alone = [
        {
            "photo_id": row.photo_id,
            "reason": "its patient has no usable outcome"
            if row.patient_id in without_outcome
            else STRAY,
        }
        for row in photos[~known].itertuples()
    ]
    return photos[known], alone
