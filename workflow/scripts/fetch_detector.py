"""Extract three Apache-2.0 models from MediaPipe's wheel and check their digests.

MediaPipe itself is not installed: it pins other versions of the workflow's dependencies.
"""

from pathlib import Path

from facies.common.jobs import run_job
from facies.common.wheels import fetch
from facies.photos.detection import MODELS, published

WHEEL = "mediapipe==0.10.21"
SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
FOLDERS = ("face_detection", "face_landmark", "selfie_segmentation")


def main(job):
    members = [
        f"mediapipe/modules/{folder}/{name}.tflite"
        for folder, name in zip(FOLDERS, MODELS, strict=True)
    ]
    fetch(WHEEL, SHA256, members, Path(job.output[0]).parent, "the face detector")
    for path in job.output:
        published(Path(path))


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
