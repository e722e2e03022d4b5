"""A copy of the workflow, and Snakemake in it as a command line starts it, but forked from a server
that has imported it already."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pandas", "snakemake.cli"])


def copy_code(folder):
    """The workflow without a cohort."""
    for name in ("Snakefile", "rules", "workflow", "envs", "config", "profiles", "resources"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)


def job_stats(text: str) -> dict[str, int]:
    """Jobs per rule, and their total, as Snakemake lists them in what it says of a run."""
    lines = text.split("Job stats:")[1].splitlines()[3:]
    rows = [line.split() for line in lines[: lines.index("")]]
    return {rule: int(count) for rule, count in rows}


def launch(folder, arguments, environment) -> subprocess.CompletedProcess:
    """Run in ``folder``, in a session of its own, with what is in ``environment`` added to ours."""
    with tempfile.TemporaryDirectory() as scratch:
        streams = [Path(scratch, name) for name in ("out", "err")]
        given = (str(folder), [str(a) for a in arguments], {**os.environ, **environment}, streams)
        process = CONTEXT.Process(target=_run, args=given)
        process.start()
        process.join()
        words = (path.read_text() for path in streams)
        return subprocess.CompletedProcess(arguments, process.exitcode, *words)


def _run(folder, arguments, environment, streams):
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    from snakemake.cli import main

    sys.argv = ["snakemake", *arguments]
    main(arguments)
