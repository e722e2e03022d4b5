"""Fit the face on some layers of W+ alone and without them, and shuffle each among patients."""

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.explanation import layers
from facies.reliance.controls import c_row, patient_codes, read_latents
from facies.statistics import bootstrap
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import PhotoDesign, photo_owners
from facies.survival.fits import FoldFit
from facies.survival.models import MODELS


def subset_scores(codes, owner, outcome, assigned, settings) -> list[float]:
    """C of ridge Cox in each fold ``assigned`` (n,), from ``codes`` (photos, p) of ``owner``."""
    design, scores = PhotoDesign(codes, owner), []
    for number in np.unique(assigned):
        train, held = np.flatnonzero(assigned != number), np.flatnonzero(assigned == number)
        seed = [settings["seed"], 1, int(number)]
        parts = train, held, MODELS["coxph"], settings["inner_folds"], seed
        risk = crossval.held_out_risk(design, outcome, *parts)
        scores.append(c_index(outcome[held], risk))
    return scores


def main(job):
    settings = job.params.settings
    folds = read_table(job.input.folds)
    first = folds[folds.repeat == 1]
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    latents = read_latents(job.input.latents)
    known, owner = photo_owners(latents["photo_ids"], photos, first.patient_id)
    codes = latents["codes"][known].astype(float)
    outcome = Outcome.of(patients.set_index("patient_id").loc[first.patient_id])
    fits = [FoldFit.load(path, patients) for path in job.input.fits]
    groups, rows = layers.layer_groups(codes.shape[1]), []
    for name, own in groups.items():
        others = np.setdiff1d(np.arange(codes.shape[1]), own)
        row = {"layers": name, "first": int(own[0]) + 1, "last": int(own[-1]) + 1}
        for kind, chosen in (("alone", own), ("without", others)):
            some = codes[:, chosen].reshape(len(codes), -1)
            scores = subset_scores(some, owner, outcome, first.fold.to_numpy(), settings)
            row[kind] = c_row(fits, scores)
        rows.append(row)
    importance = shuffled(fits, latents, photos, first, codes.shape[1:], settings["seed"])
    found = {"groups": rows, "importance": importance, "shuffles": layers.SHUFFLES}
    write_json(job.output.layers, found)


def shuffled(fits, latents, photos, first, shape, seed):
    """Permutation importance of each layer in the folds that have a model."""
    fits = [fit for fit in fits if fit.coefficients is not None]
    if not fits:
        return []
    draws = bootstrap.draw_patients(first.patient_id, first.fold.to_numpy(), seed)
    return layers.permutation_importance(
        fits,
        [fit.coefficients.reshape(shape) for fit in fits],
        lambda ids: patient_codes(latents, photos, ids).reshape(-1, *shape),
        draws,
        seed,
    )


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
