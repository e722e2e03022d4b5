"""Apply a bundle to another hospital's patients, and validate it where outcomes are known."""

import numpy as np

from facies.bundle.drift import drift
from facies.bundle.locked import load_bundle
from facies.bundle.photos import average_photos, usable_photos
from facies.bundle.predictions import predictions, risks
from facies.bundle.sheets import read_both
from facies.bundle.validation import validate_all
from facies.common.errors import InputError
from facies.common.files import write_json
from facies.common.jobs import run_job
from facies.common.store import Store, read_manifests
from facies.projection.gate import Gate


def main(job):
    p, bundle = job.params, load_bundle(job.input.bundle)
    photos, sheet = read_both(job.input.photos, job.input.patients, bundle, *p.outcome, p.columns)
    manifests = read_manifests(job.input.aligned), read_manifests(job.input.latents)
    usable, excluded = usable_photos(Store(p.store), *manifests, photos, Gate(**p.gate))
    clinical = sheet.clinical.sort_index()
    try:
        codes, measures, left_out = average_photos(usable, photos, clinical.index)
    except InputError as error:
        raise InputError(f"{job.input.patients}: {error}") from None
    excluded += left_out
    excluded += [
        {"patient_id": patient, "reason": f"{reason}: not in the validation"}
        for patient, reason in sheet.reasons.items()
    ]
    table = risks(bundle, codes, clinical)
    rows = predictions(bundle, table)
    rows.to_csv(job.output.predictions, index=False, float_format="%.10g")
    rng = np.random.default_rng(p.seed)
    pictured = ~np.isnan(codes).any(1)
    result = {
        "bundle": bundle.card["digest"],
        "photos": len(photos),
        "patients": len(clinical),
        "excluded": excluded,
        "notes": sheet.notes,
        "unknown_categories": sheet.unknown_categories,
        "validation": validate_all(bundle, table, sheet.outcomes, rng),
        "drift": drift(bundle, codes[pictured], measures[pictured], table, rng),
    }
    write_json(job.output.validation, result)
    print(f"{len(rows)} predictions; outcomes of {len(sheet.outcomes)} patients are known")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
