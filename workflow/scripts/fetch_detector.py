"""Take three Apache-2.0 models out of MediaPipe's wheel, checked by their digests.

MediaPipe itself is never installed: it pins other versions of what the workflow needs.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from facies.errors import InputError
from facies.jobs import run_job
from facies.store import file_digest

WHEEL = "mediapipe==0.10.21"
WHEEL_DIGEST = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
DIGESTS = {
    "face_detection/face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "face_landmark/face_landmark.tflite": (
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
    ),
    "selfie_segmentation/selfie_segmentation.tflite": (
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
    ),
}


def download(folder: str) -> Path:
    """The wheel for one fixed platform, whatever this machine is: only data are taken from it."""
    platform = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    options = ["--quiet", "--no-deps", "--only-binary=:all:", *platform, "--dest", folder]
    command = [sys.executable, "-m", "pip", "download", WHEEL, *options]
    if subprocess.run(command, check=False).returncode:
        raise InputError(
            f"the face detector could not be downloaded ({WHEEL}); run this step where there is "
            "a network, or copy resources/detector from a machine that has it"
        )
    return next(Path(folder).glob("*.whl"))


def checked(path: Path, expected: str) -> Path:
    if file_digest(path) != expected:
        raise InputError(f"{path.name} is not the published file (wrong SHA-256); fetch it again")
    return path


def main(job):
    target = Path(job.output[0]).parent
    with tempfile.TemporaryDirectory() as folder:
        wheel = checked(download(folder), WHEEL_DIGEST)
        with zipfile.ZipFile(wheel) as archive:
            for member, expected in DIGESTS.items():
                path = target / Path(member).name
                path.write_bytes(archive.read(f"mediapipe/modules/{member}"))
                checked(path, expected)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
