"""The teacher of human faces in PyTorch beside OpenVINO, on the same codes, in one run.

    pip install openvino==2026.4.1     # not one of the project's own packages
    snakemake --cores 1 fetch_teacher
    python benchmarks/teacher.py

Prints the largest difference of codes w and of pictures (in [-1, 1]), and seconds per face.
"""

import sys
import time
from pathlib import Path

import numpy as np
import openvino
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from facies.generator.teacher import Teacher

FOLDER = Path(__file__).parents[1] / "resources" / "teacher"
FACES = 4


def reference(name: str, x: np.ndarray) -> tuple[np.ndarray, float]:
    """What OpenVINO computes in single precision, and its seconds."""
    core = openvino.Core()
    network = core.read_model(FOLDER / f"{name}.xml")
    network.reshape(x.shape)
    network = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    network(x)
    start = time.perf_counter()
    return next(iter(network(x).values())), time.perf_counter() - start


@torch.inference_mode()
def main():
    z = np.random.default_rng(0).normal(size=(FACES, 512)).astype(np.float32)
    teacher = Teacher(FOLDER)
    codes, _ = reference("MappingNetwork", z)
    faces, seconds = reference("SynthesisNetwork", codes)
    ours = teacher.mapping(torch.from_numpy(z)).numpy()
    teacher.synthesis(torch.from_numpy(codes[:1]))
    start = time.perf_counter()
    pictures = teacher.synthesis(torch.from_numpy(codes)).numpy()
    own_seconds = time.perf_counter() - start
    print(f"codes differ by {np.abs(ours - codes).max():.1e} at most")
    print(f"pictures differ by {np.abs(pictures - faces).max():.1e} at most")
    print(f"OpenVINO {seconds / FACES:.2f} s a face, PyTorch {own_seconds / FACES:.2f} s")
    print(f"ratio {own_seconds / seconds:.1f}")


if __name__ == "__main__":
    main()
