"""Run a copy of NVIDIA's `stylegan2-ada-pytorch` with a recent PyTorch, for comparison."""

import sys
from pathlib import Path

import torch


def open_reference(folder: Path) -> None:
    """Make the reference's packages importable, and on a GPU build its kernels once.

    It looks for its compiled kernels in ``sys.modules``, where a recent pybind11 does not enter
    them, and would build them at each call.
    """
    sys.path.insert(0, str(folder))
    if not torch.cuda.is_available():
        return
    from torch.utils import cpp_extension
    from torch_utils.ops import bias_act, upfirdn2d

    load = cpp_extension.load

    def enter(name, **options):
        sys.modules[name] = load(name=name, **options)

    cpp_extension.load = enter
    for part in (bias_act, upfirdn2d):
        print(f"{part.__name__}: CUDA kernels {'built' if part._init() else 'FAILED, slow path'}")
        part._inited = True
