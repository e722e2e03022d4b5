"""Lock networks, refitted models and settings into one file without any patient's data."""

import json
from pathlib import Path

import numpy as np

from facies.bundle import locked
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.survival.designs import patient_codes, patient_means, photo_owners

INTENDED = (
    "Research on prognosis in patients like those it was made from. Not a medical device: "
    "not to be used for decisions about patients before it was validated where it is used."
)
PRIVACY = (
    "Holds no photo, code, id or time of a patient: means and spreads over patients, quantiles, "
    "model coefficients, and a baseline hazard in 20 steps. The names of clinical categories are "
    "kept. The networks were tuned on patients' photos and may draw faces that resemble them: "
    "share the file as your ethics committee allows."
)
LICENCE = "GPL-3.0-or-later for the workflow; whoever shares the file decides about the weights."


def face_moments(job, photos, ids) -> dict[str, np.ndarray]:
    """Moments of the codes and of the photos' measures, over patients."""
    table = read_table(job.input.table).set_index("photo_id")
    with np.load(job.input.latents, allow_pickle=False) as file:
        codes = patient_codes(file, photos, ids)
        known, owner = photo_owners(file["photo_ids"], photos, ids)
        columns = [table.loc[file["photo_ids"][known], n] for n in locked.MEASURES["aligned"]]
        columns += [file[name][known] for name in locked.MEASURES["latents"]]
    measured = patient_means(np.column_stack(columns), owner, len(ids))
    arrays = {f"codes.{name}": value for name, value in locked.moments(codes).items()}
    return arrays | {f"measures.{n}": value for n, value in locked.moments(measured).items()}


def scores(summary: dict, model: str) -> dict[str, dict]:
    """The cross-validated scores of the bundled kind of model, by features."""
    wanted = ("c_index", "c_index_low", "c_index_high", "uno_c", "ibs", "ibs_km")
    return {
        row["features"]: {name: row[name] for name in wanted if name in row}
        for row in summary["scores"]
        if row["model"] == model
    }


def in_words(card: dict, seal: str) -> str:
    """The card for people, as Markdown."""
    lines = ["# Model card", "", f"Digest: `{seal}`", ""]
    made = card["cohort"]
    lines += [f"{made['patients']} patients, {made['events']} deaths, {made['photos']} photos."]
    lines += [f"Clinical columns: {', '.join(made['clinical']) or 'none'}. ", ""]
    lines += ["| features | model | C-index, cross-validated, 95 % interval |", "|---|---|---|"]
    for features, own in card["models"].items():
        s = own["scores"]
        interval = "not scored"
        if s.get("c_index") is not None:
            low, high = (s[f"c_index_{end}"] for end in ("low", "high"))
            interval = f"{s['c_index']:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| {features} | {own['model']} | {interval} |")
    for name in ("intended_use", "privacy", "licence"):
        lines += ["", f"**{name.replace('_', ' ').capitalize()}.** {card[name]}"]
    return "\n".join([*lines, ""])


def main(job):
    p = job.params
    photos, folds = read_table(job.input.photos), read_table(job.input.folds)
    summary = json.loads(Path(job.input.summary).read_text(encoding="utf-8"))
    scored = scores(summary, p.model)
    arrays, models, encoders = {}, {}, {}
    for features, path in zip(p.features, job.input.models, strict=True):
        with np.load(path, allow_pickle=False) as file:
            ids, risk, words = file["ids"], file["risk"], json.loads(str(file["card"]))
            numbers = {n: file[n] for n in file.files if n.startswith("model.")}
        arrays |= {n.replace("model", features, 1): value for n, value in numbers.items()}
        arrays |= {f"{features}.risk.{n}": v for n, v in locked.moments(risk[:, None]).items()}
        encoders[features] = words["encoder"]
        models[features] = {
            "model": p.model,
            "chosen": words["chosen"],
            "scores": scored.get(features, {}),
        }
    arrays |= face_moments(job, photos, ids)
    patients = read_table(job.input.patients).set_index("patient_id").loc[ids]
    read = read_table(job.input.columns)
    kinds = dict(read.loc[read.role == "clinical", ["column", "kind"]].to_numpy().tolist())
    card = {
        "format": locked.FORMAT,
        "models": models,
        "encoders": encoders,
        "cohort": {
            "patients": len(ids),
            "events": int(patients.event.sum()),
            "photos": summary["photos_used"],
            "clinical": p.clinical,
            "kinds": kinds,
            "time_unit": p.time_unit,
        },
        "photos": p.photos,
        "code": p.applied,
        "intended_use": INTENDED,
        "privacy": PRIVACY,
        "licence": LICENCE,
    }
    seal = locked.write_bundle(job.output.bundle, job.input.checkpoint, arrays, card)
    Path(job.output.card).write_text(in_words(card, seal), encoding="utf-8")
    print(f"{', '.join(models)} of {len(ids)} patients ({len(folds)} rows of folds): {seal}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
