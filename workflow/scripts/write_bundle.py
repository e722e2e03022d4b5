"""Lock networks, refitted models and settings into one file without any patient's data."""

from pathlib import Path

from facies.bundle.card import as_markdown, cross_validated, statements
from facies.bundle.contents import model_arrays, photo_arrays, read_refit
from facies.bundle.locked import write_bundle
from facies.bundle.schema import FORMAT
from facies.common.files import read_json, read_table
from facies.common.jobs import run_job


def main(job):
    p = job.params
    photos, folds = read_table(job.input.photos), read_table(job.input.folds)
    summary = read_json(job.input.summary)
    scores = cross_validated(summary, p.model)
    refits = dict(zip(p.features, map(read_refit, job.input.models), strict=True))
    ids = refits[p.features[-1]].ids
    patients = read_table(job.input.patients).set_index("patient_id").loc[ids]
    columns = read_table(job.input.columns)
    clinical = columns.loc[columns.role == "clinical", ["column", "kind"]]
    card = {
        "format": FORMAT,
        "models": {
            features: {
                "model": p.model,
                "chosen": refit.card["chosen"],
                "scores": scores.get(features, {}),
            }
            for features, refit in refits.items()
        },
        "encoders": {features: refit.card["encoder"] for features, refit in refits.items()},
        "cohort": {
            "patients": len(ids),
            "events": int(patients.event.sum()),
            "photos": summary["photos_used"],
            "clinical": p.clinical,
            "kinds": dict(clinical.to_numpy().tolist()),
            "time_unit": p.time_unit,
        },
        "photos": p.photos,
        "code": p.applied,
        **statements(),
    }
    table = read_table(job.input.table).set_index("photo_id")
    arrays = model_arrays(refits) | photo_arrays(job.input.latents, table, photos, ids)
    digest = write_bundle(job.output.bundle, job.input.checkpoint, arrays, card)
    Path(job.output.card).write_text(as_markdown(card, digest), encoding="utf-8")
    print(f"{', '.join(refits)} of {len(ids)} patients ({len(folds)} rows of folds): {digest}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
