import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Two tests run at a time: small steps on threads that others want as well take ten times as long.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items):
    """The cluster's tests first: they are the longest, and mostly wait."""
    items.sort(key=lambda item: item.path.name != "test_slurm.py")


@pytest.fixture(scope="session")
def road(tmp_path_factory):
    """A copy of the workflow that has run once on the tiny cohort."""
    from face_models import MISSING, REASON
    from tiny import copy_workflow, snakemake

    if MISSING:
        pytest.skip(REASON)
    folder = tmp_path_factory.mktemp("road")
    copy_workflow(folder)
    first = snakemake(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    return folder


@pytest.fixture(scope="session")
def home(road, tmp_path_factory):
    """The same with its bundle."""
    from tiny import snakemake

    folder = shutil.copytree(road, tmp_path_factory.mktemp("home") / "copy")
    run = snakemake(folder, "results/bundle/bundle.safetensors")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder
