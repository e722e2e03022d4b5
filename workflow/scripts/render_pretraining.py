"""Render and align one part of the pretraining set: people who are not in the demo cohort."""

import numpy as np
from facies.alignment import AlignmentSettings, Unusable, align_photo
from facies.demo import pretraining_portraits
from facies.detection import FaceDetector

from facies.portraits import render


def main(job):
    detector = FaceDetector(job.params.detector)
    settings = AlignmentSettings(resolution=job.params.resolution)
    images = []
    for portrait in pretraining_portraits(job.params.count, seed=int(job.wildcards.part)):
        try:
            images.append(align_photo(render(portrait)[0], detector, settings).image)
        except Unusable as reason:
            print(f"left out: {reason}", flush=True)
    np.savez(job.output.photos, images=np.stack(images))


if __name__ == "__main__":
    main(snakemake)  # noqa: F821
