"""Score every model over the folds; write summary, measures, curves and the patients' risks."""

import json

import numpy as np
import pandas as pd

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.evaluation import comparison, scoring
from facies.evaluation.performance import measure
from facies.evaluation.pooled import choose_horizons, last_horizon
from facies.evaluation.subgroups import subgroup_rows
from facies.projection.gate import worst_of_each
from facies.statistics import bootstrap
from facies.statistics.concordance import c_index
from facies.statistics.outcome import Outcome
from facies.survival.designs import load_matrix


def main(job):
    patients = read_table(job.input.patients)
    photos, gate = read_table(job.input.photos), read_table(job.input.gate)
    folds = read_table(job.input.folds)
    used = patients[patients.patient_id.isin(folds.patient_id)]
    fits = scoring.by_key(scoring.read_fit(path, patients) for path in job.input.fits)
    first = folds[folds.repeat == 1]
    draws = bootstrap.draw_patients(
        first.patient_id, first.fold.to_numpy(), job.params.settings["seed"]
    )
    scores = {
        key: [scoring.fold_scores(fit, draws.of(fit.ids)) for fit in own]
        for key, own in fits.items()
    }
    risks = {key: scoring.patient_risks(own) for key, own in fits.items()}

    with open(job.input.flow, encoding="utf-8") as file:
        flow = json.load(file)
    aligned = read_table(job.input.aligned)
    summary = scoring.flow_summary(flow, photos, patients, used, aligned, gate)
    photos = photos[photos.photo_id.isin(gate.photo_id[gate.used == 1])]
    summary["scores"] = [scoring.score_row(key, fits[key], scores[key]) for key in fits]
    summary["comparisons"] = comparison.compare(scores, fits)
    summary["leakage"] = comparison.leakage(scores, fits)
    if job.input.truth:
        summary |= known_truth(job, photos, used, folds)
    write_json(job.output.summary, summary)
    curves = [
        scoring.risk_groups(key, risks[key], scoring.variance_inflation(own))
        for key, own in fits.items()
    ]
    write_json(job.output.curves, curves)
    measures = details(job, fits, risks, used, draws)
    measures["gate"] = by_gate(job, fits, draws, worst_of_each(gate, photos))
    write_json(job.output.measures, measures)
    named = [risks[key].assign(**dict(zip(scoring.KEYS, key, strict=True))) for key in fits]
    columns = ["patient_id", *scoring.KEYS, "risk"]
    pd.concat(named)[columns].to_csv(job.output.risks, index=False, float_format="%.6g")
    print(f"{len(fits)} models scored on {len(used)} patients")


def details(job, fits, risks, used, draws):
    """The measures of every model."""
    settings = job.params.settings
    end = last_horizon([fit for own in fits.values() for fit in own])
    horizons, drawn_in = choose_horizons(settings["horizons"], Outcome.of(used), end)
    clinical = used.set_index("patient_id")[settings["clinical"]]
    rows = []
    for key, own in fits.items():
        row = dict(zip(scoring.KEYS, key, strict=True))
        row |= measure(own, draws, horizons, end, risks[key])
        row["subgroups"] = subgroup_rows(own, draws, clinical, horizons[0])
        rows.append(row)
    return {
        "draws": bootstrap.DRAWS,
        "horizons": horizons,
        "drawn_in": drawn_in,
        "end": end,
        "models": rows,
    }


def by_gate(job, fits, draws, quality):
    """How C of the face moves with the gate; None without fits of the face."""
    key = ("face", *job.params.settings["headline"])
    return scoring.c_by_threshold(fits[key], draws, quality) if key in fits else None


def known_truth(job, photos, used, folds):
    """The demo's planted log-hazards: their C, in the folds as the models', and how much of the
    face's the features carry."""
    truth = read_table(job.input.truth).set_index("patient_id").loc[used.patient_id]
    target = truth.log_hazard_face.to_numpy()
    known = used.set_index("patient_id").join(truth[["log_hazard_face", "log_hazard"]])
    tests = [known.loc[own.patient_id] for _, own in folds.groupby(["repeat", "fold"])]
    oracle = {
        name: float(np.nanmean([c_index(Outcome.of(t), t[hazard].to_numpy()) for t in tests]))
        for name, hazard in (("face", "log_hazard_face"), ("all", "log_hazard"))
    }
    first = folds[folds.repeat == 1].set_index("patient_id").fold.loc[used.patient_id].to_numpy()
    read = {}
    for name, path in (("codes", job.input.latents), ("images", job.input.images)):
        design = load_matrix(path, name, photos, used.patient_id.to_numpy())
        read[name] = scoring.probe(design, target, first)
    ratio = read["codes"] / read["images"]
    probe = {"codes": read["codes"], "pixels": read["images"], "ratio": ratio}
    return {"oracle": oracle, "probe": probe}


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
