"""Draw one part of the pairs that a student learns from: codes, and the teacher's faces."""

from pathlib import Path

import numpy as np
import torch

from facies.common.jobs import run_job
from facies.common.rows import save_rows
from facies.generator.checkpoints import best_device
from facies.generator.teacher import Teacher


def main(job):
    p, device = job.params, best_device()
    teacher = Teacher(Path(job.input[0]).parent).to(device)
    w = teacher.codes(p.faces, seed=int(job.wildcards.part)).to(device)
    faces = teacher.faces(w, p.resolution)
    save_rows(job.output.pairs, p.faces, w=w.cpu().numpy().astype(np.float32), images=faces)
    print(f"{p.faces} faces of {p.resolution} pixels on {device}; torch {torch.__version__}")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
