"""Rerun the nested protocol on permuted outcomes."""

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.evaluation.permutation import permutation_test
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import load_photo_design
from facies.survival.models import MODELS

FEATURES, MODEL = "face", "coxph"


def main(job):
    settings = job.params.settings
    folds = read_table(job.input.folds)
    folds = folds[folds.repeat == 1]
    patients = read_table(job.input.patients).set_index("patient_id").loc[folds.patient_id]
    outcome = Outcome.of(patients)
    photos = read_table(job.input.photos)
    design = load_photo_design(job.input.features, "codes", photos, patients.index)
    rng = np.random.default_rng([settings["seed"], 1])
    # The first is the observed one.
    outcomes = [outcome]
    outcomes += [outcome[rng.permutation(len(outcome))] for _ in range(settings["permutations"])]
    protocol = folds.fold.to_numpy(), MODELS[MODEL], c_index, settings
    scores = crossval.nested_scores(design, outcomes, *protocol)
    write_json(
        job.output.permutation,
        {"features": FEATURES, "model": MODEL, **permutation_test(scores)},
    )
    print(f"{settings['permutations']} permutations")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
