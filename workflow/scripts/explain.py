"""Find each fold's health direction, and score held-out patients along it."""

import numpy as np
import pandas as pd

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.explanation import scores
from facies.explanation.direction import read_models, save_directions, score_fold
from facies.explanation.heldout import photo_codes
from facies.explanation.recovery import recovery
from facies.explanation.traits import chosen_traits


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
    table = pd.concat([risks for _, risks in scored], ignore_index=True)
    fitted = [directions[""] for directions, _ in scored]
    # The last adjustment is that for all columns, or the only one.
    adjusted = [list(directions.values())[-1] for directions, _ in scored]
    save_directions(job.output.direction, models, shape, fitted=fitted, adjusted=adjusted)
    health = scores.health_scores(table, patients.index)
    health.to_csv(job.output.health, float_format="%.6g")
    figures = {
        "patients_scored": int(table.patient_id.nunique()),
        "patients": len(patients),
        "sd_risk": float(np.mean([m.sd for m in models])),
        "stability": scores.stability(fitted),
        "adjusted": scores.adjusted_rows(table, patients, traits, folds.fold.nunique(), seed),
    }
    if job.input.truth:
        truth = read_table(job.input.truth).set_index("patient_id")
        portraits = read_table(job.input.portraits).set_index("photo_id")
        figures["truth"] = recovery(truth, portraits, models, fitted, codes, seed)
    write_json(job.output.figures, figures)
    cosine = figures["stability"]["pattern"]
    print(f"{len(models)} folds, mean cosine of their patterns {cosine:.3f}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
