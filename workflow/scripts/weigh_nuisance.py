"""C of nuisances, alone and beside clinical data, and the incremental value of the face."""

import numpy as np
import pandas as pd

from facies.cohort.columns import per_patient
from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.evaluation import comparison
from facies.reliance.controls import c_row
from facies.statistics import bootstrap
from facies.statistics.concordance import concordance
from facies.statistics.outcome import Outcome
from facies.survival import crossval
from facies.survival.designs import ClinicalDesign
from facies.survival.fits import FoldFit
from facies.survival.models import MODELS


def main(job):
    settings = job.params.settings
    folds = read_table(job.input.folds)
    patients = read_table(job.input.patients)
    used = patients[patients.patient_id.isin(folds.patient_id)].set_index("patient_id")
    photos = read_table(job.input.photos)
    table = per_patient(read_table(job.input.nuisance), photos, used.index)
    baseline = table.join(used[settings["clinical"]])
    fits = [FoldFit.load(path, patients) for path in job.input.fits]
    first = folds[folds.repeat == 1]
    draws = bootstrap.draw_patients(first.patient_id, first.fold.to_numpy(), settings["seed"])
    scores = {"nuisance": [], "baseline": [], "with_face": []}
    for fit in fits:
        train, held = (used.index.get_indexer(ids) for ids in (fit.train_ids, fit.test_ids))
        risks, ids = (fit.inner_oof_risk, fit.test_risk), (fit.train_ids, fit.test_ids)
        face = pd.Series(np.concatenate(risks), np.concatenate(ids))
        frames = {"nuisance": table, "baseline": baseline}
        frames["with_face"] = baseline.assign(face_risk=face)
        seed = [settings["seed"], fit.repeat, fit.fold]
        parts = train, held, MODELS["coxph"], settings["inner_folds"], seed
        for name, frame in frames.items():
            risk = np.full(len(held), np.nan)
            if frame.shape[1] and not fit.reason:
                risk = crossval.held_out_risk(ClinicalDesign(frame), Outcome.of(used), *parts)
            scores[name].append(concordance(fit.test, risk, draws.of(fit.test_ids)))
    rows = {name: c_row(fits, [c[0] for c in folds]) for name, folds in scores.items()}
    pairs = zip(scores["with_face"], scores["baseline"], strict=True)
    gain = comparison.difference([a - b for a, b in pairs], fits)
    columns = {"columns": [*table.columns], "clinical": settings["clinical"]}
    write_json(job.output.nuisance, rows | {"gain": gain} | columns)
    print(f"{table.shape[1]} nuisances, C {rows['nuisance']['value']:.3f}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
