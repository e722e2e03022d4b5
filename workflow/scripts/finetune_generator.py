"""Tune the pretrained generator on the cohort's aligned photos, unless the store has it tuned."""

import shutil
from pathlib import Path

import numpy as np
import torch

from facies.common.errors import InputError
from facies.common.files import read_table
from facies.common.jobs import run_job
from facies.common.store import digest, file_digest
from facies.generator.training import TrainingSettings
from facies.generator.tuning import Tuning, tune_into


def settings_of(params) -> tuple[TrainingSettings, float]:
    """How a pretrained generator learns on, and for how many thousand photos."""
    chosen = dict(params.settings)
    kimg = chosen.pop("kimg")
    return TrainingSettings(ema_rampup=None, ada_kimg=100, **chosen), kimg


def unseen_photos(job) -> list[str]:
    """Photos of the test patients of the generator's fold in the first repeat, if it has one."""
    if not job.input.folds:
        return []
    folds = read_table(job.input.folds)
    number = int(job.wildcards.generator.removeprefix("fold-"))
    tested = folds.patient_id[(folds.repeat == 1) & (folds.fold == number)]
    with np.load(job.input.photos, allow_pickle=False) as file:
        return sorted(file["photo_ids"][np.isin(file["patient_ids"], tested)].tolist())


def main(job):
    torch.set_num_threads(job.threads)
    p = job.params
    settings, kimg = settings_of(p)
    inputs = [file_digest(job.input.pretrained), file_digest(job.input.perception)]
    # A generator is kept for who is tested, so that none that saw a patient serves his or her fold.
    unseen = unseen_photos(job)
    key = digest(*inputs, p.settings, p.seed, p.tuned_for, unseen, p.code)
    kept = Path(p.store, "generator", key)
    if kept.is_dir():
        print("tuned before, on the photos of that day; generator.generation asks for a new one")
    else:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        processes = max(1, min(torch.cuda.device_count(), p.gpus))
        # A run that was killed goes on, but only on the very photos that it began with.
        state = kept.with_name(f"{key}-{file_digest(job.input.photos)[:16]}.state")
        try:
            pieces = settings.pieces(p.at_once, processes)
        except ValueError as error:
            raise InputError(f"generator.batch: {error}") from None
        paths = map(Path, (job.input.pretrained, job.input.photos, job.input.perception))
        run = Tuning(*paths, settings, kimg, p.seed, pieces, state, tuple(unseen))
        tune_into(kept, run, processes)
    for path in job.output:
        shutil.copyfile(kept / Path(path).name, path)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
