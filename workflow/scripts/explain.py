"""Find each fold's health direction, score patients out of fold, and say what the scores are."""

import numpy as np
import pandas as pd

from facies.cohort.columns import per_patient
from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.demo.portraits import HEALTH
from facies.explanation.direction import (
    Direction,
    mean_cosine,
    read_models,
    save_directions,
    score_fold,
)
from facies.explanation.heldout import photo_codes
from facies.explanation.recovery import associations, largest_by_chance
from facies.statistics.concordance import c_index
from facies.statistics.intervals import nadeau_bengio, within_unit
from facies.statistics.outcome import Outcome

# What is adjusted for unless the config says otherwise, beside the clinical columns.
MEASURED = ("yaw", "roll", "skin_brightness", "crop_sharpness")


def chosen_traits(names, clinical: pd.DataFrame, photos: pd.DataFrame, aligned, named):
    """The config's columns of each patient: clinical ones, what photos measure (means), or the
    photos' ``named`` columns (means of numbers, the first of words)."""
    measured = aligned[aligned.used == 1].drop(columns=["used", "reason"])
    measured = measured.filter(regex="^(?!quad_)")
    known = clinical.join(
        per_patient(measured.drop(columns=list(clinical), errors="ignore"), photos, clinical.index)
    )
    names = [*clinical, *MEASURED] if names is None else names
    others = [name for name in names if name not in known and name in named]
    used = named.loc[named.photo_id.isin(measured.photo_id), ["photo_id", *others]]
    known = known.join(per_patient(used, photos, clinical.index))
    return known.reindex(columns=list(names))


def remaining_c(table: pd.DataFrame, patients: pd.DataFrame, folds: int) -> dict:
    """C over ``folds`` folds with Nadeau and Bengio's interval."""
    scores = [
        c_index(Outcome.of(patients.loc[own.patient_id]), own.risk.to_numpy())
        for _, own in table.groupby(["repeat", "fold"])
    ]
    return within_unit(nadeau_bengio(scores, folds))


def in_sds(table: pd.DataFrame) -> pd.DataFrame:
    """Each patient's health score in the first repeat, in SDs of the own fold's training risks."""
    first = table[table.repeat == table.repeat.min()]
    return first[["patient_id", "fold"]].assign(score=-first.risk / first.sd)


def adjusted_rows(table, patients, traits, folds, seed) -> list[dict]:
    """For the score as fitted and each adjustment: C, and how the score still goes with traits."""
    rows = []
    for name in table.adjusted.unique():
        own = table[table.adjusted == name]
        score = in_sds(own)
        left = associations(score, traits.loc[score.patient_id], seed)
        c = remaining_c(own, patients, folds)
        rows.append({"adjusted": name, "c_index": c, "correlations": left})
    return rows


def health_scores(table: pd.DataFrame, ids) -> pd.DataFrame:
    """The health score in log hazard, as fitted and adjusted, each the mean over repeats.

    Higher is healthier, 0 the training patients' mean; empty for patients of folds without a model.
    """
    wide = -table.pivot_table("risk", "patient_id", "adjusted")
    wide = wide.reindex(index=ids, columns=table.adjusted.unique())
    names = {name: f"health, adjusted for {name}" if name else "health" for name in wide}
    return wide.rename(columns=names).rename_axis("patient_id")


def stability(directions: list[Direction]) -> dict:
    """Mean cosine between folds, of coefficients and of the patterns that faces walk along."""
    return {
        name: mean_cosine(np.stack([getattr(d, name) for d in directions]))
        for name in ("beta", "pattern")
    }


def known_truth(job, models, directions: list[Direction], codes: pd.DataFrame) -> dict:
    """The demo's truth: how photos' health scores go with what was planted and with what was not,
    and the cosine of the folds' patterns with the planted one.

    The planted pattern is the covariance of codes with the true log hazard of the face, over all
    patients: how, in W+, faces of higher planted hazard differ on average.
    """
    truth = read_table(job.input.truth).set_index("patient_id")
    means = codes.groupby("patient_id").mean()
    hazard = truth.log_hazard_face.loc[means.index]
    planted = (means - means.mean()).to_numpy().T @ (hazard - hazard.mean())
    cosines = [mean_cosine(np.stack([planted, d.pattern])) for d in directions]
    tables = []
    for model, direction in zip(models, directions, strict=True):
        if model.repeat == models[0].repeat:
            own = codes.loc[model.test_ids]
            scores = own.index.to_frame(index=False).assign(fold=model.fold)
            tables.append(scores.assign(score=-direction.risk(own.to_numpy()) / direction.sd))
    scores, seed = pd.concat(tables, ignore_index=True), job.params.settings["seed"]
    drawn = read_table(job.input.portraits).set_index("photo_id").loc[scores.photo_id]
    others = [name for name in drawn if name not in (*HEALTH, "seed")]
    signs = truth[["log_hazard_face", *HEALTH]].loc[scores.patient_id]
    return {
        "cosine": {"value": np.mean(cosines), "low": min(cosines), "high": max(cosines)},
        "planted": associations(scores, signs, seed),
        "nuisance": associations(scores, drawn[others], seed),
        "chance": largest_by_chance(scores, drawn[others], seed),
    }


def main(job):
    settings, seed = job.params.settings, job.params.settings["seed"]
    models = read_models(job.input.fits)
    patients = read_table(job.input.patients).set_index("patient_id")
    folds = read_table(job.input.folds)
    patients = patients.loc[folds.patient_id.unique()]
    photos = read_table(job.input.photos)
    codes, shape = photo_codes(job.input.latents, photos, patients.index)
    means = codes.groupby("patient_id").mean().loc[patients.index]
    aligned, clinical = read_table(job.input.aligned), patients[settings["clinical"]]
    named = read_table(job.input.named)
    traits = chosen_traits(settings["columns"], clinical, photos, aligned, named)

    scored = [score_fold(model, means, traits) for model in models]
    table = pd.concat([own for _, own in scored], ignore_index=True)
    fitted = [directions[""] for directions, _ in scored]
    # The last adjustment is that for all columns, or the only one.
    adjusted = [list(directions.values())[-1] for directions, _ in scored]
    save_directions(job.output.direction, models, shape, fitted=fitted, adjusted=adjusted)
    health_scores(table, patients.index).to_csv(job.output.health, float_format="%.6g")
    found = {
        "patients_scored": int(table.patient_id.nunique()),
        "patients": len(patients),
        "sd_risk": float(np.mean([m.sd for m in models])),
        "stability": stability(fitted),
        "adjusted": adjusted_rows(table, patients, traits, folds.fold.nunique(), seed),
    }
    if job.input.truth:
        found["truth"] = known_truth(job, models, fitted, codes)
    write_json(job.output.figures, found)
    print(f"{len(models)} folds, cosine of their patterns {found['stability']['pattern']:.3f}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
