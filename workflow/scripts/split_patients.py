"""Assign the patients who have a usable photo to folds, stratified by event."""

from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.survival.folds import repeated_folds


def main(job):
    photos = read_table(job.input.photos)
    aligned = read_table(job.input.aligned)
    usable = photos.photo_id.isin(aligned.photo_id[aligned.used == 1])
    patients = read_table(job.input.patients)
    patients = patients[patients.patient_id.isin(photos.patient_id[usable])]
    settings = job.params.settings
    folds = repeated_folds(patients, settings["folds"], settings["repeats"], settings["seed"])
    folds.to_csv(job.output.folds, index=False)
    print(folds.groupby(["repeat", "fold"]).size().to_string())


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
