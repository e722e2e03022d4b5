"""The demo cohort: people whose survival depends on what their faces show, and the true hazards.

A latent illness factor drives ten visible attributes, each with noise. Survival times follow a
hazard that is log-linear in those attributes and in age, sex and stage, and independent of
clothing, background, light and camera. `python -m facies.demo.people config` writes the committed
sheets.

In two variants the face carries little or no information: `python -m facies.demo.people
config/confounded confounded`, and the same with null.
"""

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from facies.demo.portraits import HEALTH, IDENTITY, Portrait, random_portrait

PATIENTS, PHOTOS, SEED = 400, 480, 4
# Log hazard per standard deviation of each attribute, before the scaling to FACE_SD.
WEIGHTS = dict(zip(HEALTH, (1.0, 0.7, 1.0, 0.9, 0.7, 0.7, 0.4, 0.8, 0.4, 0.4), strict=True))
FACE_SD = 1.1
FEW = 240  # patients of the variants
TRACE = 0.2  # factor of the face's log hazard in the confounded cohort
BACKGROUND_SD = 1.5  # log hazard per standard deviation of the background's hue, there
STAGES = {"I": 0.0, "II": 0.7, "III": 1.5, "IV": 2.4}
LOADING = 0.65  # of the illness factor on each attribute


def pretraining_portraits(part: int, count: int) -> Iterator[Portrait]:
    """People outside the demo cohort, over the whole range of every parameter."""
    random = np.random.default_rng([7, part])
    for _ in range(count):
        yield random_portrait(random)


