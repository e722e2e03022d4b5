"""Hold views, covers, swapped backgrounds and nuisances against the rules stated in advance."""

import json
from pathlib import Path

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.common.store import Store, read_manifests
from facies.generator.pictures import grid
from facies.reliance import controls, swap, verdict
from facies.statistics import bootstrap
from facies.survival.designs import patient_codes
from facies.survival.fits import FoldFit, by_key

EXAMPLES = 6


def main(job):
    p = job.params
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    folds = read_table(job.input.folds)
    first = folds[folds.repeat == 1]
    draws = bootstrap.draw_patients(first.patient_id, first.fold.to_numpy(), p.seed)
    fits = [FoldFit.load(path, patients) for path in job.input.fits]
    found = {"views": {}, "covers": [], "swap": None}
    for key, own in by_key(fits).items():
        found["views"][key[1]] = controls.c_row(own, controls.c_indices(own))
    found["views"] = {view: found["views"][view] for view in p.views}

    whole = [fit for fit in fits if fit.view == "full"]
    coefficients = [fit.coefficients for fit in whole]
    full = controls.read_latents(job.input.latents)
    covered = dict(zip(p.covers, map(controls.read_latents, job.input.covered), strict=True))
    for region in p.regions:
        found["covers"].append(
            controls.cover_row(
                region,
                *(
                    effect(covered[f"{kind}_{region}"], full, photos, whole, coefficients, draws)
                    for kind in ("without", "inpainted", "random")
                ),
            )
        )
    if job.input.blocks:
        found["swap"] = swapped(job, whole, coefficients)
    found["nuisance"] = numbers(json.loads(Path(job.input.nuisance).read_text(encoding="utf-8")))
    found["layers"] = json.loads(Path(job.input.layers).read_text(encoding="utf-8"))
    found["edits"] = json.loads(Path(job.input.edits).read_text(encoding="utf-8"))
    found["tests"] = verdict.judge(found)
    found["verdict"] = verdict.overall(found["tests"])
    write_json(job.output.reliance, found)
    if p.show:
        draw_examples(job, ["full", *p.views[1:], *p.covers])
    for row in found["tests"]:
        print(f"{row['verdict']}: {row['test']}: {row['figure']['value']:.3f} {row['sentence']}")


def numbers(found):
    """JSON's null as NaN, which compares with nothing."""
    if isinstance(found, dict):
        return {name: numbers(value) for name, value in found.items()}
    return np.nan if found is None else found


def effect(changed, full, photos, fits, coefficients, draws):
    """What the changed photos' codes do to the folds' models."""

    def change(ids):
        return patient_codes(changed, photos, ids) - patient_codes(full, photos, ids)

    return controls.changed(fits, coefficients, change, draws)


def swapped(job, fits, coefficients) -> dict | None:
    """Variance shares of the risks of composed photos, in SD of each fold's risk; None where no
    fold has a model and two patients."""
    items, store = read_manifests(job.input.swapped), Store(job.params.store)
    models = {f.fold: (f, b) for f, b in zip(fits, coefficients, strict=True) if f.repeat == 1}
    risks = []
    for number, block in enumerate(json.loads(Path(job.input.blocks).read_text(encoding="utf-8"))):
        fit, beta = models[block["fold"]]
        if beta is None:
            continue
        places = range(len(block["patients"]))
        keys = [items[f"{number}-{i}-{j}"]["key"] for i in places for j in places]
        codes = np.stack([store.load("latents", key)["codes"].ravel() for key in keys])
        risk = codes.astype(float) @ beta / controls.spread(fit)
        risks.append(risk.reshape(len(places), len(places)))
    return swap.variance_shares(np.stack(risks), job.params.seed) if risks else None


def draw_examples(job, views) -> None:
    """A row of photos as they are, then the same as each view shows them; last a swap's blocks."""
    store, rows = Store(job.params.store), []
    manifests = {
        view: read_manifests(path for path in job.input.manifests if Path(path).parent.name == view)
        for view in views
    }
    usable = sorted(photo for photo, item in manifests["full"].items() if not item["reason"])
    for items in manifests.values():
        rows += [store.load("aligned", items[photo]["key"])["image"] for photo in usable[:EXAMPLES]]
    if job.input.composed:
        composed = sorted(read_manifests(job.input.composed).items())[: 2 * EXAMPLES]
        rows += [store.load("aligned", item["key"])["image"] for _, item in composed]
    grid(np.stack(rows), min(EXAMPLES, len(usable))).save(job.output.examples)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
