"""Tune and fit one model on the training patients of one fold, and predict its test patients."""

import numpy as np

from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.models import MODELS


def main(job):
    settings, wildcards = job.params.settings, job.wildcards
    repeat, number = int(wildcards.repeat), int(wildcards.fold)
    folds = read_table(job.input.folds)
    folds = folds[folds.repeat == repeat]
    patients = read_table(job.input.patients).set_index("patient_id").loc[folds.patient_id]
    test = folds.fold.to_numpy() == number
    train, held = np.flatnonzero(~test), np.flatnonzero(test)
    # The test patients' follow-up is blanked: a model that read it would return NaN.
    known = Outcome.of(patients)
    outcome = Outcome(np.where(test, np.nan, known.time), known.event & ~test)

    seed = [settings["seed"], repeat, number]
    reason = crossval.too_few_events(outcome[train], settings["inner_folds"])
    if reason:
        result = crossval.no_result(train, held, outcome)
    elif wildcards.features == "fused" and settings["fusion"] == "average":
        result = crossval.average([dict(np.load(path)) for path in job.input.features])
    else:
        model = MODELS[wildcards.model]
        design = model.load_design(
            wildcards.features,
            job.input.features,
            read_table(job.input.photos),
            patients[settings["clinical"]],
            train,
            held,
            settings,
        )
        ready = crossval.prepare(design, outcome, train, held, settings["inner_folds"], seed)
        fit = crossval.fit(design, ready, outcome, model, seed)
        result = crossval.result(fit)
    ids = patients.index.to_numpy(str)
    np.savez(
        job.output.fit,
        # fold: each fold's fit by the fold's generator, together one row of scores
        generator=wildcards.generator.partition("-")[0],
        view=wildcards.view,
        features=wildcards.features,
        model=wildcards.model,
        repeat=repeat,
        fold=number,
        train_ids=ids[train],
        test_ids=ids[held],
        reason=reason,
        **result,
    )
    print(reason or f"chosen by cross-validation: {result['chosen']}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