def health(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised attributes (n, 10), and the same as drawing parameters from 0 to 1."""
    illness = random.standard_normal((n, 1))
    noise = random.standard_normal((n, len(HEALTH)))
    standard = LOADING * illness + np.sqrt(1 - LOADING**2) * noise
    return standard, np.clip(0.38 + 0.17 * standard, 0, 1)


def patients_table(random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The clinical sheet, and the true hazards and attributes."""
    n = PATIENTS
    ids = [f"P{i:04d}" for i in range(1, n + 1)]
    standard, drawn = health(random, n)
    weights = np.array(list(WEIGHTS.values()))
    face = standard @ weights
    face *= FACE_SD / np.sqrt(weights @ _attribute_covariance() @ weights)
    age = np.clip(random.normal(62, 11, n), 30, 90).round().astype(int)
    male = random.random(n) < 0.5
    stage = random.choice(list(STAGES), n, p=[0.2, 0.25, 0.3, 0.25])
    clinical = 0.05 * (age - 62) + 0.4 * male + np.array([STAGES[s] for s in stage]) - 1.5
    hazard = face + clinical
    time, event = _follow_up(random, hazard)
    sheet = pd.DataFrame({"patient_id": ids, "time_months": time, "event": event, "age": age})
    sheet["sex"] = np.where(male, "M", "F")
    sheet["stage"] = np.where(random.random(n) < 0.06, "", stage)
    truth = pd.DataFrame({"patient_id": ids, "log_hazard_face": face, "log_hazard": hazard})
    truth = truth.join(pd.DataFrame(drawn, columns=HEALTH))
    return sheet, truth.round(4)


def _attribute_covariance() -> np.ndarray:
    shared = np.full((len(HEALTH), len(HEALTH)), LOADING**2)
    np.fill_diagonal(shared, 1)
    return shared


def _follow_up(random, hazard) -> tuple[np.ndarray, np.ndarray]:
    """Weibull survival, censored by drop-out and by the end of the study; months and 0/1."""
    n = len(hazard)
    death = 20 * (random.exponential(size=n) / np.exp(hazard)) ** (1 / 1.3)
    end = np.minimum(random.uniform(14, 40, n), random.exponential(60, n))
    time = np.maximum(np.minimum(death, end), 0.1).round(1)
    return time, (death <= end).astype(int)


def portraits_table(random, sheet: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Drawing parameters of each photo; a patient keeps face and illness, all else varies."""
    extra = random.choice(PATIENTS, PHOTOS - PATIENTS, replace=True)
    counts = np.minimum(1 + np.bincount(extra, minlength=PATIENTS), 3)
    counts[np.flatnonzero(counts == 1)[: PHOTOS - counts.sum()]] += 1
    rows = []
    for i, count in enumerate(counts):
        fixed = dict(truth.loc[i, list(HEALTH)]) | _person(random, sheet.loc[i])
        for k in range(count):
            portrait = random_portrait(random, **fixed)
            rows.append(
                {"photo_id": f"{sheet.patient_id[i]}-{k + 1}"} | dataclasses.asdict(portrait)
            )
    return pd.DataFrame(rows).round(4)


def _person(random, row) -> dict:
    """What stays the same in all photos of one patient, besides the illness."""
    male = float(np.clip((0.85 if row.sex == "M" else 0.15) + random.normal(0, 0.1), 0, 1))
    whole = random_portrait(random, male=male)
    kept = (*IDENTITY, "male", "skin_tone", "hair_style", "hair_colour", "glasses")
    grey = np.clip((row.age - 45) / 35 + random.normal(0, 0.2), 0, 1)
    return {name: getattr(whole, name) for name in kept} | {"hair_grey": float(grey)}


def _photos_of(portraits: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """The portraits of the patients of a sheet."""
    owner = portraits.photo_id.str.split("-").str[0]
    return portraits[owner.isin(sheet.patient_id)].reset_index(drop=True)


def confounded(random, sheet: pd.DataFrame, truth: pd.DataFrame, portraits: pd.DataFrame):
    """Sheet, truth and portraits of FEW patients whose hazard depends on the background's colour,
    as if the worst cases had been photographed on another ward, and hardly on the face."""
    sheet, truth = sheet[:FEW].copy(), truth[:FEW].copy()
    portraits = _photos_of(portraits, sheet)
    ward = random.standard_normal(FEW)
    clinical = truth.log_hazard - truth.log_hazard_face
    truth["log_hazard_face"] *= TRACE
    truth["log_hazard"] = truth.log_hazard_face + clinical + BACKGROUND_SD * ward
    sheet["time_months"], sheet["event"] = _follow_up(random, truth.log_hazard.to_numpy())
    owner = pd.Index(sheet.patient_id).get_indexer(portraits.photo_id.str.split("-").str[0])
    hue = np.clip(0.35 + 0.12 * ward[owner], 0, 0.7)
    portraits = portraits.assign(background=0, background_hue=hue, background_value=0.6)
    return sheet, truth.round(4), portraits.round(4)


def null(random, sheet: pd.DataFrame, truth: pd.DataFrame, portraits: pd.DataFrame):
    """FEW patients of the demo with permuted outcomes, which nothing predicts."""
    sheet = sheet[:FEW].copy()
    outcome = ["time_months", "event"]
    sheet[outcome] = sheet[outcome].to_numpy()[random.permutation(FEW)]
    return sheet.astype({"event": int}), truth[:FEW], _photos_of(portraits, sheet)


VARIANTS = {"confounded": confounded, "null": null}


def write_sheets(folder: Path, variant: str | None = None) -> None:
    """Write photos.csv, patients.csv, and in demo/ the parameters and the truth."""
    random = np.random.default_rng(SEED)
    sheet, truth = patients_table(random)
    portraits = portraits_table(random, sheet, truth)
    if variant:
        sheet, truth, portraits = VARIANTS[variant](random, sheet, truth, portraits)
    photos = pd.DataFrame({"photo_id": portraits.photo_id})
    photos["patient_id"] = photos.photo_id.str.split("-").str[0]
    photos["path"] = photos.photo_id + ".jpg"
    (folder / "demo").mkdir(parents=True, exist_ok=True)
    photos.to_csv(folder / "photos.csv", index=False)
    sheet.to_csv(folder / "patients.csv", index=False)
    portraits.to_csv(folder / "demo" / "portraits.csv", index=False)
    truth.to_csv(folder / "demo" / "truth.csv", index=False)


if __name__ == "__main__":
    write_sheets(Path(sys.argv[1]), *sys.argv[2:])
