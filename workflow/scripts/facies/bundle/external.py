"""Patients of another hospital: their sheets, their risks, and how right the bundle is there.

Nothing is learned from them. Intervals are of 95 %, by drawing patients with replacement.

References
----------
Crowson, Atkinson and Therneau, "Assessing calibration of prognostic risk scores", Stat Methods Med
Res 25 (2016) 1692-706: observed over expected deaths, and the slope of the log-risk.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.bundle.locked import MEASURES, Bundle, LinearModel
from facies.cohort.columns import decide, describe
from facies.cohort.ids import check_ids, refuse_duplicates, refuse_lookalikes, refuse_near_misses
from facies.cohort.sheets import IDS, check_events, outcomes, refuse_undeclared, unit_notes
from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError
from facies.evaluation.risk_groups import GROUPS
from facies.statistics import bootstrap, hazards
from facies.statistics.concordance import c_index
from facies.statistics.kaplan_meier import survival_with_interval
from facies.statistics.outcome import Outcome

DRAWS = 500
FAR = 5  # SDs of home, beyond which most values lie only in another unit
RARE = 5  # patients, and 1 in 10: so few may have a category that home did not know
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
    """Patients of another hospital: ``clinical`` columns by patient_id, the outcomes ``known``
    (time, event) by patient_id, the ``reasons`` why others have none, ``notes`` on missing values
    and outcomes, how each of the ``columns`` was read, and the patients with ``unknown`` categories
    by column."""

    clinical: pd.DataFrame
    known: pd.DataFrame
    reasons: dict[str, str]
    notes: list[str]
    columns: pd.DataFrame
    unknown: dict[str, list[str]]


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
    clinical, told, gaps = pd.DataFrame(index=pd.Index(patients.patient_id)), [], []
    for name, column in wanted.items():
        home = as_at_home(name, kind_at_home(bundle, column), declared)
        own = decide(path, patients[name], home, key=KEY)
        clinical[name] = own.values(patients[name]).to_numpy()
        told.append(describe(own, patients[name], "clinical"))
        missing = int(clinical[name].isna().sum())
        if missing == len(clinical):
            raise InputError(f"{path}: {name} has no value; the bundle's clinical models need it")
        if missing:
            gaps.append(
                f"{name}: {missing} of {len(clinical)} values are missing and are filled in as "
                "where the bundle was made"
            )
    known, reasons, notes = pd.DataFrame(columns=["patient_id", "time", "event"]), {}, []
    if outcome:
        check_events(path, patients, event)
        own = decide(path, patients[time], declared.get(time), time=True, key=KEY)
        known, reasons, notes = outcomes(patients, own, event)
        unit = bundle.card.get("cohort", {}).get("time_unit", "")
        told.append(describe(own, patients[time], "time", unit))
        notes += unit_notes(time, unit, known.time, "write times in the unit of the bundle")
    known = known.set_index("patient_id")
    unknown = unknown_categories(path, bundle, clinical)
    refuse_other_units(path, bundle, clinical)
    return Sheet(clinical, known, reasons, gaps + notes, pd.DataFrame(told), unknown)


def read_both(photos_path, patients_path, bundle, *settings) -> tuple[pd.DataFrame, Sheet]:
    """Both sheets, whose patients must have the same ids; without a patients' sheet nothing is
    known of patients. ``settings`` are read_patients' own."""
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


def kind_at_home(bundle: Bundle, column: dict) -> str:
    """number, category or date: what a clinical column was where the bundle was made."""
    kind = "category" if column["median"] is None else "number"
    return bundle.card.get("cohort", {}).get("kinds", {}).get(column["name"], kind)


def as_at_home(name: str, kind: str, declared: dict) -> dict:
    """What is declared of a column, with its kind at home; InputError if it is another one."""
    own = declared.get(name, {})
    own = {"kind": own} if isinstance(own, str) else own
    if own.get("kind", kind) != kind:
        raise InputError(
            f"{KEY}: {name} was a {kind} where the bundle was made and cannot be a {own['kind']}"
        )
    return {**own, "kind": kind}


def unknown_categories(path, bundle: Bundle, clinical: pd.DataFrame) -> dict[str, list[str]]:
    """By clinical column, the patients with a category that the bundle does not know.

    Raises InputError where these are more than half of a column's, or where they are not few and
    nobody has one of the categories at home: it is written otherwise here.
    """
    unknown = {}
    for column in bundle.card["encoders"].get("clinical", []):
        if column["median"] is not None:
            continue
        name, known = column["name"], ", ".join(column["levels"])
        given = clinical[name].dropna()
        odd = given.index[~given.isin(column["levels"])]
        renamed = len(odd) > max(RARE, len(given) / 10) and set(column["levels"]) - set(given)
        if 2 * len(odd) > len(given) or renamed:
            raise InputError(
                f"{path}: {name}: {len(odd)} of {len(given)} values ({len(odd) / len(given):.0%}) "
                f"are categories that the bundle does not know; it knows {known:.200}: write them "
                "as there"
            )
        if len(odd):
            unknown[name] = odd.tolist()
            print(f"{name}: {len(odd)} of {len(given)} values are not among {known:.200}")
    return unknown


