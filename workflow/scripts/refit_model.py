"""Refit one linear model on every patient, to be bundled."""

import json

import numpy as np
import pandas as pd

from facies.bundle import locked
from facies.bundle.refit import refit
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.statistics.outcome import Outcome
from facies.survival.clinical import ClinicalEncoder
from facies.survival.designs import ClinicalDesign, load_photo_design, patient_codes
from facies.survival.models import MODELS


def face_design(path, photos, clinical):
    """The patients' mean codes, and the same as columns (n, num_ws * w_dim)."""
    design = load_photo_design(path, "codes", photos, clinical.index)
    with np.load(path, allow_pickle=False) as latents:
        codes = patient_codes(latents, photos, clinical.index)
    return design, np.arange(len(clinical)), codes, None


def table_design(frame, rows):
    """Clinical columns, and the same encoded; ``rows`` are the patients as outsiders are seen."""
    encoder = ClinicalEncoder.learn(frame, np.arange(len(rows)))
    return ClinicalDesign(frame), rows, encoder(frame)[rows], encoder


def main(job):
    settings, features = job.params.settings, job.wildcards.features
    photos, folds = read_table(job.input.photos), read_table(job.input.folds)
    folds = folds[folds.repeat == 1]
    patients = read_table(job.input.patients).set_index("patient_id").loc[folds.patient_id]
    outcome, clinical = Outcome.of(patients), patients[settings["clinical"]]
    n = len(patients)
    if features == "face":
        made = face_design(job.input.features, photos, clinical)
    elif features == "clinical":
        made = table_design(clinical, np.arange(n))
    else:  # learned from out-of-fold risks of the face, applied to those of its refitted model
        with np.load(job.input.features, allow_pickle=False) as face:
            twice = [clinical.assign(face_risk=face[name]) for name in ("inner_oof_risk", "risk")]
        made = table_design(pd.concat(twice), np.arange(n, 2 * n))
    design, held, columns, encoder = made
    seed = [settings["seed"], 0, 0]
    chosen = MODELS[settings["model"]]
    model, fit = refit(design, held, columns, outcome, chosen, settings["inner_folds"], seed)
    arrays = {name: getattr(model, name) for name in locked.NUMBERS}
    arrays["intercept"] = np.array([model.intercept])
    words = []
    if encoder is not None:
        words, numbers = locked.encoder_arrays(encoder)
        arrays |= {f"encoder.{name}": value for name, value in numbers.items()}
    np.savez(
        job.output.model,
        ids=patients.index.to_numpy(str),
        risk=fit.test_risk,
        inner_oof_risk=fit.inner_oof_risk,
        card=json.dumps({"chosen": fit.chosen, "encoder": words}),
        **{f"model.{name}": value for name, value in arrays.items()},
    )
    print(f"{n} patients, chosen by cross-validation: {fit.chosen}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
