"""Read the two sheets, and account for every row of them.

What makes a run meaningless (a missing column, a patient with two outcomes) stops it; each message
names file, row and remedy, and independent mistakes are reported together. What concerns one photo
or one patient is an exclusion with a reason. Ids are text: 007 stays 007.
"""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd

from facies.cohort.columns import KEY, ColumnType, decide, describe, is_formula, refuse_many
from facies.cohort.ids import check_ids, refuse_duplicates, refuse_lookalikes, refuse_near_misses
from facies.cohort.spreadsheets import IDS, read_sheet
from facies.common.errors import InputError, run_all

EVENTS = {"1": 1, "true": 1, "yes": 1, "1.0": 1, "0": 0, "false": 0, "no": 0, "0.0": 0}
COARSE = 0.05  # of the deaths; a larger share at time 0 is reported
UNMATCHED = 0.05  # of patients and of photos; a larger share without the other is reported
PER_YEAR = {"day": 365.25, "week": 52.18, "month": 12, "year": 1}
LIFETIME = 120  # years
NO_PATIENT = "its patient is not in the patients' sheet"


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
    reason} and notes on what was changed. ``named`` are the columns of the photos' sheet that the
    config names (photo_id, path, ...), ``columns`` how each column was read, for the user."""

    photos: pd.DataFrame
    patients: pd.DataFrame
    flow: dict
    named: pd.DataFrame
    columns: pd.DataFrame


def check_cohort(photos_path: str, patients_path: str, columns: Columns) -> Cohort:
    """Read, check and join both sheets; raises InputError, see above."""
    refuse_names(columns)
    photos, sheet = read_sheets(photos_path, patients_path, columns)
    declared = columns.declared.get(columns.time)
    time, types, (named, photo_rows), *_ = run_all(
        lambda: decide(patients_path, sheet[columns.time], declared, True),
        lambda: clinical_types(patients_path, sheet, columns),
        lambda: named_columns(photos_path, photos, columns),
        lambda: check_events(patients_path, sheet, columns.event),
        lambda: check_both_ids(photos_path, photos, patients_path, sheet),
    )
    described = [
        describe(time, sheet[columns.time], "time", columns.time_unit),
        *(describe(kind, sheet[name], "clinical") for name, kind in types.items()),
        *photo_rows,
    ]
    excluded = [
        {"patient_id": row.patient_id, "reason": "a duplicate of another row; one was kept"}
        for row in sheet[sheet.duplicated()].itertuples()
    ]
    patients, without_outcome, notes = outcomes(sheet.drop_duplicates(), time, columns.event)
    clinical = {name: kind.values(sheet[name][patients.index]) for name, kind in types.items()}
    patients = patients.assign(**clinical)
    photos, unmatched = _join(photos[IDS], patients, without_outcome)
    usable = patients[patients.patient_id.isin(photos.patient_id)]
    no_photo = patients[~patients.patient_id.isin(photos.patient_id)].patient_id
    excluded += [{"patient_id": i, "reason": reason} for i, reason in without_outcome.items()]
    excluded += [{"patient_id": i, "reason": "no photo in the photos' sheet"} for i in no_photo]
    remedy = "correct cohort.time_unit, or the times"
    notes += unit_notes(columns.time, columns.time_unit, usable.time, remedy)
    notes += unmatched_notes(no_photo, patients, unmatched, photos)
    flow = {
        "photos_in": len(photos) + len(unmatched),
        "patients_in": len(sheet),
        "excluded": excluded + unmatched,
        "notes": notes,
    }
    refuse_hopeless(patients_path, usable, columns, flow["excluded"])
    photos, patients = photos.sort_values("photo_id"), usable.sort_values("patient_id")
    return Cohort(photos, patients, flow, named, pd.DataFrame(described))


def read_sheets(photos_path, patients_path, columns: Columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The text of both sheets."""
    names = dict.fromkeys(["patient_id", columns.time, columns.event, *columns.clinical])
    photos, patients = run_all(
        lambda: read_sheet(photos_path, [*IDS, *columns.nuisance], columns.explained),
        lambda: read_sheet(patients_path, list(names)),
    )
    # No spreadsheet that opens a table takes ./=x.jpg for a formula.
    photos["path"] = [f"./{path}" if is_formula(path) else path for path in photos.path]
    return photos, patients


def check_both_ids(photos_path, photos, patients_path, patients) -> None:
    """Refuse malformed and duplicate ids, and those that are written differently in both sheets."""
    both = {patients_path: patients.patient_id, photos_path: photos.patient_id}

    def written_alike():
        refuse_lookalikes(both)
        refuse_near_misses(both)

    run_all(
        lambda: check_ids(photos_path, photos, "photo_id", "patient_id"),
        lambda: check_ids(patients_path, patients, "patient_id"),
        lambda: refuse_duplicates(photos_path, photos, "photo_id"),
        lambda: refuse_duplicates(patients_path, patients.drop_duplicates(), "patient_id"),
        lambda: refuse_lookalikes({photos_path: photos.photo_id}),
        written_alike,
    )


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
            f"{path}: column {columns.time} holds the same time for all patients; give it in a "
            "smaller unit"
        )