def refuse_other_units(path, bundle: Bundle, clinical: pd.DataFrame) -> None:
    """Refuse numbers of which most are far from all at home: they are in another unit."""
    if "clinical.encoder.kept" not in bundle.tensors:
        return
    encoder, place = bundle.encoder("clinical"), 0
    x = encoder(clinical)
    for column in encoder.columns:
        at = np.flatnonzero(encoder.kept == place)
        place += max(len(column.levels), 1) if column.median is None else 2
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
        own = pd.DataFrame(
            {"patient_id": risk.index, "features": features, "risk": risk.to_numpy()}
        )
        own["group"] = [GROUPS[g] for g in model.group(risk.to_numpy())]
        own[[f"survival_at_{time:g}" for time in times]] = survival
        rows.append(own)
    return pd.concat(rows, ignore_index=True)


def validate(model: LinearModel, risk, outcome: Outcome, rng) -> dict:
    """Discrimination and calibration of log-risks (n,), each with its interval.

    ``observed_to_expected`` are the deaths until the model's horizon over those it expects;
    ``slope`` is 1 where risks are spread as they should be, less where they are too wide.
    """
    horizon = model.times[-1]
    censored = outcome.censored_at(horizon)
    dead = censored.event
    expected = np.exp(risk) * np.interp(censored.time, [0, *model.times], [0, *model.hazard])
    draws = [np.arange(len(risk))]
    draws += [rng.integers(len(risk), size=len(risk)) for _ in range(DRAWS)]
    scores = {
        "c_index": [c_index(outcome[d], risk[d]) for d in draws],
        "observed_to_expected": [dead[d].sum() / expected[d].sum() for d in draws],
        "slope": [slope(risk[d], outcome[d]) for d in draws],
    }
    result = {"patients": len(risk), "deaths": int(outcome.event.sum()), "horizon": horizon}
    result |= {"observed": int(dead.sum()), "expected": expected.sum()}
    for name, values in scores.items():
        found = bootstrap.interval(np.array(values))
        result |= {name: found["value"]} | {f"{name}_{end}": found[end] for end in ("low", "high")}
    return result | {"groups": survival_by_group(model, risk, outcome)}


def slope(risk, outcome: Outcome) -> float:
    """Coefficient of the log-risk in a Cox model of the outcome; NaN where there is none."""
    fit = hazards.fit_cox(risk[:, None], outcome, np.zeros(len(risk)))
    return np.nan if fit is None else float(fit.beta[0])


def survival_by_group(model: LinearModel, risk, outcome: Outcome) -> list[dict]:
    """Predicted and Kaplan-Meier survival of each risk group at the half and the whole horizon."""
    group, rows = model.group(risk), []
    for number in np.unique(group):
        own = group == number
        for time in (model.times[-1] / 2, model.times[-1]):
            told = survival_with_interval(outcome[own], time)
            predicted = np.exp(-model.cumulative_hazard(risk[own], [time])).mean()
            rows.append(
                {"group": GROUPS[number], "patients": int(own.sum()), "time": time}
                | {"predicted": predicted, "observed": told["survival"]}
                | {end: told[end] for end in ("low", "high")}
            )
    return rows


def drift(bundle: Bundle, codes, measures, table: pd.DataFrame, rng) -> dict:
    """How far patients are from those of the bundle: each measure in SDs, and the codes as a whole.

    ``codes`` (n, p) and ``measures`` (n, k) are means per patient, ``table`` the log-risks.
    """
    dev, names = bundle.tensors, [name for own in MEASURES.values() for name in own]
    rows = [
        shift(name, measures[:, i], *(dev[f"measures.{m}"][i] for m in ("mean", "sd")), bundle)
        for i, name in enumerate(names)
    ]
    for features in table:
        mean, sd = (dev[f"{features}.risk.{m}"][0] for m in ("mean", "sd"))
        rows.append(shift(f"log-risk, {features}", table[features].to_numpy(), mean, sd, bundle))
    return {"measures": rows, "codes": code_shift(bundle, codes, rng)}


def shift(name, values, mean, sd, bundle: Bundle) -> dict:
    """Difference of the means in SDs of the development, with its normal interval."""
    values = values[~np.isnan(values)]
    if len(values) < 2 or not sd > 0:
        return {"measure": name, "difference": np.nan, "low": np.nan, "high": np.nan}
    there = bundle.card["cohort"]["patients"]
    error = np.sqrt((values.std(ddof=1) / sd) ** 2 / len(values) + 1 / there)
    difference = (values.mean() - mean) / sd
    ends = {"low": difference - 1.96 * error, "high": difference + 1.96 * error}
    return {"measure": name, "difference": difference} | ends


def code_shift(bundle: Bundle, codes, rng) -> dict:
    """Root mean square over coordinates of the difference of means in SDs, beside the 95 % point of
    what sampling alone gives to as many patients of one population."""
    sd = bundle.tensors["codes.sd"]
    varies = sd > 0
    z = (codes[:, varies] - bundle.tensors["codes.mean"][varies]) / sd[varies]
    n, there = len(z), bundle.card["cohort"]["patients"]
    if n < 2:
        return {"shift": np.nan, "by_chance": np.nan}
    weights = rng.multinomial(n, np.full(n, 1 / n), size=200) / n
    # Both means vary by chance, theirs by the same spread over as many patients as there were.
    drawn = weights @ (z - z.mean(0)) * np.sqrt(1 + n / there)
    by_chance = np.quantile(np.sqrt((drawn**2).mean(1)), 0.95)
    return {"shift": np.sqrt((z.mean(0) ** 2).mean()), "by_chance": by_chance}
