"""Extract MobileStyleGAN (Apache-2.0), the teacher of human faces, from a published wheel."""

from pathlib import Path

from facies.common.jobs import run_job
from facies.common.wheels import fetch
from facies.generator.teacher import FILES

WHEEL = "random-face==2021.7.21.1"
SHA256 = "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5"


def main(job):
    members = [f"random_face/data/{name}" for name in FILES]
    fetch(WHEEL, SHA256, members, Path(job.output[0]).parent, "the teacher of human faces")


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