def refuse_names(columns: Columns) -> None:
    """Refuse columns of the config that are outcomes, ids or formulas."""
    reserved = {"patient_id", "time", "event", columns.time, columns.event}
    if clash := [name for name in columns.clinical if name in reserved]:
        raise InputError(
            f"cohort.clinical names {clash[0]}, which is the outcome or a reserved word: "
            "take it out, or rename the column"
        )
    of_photos = (*columns.nuisance, *columns.explained)
    if formulas := [name for name in (*columns.clinical, *of_photos) if is_formula(name)]:
        raise InputError(f"the config names the column {formulas[0]}, a formula: rename it")
    used = [columns.time, *columns.clinical, *of_photos]
    refuse_undeclared(columns.declared, used, KEY)
    if columns.time == columns.event:
        raise InputError(f"cohort.time and cohort.event name one column, {columns.time}: name both")
    if clash := [name for name in of_photos if name in IDS]:
        raise InputError(f"photos' sheet: {clash[0]} is an identifier; take it out of the config")


def refuse_undeclared(declared: dict, used: list[str], key: str) -> None:
    """Refuse types that the config declares for columns that are not used: a typing error."""
    if unused := [name for name in declared if name not in used]:
        raise InputError(
            f"{key}: {unused[0]} is none of the columns that are used: {', '.join(used)}; "
            "correct the name, or take it out"
        )


def named_columns(path, photos, columns: Columns) -> tuple[pd.DataFrame, list[dict]]:
    """Typed columns of the photos' sheet beside photo_id and path, and how they were read."""
    named, described = photos[["photo_id", "path"]].copy(), []
    names = photos.columns.drop(IDS)
    for kind in _types(path, photos, names, columns.declared):
        named[kind.name] = kind.values(photos[kind.name])
        role = "nuisance" if kind.name in columns.nuisance else "explanation"
        described.append(describe(kind, photos[kind.name], role))
    return named, described


def clinical_types(path, patients, columns: Columns) -> dict[str, ColumnType]:
    """The types of the clinical columns; refuses one without any value."""
    types = {kind.name: kind for kind in _types(path, patients, columns.clinical, columns.declared)}
    if empty := [name for name in types if types[name].is_missing(patients[name]).all()]:
        raise InputError(
            f"{path}: column {empty[0]} holds no value for any patient: fill it or take it out of "
            "cohort.clinical"
        )
    return types


def _types(path, sheet, names, declared) -> list[ColumnType]:
    """The type of each named column."""

    def one(name):
        kind = decide(path, sheet[name], declared.get(name))
        refuse_many(path, kind, sheet[name])
        return kind

    return run_all(*(partial(one, name) for name in names))


def check_events(path, patients, event: str) -> None:
    """Refuse events that are not coded as 0 and 1: codes 1 and 2 would be misread silently."""
    cells = patients[event][~ColumnType(event, "category").is_missing(patients[event])].str.lower()
    if len(odd := cells[~cells.isin(EVENTS)]):
        raise InputError(
            f"{path}: row {odd.index[0]}: {event} is neither 1 nor 0; write 1 for a death, "
            "0 for the end of follow-up, and leave unknown ones empty"
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
    """A note on times longer than a life: in another unit, or calendar days."""
    a_year = PER_YEAR.get(unit.strip().lower().removesuffix("s"), np.inf)
    if not len(times) or times.max() <= LIFETIME * a_year:
        return []
    return [f"{name} goes beyond {LIFETIME} years if it is in {unit}: {remedy}"]


def unmatched_notes(no_photo, patients, unmatched, photos) -> list[str]:
    """A note if many patients have no photo and many photos no patient: ids may be wrong."""
    no_patient = sum(row["reason"] == NO_PATIENT for row in unmatched)
    total = len(unmatched) + len(photos)
    if len(no_photo) <= UNMATCHED * len(patients) or no_patient <= UNMATCHED * total:
        return []
    return [
        f"{len(no_photo)} of {len(patients)} patients have no photo, and {no_patient} of {total} "
        "photos no patient: compare patient_id in both sheets"
    ]


def rounding(times) -> float:
    """The unit that ``times`` were rounded to: 1, 0.1 or 0.01, or else, where they were computed,
    the least step between two of them."""
    for unit in (1.0, 0.1, 0.01):
        if np.allclose(times / unit, np.round(times / unit), rtol=0, atol=1e-6):
            return unit
    return float(np.diff(np.unique(np.round(times, 9))).min())


def _join(photos, patients, without_outcome) -> tuple[pd.DataFrame, list[dict]]:
    """Photos whose patient is usable, and the reasons for excluding the others."""
    matched = photos.patient_id.isin(patients.patient_id)
    unmatched = [
        {
            "photo_id": row.photo_id,
            "reason": "its patient has no usable outcome"
            if row.patient_id in without_outcome
            else NO_PATIENT,
        }
        for row in photos[~matched].itertuples()
    ]
    return photos[matched], unmatched
