"""Deal the patients who have a usable photo into folds."""

from facies.features import read_table
from facies.folds import repeated_folds


def main(job):
    photos = read_table(job.input.photos)
    usable = set(photos.photo_id)
    for table in job.input.aligned:
        aligned = read_table(table)
        usable &= set(aligned.photo_id[aligned.used == 1])
    patients = read_table(job.input.patients)
    patients = patients[patients.patient_id.isin(photos.patient_id[photos.photo_id.isin(usable)])]
    settings = job.params.settings
    folds = repeated_folds(patients, settings["folds"], settings["repeats"], settings["seed"])
    folds.to_csv(job.output.folds, index=False)
    with open(job.log[0], "w") as log:
        log.write(folds.groupby(["repeat", "fold"]).size().to_string() + "\n")


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
