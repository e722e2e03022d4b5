"""Fit the face on some layers of W+ alone and without them; permute each among patients."""

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.explanation import layers
from facies.reliance.controls import c_row, read_latents
from facies.statistics import bootstrap
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import PhotoDesign, patient_codes, photo_owners
from facies.survival.fits import FoldFit
from facies.survival.models import MODELS


def main(job):
    settings = job.params.settings
    folds = read_table(job.input.folds)
    first = folds[folds.repeat == 1]
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    latents = read_latents(job.input.latents)
    of_patients, owner = photo_owners(latents["photo_ids"], photos, first.patient_id)
    codes = latents["codes"][of_patients].astype(float)
    outcome = Outcome.of(patients.set_index("patient_id").loc[first.patient_id])
    fits = [FoldFit.load(path, patients) for path in job.input.fits]
    protocol = first.fold.to_numpy(), MODELS["coxph"], c_index, settings
    rows = []
    for name, group in layers.layer_groups(codes.shape[1]).items():
        others = np.setdiff1d(np.arange(codes.shape[1]), group)
        row = {"layers": name, "first": int(group[0]) + 1, "last": int(group[-1]) + 1}
        for kind, chosen in (("alone", group), ("without", others)):
            design = PhotoDesign(codes[:, chosen].reshape(len(codes), -1), owner)
            row[kind] = c_row(fits, crossval.nested_scores(design, [outcome], *protocol)[0])
        rows.append(row)
    importance = shuffled(fits, latents, photos, first, codes.shape[1:], settings["seed"])
    result = {"groups": rows, "importance": importance, "shuffles": layers.SHUFFLES}
    write_json(job.output.layers, result)


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
