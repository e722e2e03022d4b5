"""Another hospital's sheets, read by the types that their columns had in the development."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.bundle.locked import Bundle
from facies.cohort.columns import decide, describe
from facies.cohort.ids import check_ids, refuse_duplicates, refuse_lookalikes, refuse_near_misses
from facies.cohort.sheets import IDS, check_events, outcomes, refuse_undeclared, unit_notes
from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError

FAR = 5  # SDs of the development, beyond which most values lie only in another unit
RARE = 5  # patients, and 1 in 10: so few may have an unknown category
KEY = "predict.columns"


def read_photos(path) -> pd.DataFrame:
    """photo_id and patient_id of the photos' sheet, by photo_id."""
    photos = read_sheet(path, IDS)
    check_ids(path, photos, "photo_id", "patient_id")
    refuse_duplicates(path, photos, "photo_id")
    refuse_lookalikes({path: photos.photo_id})
    refuse_lookalikes({path: photos.patient_id})
    return photos.sort_values("photo_id")


@dataclass(frozen=True)
class Sheet:
    """Patients of another hospital: ``clinical`` columns by patient_id, ``outcomes`` (time, event)
    by patient_id, the ``reasons`` why others have none, ``notes`` on missing values and outcomes,
    how each of the ``columns`` was read, and the patients with ``unknown_categories`` by column."""

    clinical: pd.DataFrame
    outcomes: pd.DataFrame
    reasons: dict[str, str]
    notes: list[str]
    columns: pd.DataFrame
    unknown_categories: dict[str, list[str]]


def read_patients(path, bundle: Bundle, time, event, declared=None) -> Sheet:
    """The patients' sheet by the types that its columns have in the bundle.

    ``time`` and ``event`` name the columns of the outcome, None where outcomes are not known;
    ``declared`` has what the config says of the sheet's columns. Raises InputError for what the
    bundle's columns cannot be.
    """
    declared = declared or {}
    wanted = {c["name"]: c for c in bundle.card["encoders"].get("clinical", [])}
    outcome = [time, event] if time and event else []
    refuse_undeclared(declared, [*outcome[:1], *wanted], KEY)
    patients = read_sheet(path, ["patient_id", *outcome, *wanted])
    check_ids(path, patients, "patient_id")
    refuse_duplicates(path, patients, "patient_id")
    refuse_lookalikes({path: patients.patient_id})
    clinical, rows, notes = pd.DataFrame(index=pd.Index(patients.patient_id)), [], []
    for name, column in wanted.items():
        kind = as_developed(name, kind_of(bundle, column), declared)
        reading = decide(path, patients[name], kind, key=KEY)
        clinical[name] = reading.values(patients[name]).to_numpy()
        rows.append(describe(reading, patients[name], "clinical"))
        missing = int(clinical[name].isna().sum())
        if missing == len(clinical):
            raise InputError(f"{path}: {name} has no value; the bundle's clinical models need it")
        if missing:
            notes.append(
                f"{name}: {missing} of {len(clinical)} values are missing and are filled in as "
                "where the bundle was made"
            )
    table, reasons = pd.DataFrame(columns=["patient_id", "time", "event"]), {}
    if outcome:
        check_events(path, patients, event)
        reading = decide(path, patients[time], declared.get(time), time=True, key=KEY)
        table, reasons, more = outcomes(patients, reading, event)
        unit = bundle.card.get("cohort", {}).get("time_unit", "")
        rows.append(describe(reading, patients[time], "time", unit))
        notes += more + unit_notes(time, unit, table.time, "write times in the unit of the bundle")
    unknown = unknown_categories(path, bundle, clinical)
    refuse_other_units(path, bundle, clinical)
    table = table.set_index("patient_id")
    return Sheet(clinical, table, reasons, notes, pd.DataFrame(rows), unknown)


