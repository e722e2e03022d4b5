"""Apply a bundle to another hospital's patients, and judge it where outcomes are known."""

import json

import numpy as np

from facies.bundle import external
from facies.bundle.locked import MEASURES, load_bundle
from facies.common.errors import InputError
from facies.common.files import write_json
from facies.common.jobs import run_job
from facies.common.store import Store, read_manifests
from facies.projection.gate import Gate
from facies.statistics.outcome import Outcome
from facies.survival.designs import patient_means


def load_photos(job, photos):
    """Codes (m, p), measures (m, k) and photo_ids of usable photos; the others with their reason.

    A picture that stands twice for one patient counts once.
    """
    store, gate = Store(job.params.store), Gate(**job.params.gate)
    aligned, latents = read_manifests(job.input.aligned), read_manifests(job.input.latents)
    codes, measures, used, excluded, seen = [], [], [], [], set()
    for row in photos.itertuples():
        place = aligned[row.photo_id]
        copy = (row.patient_id, place["key"]) in seen
        reason = place["reason"] or ("the same picture twice; one was kept" if copy else None)
        if not reason:
            item = store.load(
                "latents", latents[row.photo_id]["key"], "codes", *MEASURES["latents"]
            )
            reason = gate.leaves_out and gate.reason(item["psnr_face"], item["landmark_drift"])
        if reason:
            excluded.append({"photo_id": row.photo_id, "reason": reason})
            continue
        seen.add((row.patient_id, place["key"]))
        meta = json.loads(str(store.load("aligned", place["key"], "meta")["meta"]))
        codes.append(item["codes"].ravel())
        found = [meta[name] for name in MEASURES["aligned"]]
        measures.append(found + [float(item[name]) for name in MEASURES["latents"]])
        used.append(row.photo_id)
    if not used:
        raise InputError(f"none of {len(photos)} photos can be used: {excluded[0]['reason']}")
    return np.array(codes), np.array(measures), used, excluded


def main(job):
    bundle, (time, event) = load_bundle(job.input.bundle), job.params.outcome
    photos, sheet = external.read_both(
        job.input.photos, job.input.patients, bundle, time, event, job.params.columns
    )
    codes, measures, used, excluded = load_photos(job, photos)
    clinical, known = sheet.clinical, sheet.known
    clinical = clinical.sort_index()
    owner = clinical.index.get_indexer(photos.set_index("photo_id").patient_id.loc[used])
    excluded += [
        {"photo_id": photo, "reason": "its patient is not in the patients' sheet"}
        for photo, row in zip(used, owner, strict=True)
        if row < 0
    ]
    mine = owner >= 0
    if not mine.any():
        raise InputError(f"{job.input.patients}: no photo of its patients can be used")
    codes = patient_means(codes[mine], owner[mine], len(clinical))
    measures = patient_means(measures[mine], owner[mine], len(clinical))
    pictured = ~np.isnan(codes).any(1)
    excluded += [
        {"patient_id": patient, "reason": "no usable photo: no risk of the face"}
        for patient in clinical.index[~pictured]
    ]
    excluded += [
        {"patient_id": patient, "reason": f"{reason}: not in the validation"}
        for patient, reason in sheet.reasons.items()
    ]
    table = external.risks(bundle, codes, clinical)
    rows = external.predictions(bundle, table)
    rows.to_csv(job.output.predictions, index=False, float_format="%.10g")
    rng = np.random.default_rng(job.params.seed)
    judged = {}
    for features in table:
        risk = table[features].reindex(known.index).dropna()
        outcome = Outcome.of(known.loc[risk.index])
        if outcome.event.any():
            model = bundle.model(features)
            judged[features] = external.validate(model, risk.to_numpy(), outcome, rng)
    result = {
        "bundle": bundle.card["digest"],
        "photos": len(photos),
        "patients": len(clinical),
        "excluded": excluded,
        "notes": sheet.notes,
        "unknown_categories": sheet.unknown,
        "validation": judged,
        "drift": external.drift(bundle, codes[pictured], measures[pictured], table, rng),
    }
    write_json(job.output.validation, result)
    print(f"{len(rows)} predictions; outcomes of {len(known)} patients are known")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
