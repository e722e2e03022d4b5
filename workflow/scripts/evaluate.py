"""Score every model over the folds; write summary, measures, curves and the patients' risks."""

import pandas as pd

from facies.common.files import read_json, read_table, write_json
from facies.common.jobs import run_job
from facies.evaluation.comparison import compare, leakage
from facies.evaluation.flow import flow_summary
from facies.evaluation.ground_truth import probe, true_model
from facies.evaluation.inflation import variance_inflation
from facies.evaluation.performance import measure_all
from facies.evaluation.quality import c_by_threshold
from facies.evaluation.risk_groups import patient_risks, risk_groups
from facies.evaluation.scores import fold_scores, score_row
from facies.projection.gate import worst_of_each
from facies.statistics.bootstrap import draw_patients
from facies.survival.designs import load_photo_design
from facies.survival.fits import KEYS, FoldFit, by_key


def main(job):
    settings = job.params.settings
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    aligned, gate = read_table(job.input.aligned), read_table(job.input.gate)
    folds = read_table(job.input.folds)
    used = patients[patients.patient_id.isin(folds.patient_id)]
    fits = by_key(FoldFit.load(path, patients) for path in job.input.fits)
    first = folds[folds.repeat == 1]
    draws = draw_patients(first.patient_id, first.fold.to_numpy(), settings["seed"])
    scores = {key: [fold_scores(fit, draws.of(fit.test_ids)) for fit in fits[key]] for key in fits}
    risks = {key: patient_risks(fits[key]) for key in fits}

    summary = flow_summary(read_json(job.input.flow), photos, patients, used, aligned, gate)
    photos = photos[photos.photo_id.isin(gate.photo_id[gate.used == 1])]
    summary["scores"] = [score_row(key, fits[key], scores[key]) for key in fits]
    summary["comparisons"] = compare(scores, fits)
    summary["leakage"] = leakage(scores, fits)
    if job.input.truth:
        summary |= ground_truth(job, photos, used.set_index("patient_id"), folds)
    write_json(job.output.summary, summary)
    curves = [risk_groups(key, risks[key], variance_inflation(fits[key])) for key in fits]
    write_json(job.output.curves, curves)
    measures = measure_all(fits, risks, draws, used, settings)
    face = fits.get(("face", "full", "cohort", settings["model"]))
    quality = worst_of_each(gate, photos)
    measures["gate"] = c_by_threshold(face, draws, quality) if face else None
    write_json(job.output.measures, measures)
    tables = [risks[key].assign(**dict(zip(KEYS, key, strict=True))) for key in fits]
    columns = ["patient_id", *KEYS, "risk"]
    pd.concat(tables)[columns].to_csv(job.output.risks, index=False, float_format="%.6g")
    print(f"{len(fits)} models scored on {len(used)} patients")


def ground_truth(job, photos, patients, folds):
    """The true model's C, and how much of the face's planted hazard codes and pixels show."""
    truth = read_table(job.input.truth).set_index("patient_id").loc[patients.index]
    first = folds[folds.repeat == 1].set_index("patient_id").fold.loc[patients.index].to_numpy()
    paths = {"codes": job.input.latents, "images": job.input.images}
    codes, pixels = (
        probe(
            load_photo_design(paths[array], array, photos, patients.index),
            truth.log_hazard_face.to_numpy(),
            first,
        )
        for array in paths
    )
    shown = {"codes": codes, "pixels": pixels, "ratio": codes / pixels}
    return {"true_model": true_model(truth, patients, folds), "probe": shown}


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