def read_both(photos_path, patients_path, bundle, *settings) -> tuple[pd.DataFrame, Sheet]:
    """Both sheets, whose patients must have the same ids; without a patients' sheet nothing is
    known of patients. ``settings`` are those of read_patients."""
    photos = read_photos(photos_path)
    if patients_path:
        sheet = read_patients(patients_path, bundle, *settings)
        ids = read_sheet(patients_path, ["patient_id"]).patient_id
        refuse_lookalikes({patients_path: ids, photos_path: photos.patient_id})
        refuse_near_misses({patients_path: ids, photos_path: photos.patient_id})
        if not photos.patient_id.isin(ids).any():
            raise InputError(
                f"{patients_path}: no patient of {photos_path} is in it; patient_id must be the "
                "same in both sheets"
            )
        return photos, sheet
    if bundle.card["encoders"].get("clinical"):
        raise InputError("predict.patients: name a sheet with the bundle's clinical columns")
    ids = pd.Index(photos.patient_id.unique(), name="patient_id")
    nothing = pd.DataFrame(columns=["time", "event"])
    return photos, Sheet(pd.DataFrame(index=ids), nothing, {}, [], pd.DataFrame(), {})


def kind_of(bundle: Bundle, column: dict) -> str:
    """number, category or date: the type of a clinical column in the development."""
    kind = "category" if column["median"] is None else "number"
    return bundle.card.get("cohort", {}).get("kinds", {}).get(column["name"], kind)


def as_developed(name: str, kind: str, declared: dict) -> dict:
    """What is declared of a column, with its type in the development; InputError if it is another
    one."""
    given = declared.get(name, {})
    given = {"kind": given} if isinstance(given, str) else given
    if given.get("kind", kind) != kind:
        raise InputError(
            f"{KEY}: {name} was a {kind} where the bundle was made and cannot be a {given['kind']}"
        )
    return {**given, "kind": kind}


def unknown_categories(path, bundle: Bundle, clinical: pd.DataFrame) -> dict[str, list[str]]:
    """By clinical column, the patients with a category that the bundle does not know.

    Raises InputError where these are more than half of a column's, or where they are not few and
    nobody has one of the development's categories: they are written differently here.
    """
    unknown = {}
    for column in bundle.card["encoders"].get("clinical", []):
        if column["median"] is not None:
            continue
        name, levels = column["name"], ", ".join(column["levels"])
        given = clinical[name].dropna()
        odd = given.index[~given.isin(column["levels"])]
        renamed = len(odd) > max(RARE, len(given) / 10) and set(column["levels"]) - set(given)
        if 2 * len(odd) > len(given) or renamed:
            raise InputError(
                f"{path}: {name}: {len(odd)} of {len(given)} values ({len(odd) / len(given):.0%}) "
                f"are categories that the bundle does not know; it knows {levels:.200}: write them "
                "as there"
            )
        if len(odd):
            unknown[name] = odd.tolist()
            print(f"{name}: {len(odd)} of {len(given)} values are not among {levels:.200}")
    return unknown


def refuse_other_units(path, bundle: Bundle, clinical: pd.DataFrame) -> None:
    """Refuse numbers of which most are far from the development's: they are in another unit."""
    if "clinical.encoder.kept" not in bundle.tensors:
        return
    encoder, first = bundle.encoder("clinical"), 0
    x = encoder(clinical)
    for column in encoder.columns:
        at = np.flatnonzero(encoder.kept == first)
        first += max(len(column.levels), 1) if column.median is None else 2
        kind = bundle.card.get("cohort", {}).get("kinds", {}).get(column.name)
        if column.median is None or kind == "date" or not len(at):
            continue
        far = np.abs(x[clinical[column.name].notna(), at[0]]) > FAR
        if 2 * far.sum() > len(far):
            raise InputError(
                f"{path}: {column.name}: {far.sum()} of {len(far)} values are more than {FAR} SD "
                f"from the mean where the bundle was made, {encoder.centre[at[0]]:.3g} with an SD "
                f"of {encoder.scale[at[0]]:.2g}: write them in the unit of there"
            )
