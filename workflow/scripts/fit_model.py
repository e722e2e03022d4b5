"""Tune and fit one model on the training patients of one fold, and predict its test patients."""

import numpy as np

from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.features import feature_sets
from facies.survival.fits import Fit, FoldFit
from facies.survival.models import MODELS
from facies.survival.prediction import time_grid


def main(job):
    settings, wildcards, paths = job.params.settings, job.wildcards, list(job.input.features)
    repeat, number = int(wildcards.repeat), int(wildcards.fold)
    folds = read_table(job.input.folds)
    folds = folds[folds.repeat == repeat]
    patients = read_table(job.input.patients).set_index("patient_id").loc[folds.patient_id]
    in_test = folds.fold.to_numpy() == number
    train, test = np.flatnonzero(~in_test), np.flatnonzero(in_test)
    # The test patients' follow-up is blanked: a model that read it would return NaN.
    everybody = Outcome.of(patients)
    outcome = Outcome(np.where(in_test, np.nan, everybody.time), everybody.event & ~in_test)

    reason = crossval.too_few_events(outcome[train], settings["inner_folds"])
    if reason:
        fit = Fit.missing(len(train), len(test), time_grid(outcome[train]))
    elif len(paths) > 1:
        fit = Fit.average([FoldFit.load(path) for path in paths])
    else:
        model, seed = MODELS[wildcards.model], [settings["seed"], repeat, number]
        design = model.load_design(
            feature_sets(settings["fusion"])[wildcards.features],
            paths,
            read_table(job.input.photos),
            patients[settings["clinical"]],
            train,
            test,
            settings["photos"] == "mean_risk",
        )
        ready = crossval.prepare(design, outcome, train, test, settings["inner_folds"], seed)
        fit = crossval.fit(design, ready, outcome, model, seed)
    ids = patients.index.to_numpy(str)
    FoldFit(
        **vars(fit),
        features=wildcards.features,
        view=wildcards.view,
        # fold: each fold's fit by the fold's generator, together one row of scores
        generator=wildcards.generator.partition("-")[0],
        model=wildcards.model,
        repeat=repeat,
        fold=number,
        train_ids=ids[train],
        test_ids=ids[test],
        reason=reason,
    ).save(job.output.fit)
    print(reason or f"chosen by cross-validation: {fit.chosen}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
