"""Render and crop one part of the pretraining set: people who are not in the demo cohort."""

import dataclasses

import numpy as np

from facies.common.jobs import run_job
from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render
from facies.photos.alignment import crop, ffhq_quad


def main(job):
    images, parameters = [], []
    for portrait in pretraining_portraits(int(job.wildcards.part), job.params.people):
        photo, _, points = render(portrait)
        quad = ffhq_quad(points["eyes"], points["mouth"])
        images.append(crop(photo, quad, job.params.resolution))
        parameters.append(dataclasses.astuple(portrait))
    np.savez(job.output.photos, images=np.stack(images), parameters=np.array(parameters))


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
