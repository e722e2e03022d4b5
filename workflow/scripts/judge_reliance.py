"""Compare views, covers, swapped backgrounds, nuisances and edits with rules fixed in advance."""

from pathlib import Path

import numpy as np

from facies.common.files import read_json, read_table, write_json
from facies.common.jobs import run_job
from facies.common.store import Store, read_manifests
from facies.reliance import controls, covers, swap, verdict
from facies.reliance.examples import example_sheet
from facies.statistics import bootstrap
from facies.survival.fits import FoldFit


def with_nan(value):
    """JSON's null as NaN, which is not equal, above or below any number."""
    if isinstance(value, dict):
        return {name: with_nan(item) for name, item in value.items()}
    return np.nan if value is None else value


def read_swapped(job, store: Store, models) -> dict | None:
    """Variance shares of the risks of composed photos; None where there are none."""
    if not job.input.blocks:
        return None
    items = read_manifests(job.input.swapped)
    blocks = read_json(job.input.blocks)

    def codes(name):
        return store.load("latents", items[name]["key"])["codes"].ravel()

    first = [(fit, beta) for fit, beta in models if fit.repeat == 1]
    risks = swap.block_risks(blocks, codes, first)
    return None if risks is None else swap.variance_shares(risks, job.params.seed)


def main(job):
    p, store = job.params, Store(job.params.store)
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    folds = read_table(job.input.folds)
    first = folds[folds.repeat == 1]
    draws = bootstrap.draw_patients(first.patient_id, first.fold.to_numpy(), p.seed)
    fits = [FoldFit.load(path, patients) for path in job.input.fits]
    models = [(fit, fit.coefficients) for fit in fits if fit.view == "full"]
    full = controls.read_latents(job.input.latents)
    covered = dict(zip(p.covers, map(controls.read_latents, job.input.covered), strict=True))
    measured = {
        "views": controls.c_by_view(fits, p.views),
        "covers": covers.cover_rows(p.regions, covered, full, photos, models, draws),
        "swap": read_swapped(job, store, models),
        "nuisance": with_nan(read_json(job.input.nuisance)),
        "layers": read_json(job.input.layers),
        "edits": read_json(job.input.edits),
    }
    rows = verdict.judge(measured)
    write_json(job.output.reliance, measured | {"tests": rows, "verdict": verdict.overall(rows)})
    if p.show:
        of = {path: Path(path).parent.name for path in map(str, job.input.manifests)}
        views = {
            view: read_manifests(path for path in of if of[path] == view)
            for view in (*p.views, *p.covers)
        }
        composed = read_manifests(job.input.composed)
        example_sheet(store, views, composed).save(job.output.examples)
    for row in rows:
        print(f"{row['verdict']}: {row['test']}: {row['figure']['value']:.3f} {row['sentence']}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
