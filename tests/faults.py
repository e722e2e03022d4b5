"""What breaks a run, and how two folders of results are compared."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Python imports a module of this name by itself where PYTHONPATH leads to it. In the script of each
# rule, as it opens its first file to write, it leaves half a file there; then the disk is full, or
# the whole run is killed without a warning. Each fault of FAULTS ("rule-fault") strikes once.
STRIKE = """
import errno, os, re, signal, sys

FAULTS = os.environ.get("FAULTS", "").split()
RULE = re.search(r"[.]snakemake/scripts/tmp[^.]*[.](\\w+)[.]py$", sys.orig_argv[-1])


def strike(event, arguments):
    if event != "open" or struck or not isinstance(arguments[2], int):
        return
    path = os.path.relpath(os.fsdecode(arguments[0])) if not isinstance(arguments[0], int) else ""
    writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
    ours = re.match("(results/(?!logs|benchmarks)|store/)", path)
    if not writes or not ours or os.path.isdir(path):
        return
    own = [fault for fault in FAULTS if fault.startswith(RULE[1] + "-")]
    fault = next((fault for fault in own if not os.path.exists("struck/" + fault)), None)
    struck.append(fault)
    if fault is None:
        return
    mark = "struck/" + fault
    for name in (path, mark):
        with open(name, "w") as file:
            file.write("half")
    if fault.endswith("kill"):
        os.killpg(0, signal.SIGKILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


struck = []
if RULE:
    sys.addaudithook(strike)
"""


def files(folder: Path) -> dict[str, bytes]:
    """Results by name, but for what tells of the run itself: logs, times, notes, the report."""
    found = {}
    for path in sorted((folder / "results").rglob("*")):
        name = str(path.relative_to(folder / "results"))
        own = name.startswith(("logs", "benchmarks", "report.html")) or path.name.startswith(".")
        if path.is_file() and not own:
            found[name] = path.read_bytes()
    return found


def spoil(folder: Path) -> None:
    """Make every result stale: empty, and noted as made under other settings."""
    for name in files(folder):
        (folder / "results" / name).write_bytes(b"stale")
    for path in (folder / ".snakemake/metadata").iterdir():
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"params": ["'other'"]}))
    for kind in ("aligned", "latents"):  # the generator may stay: its tuning has tests of its own
        shutil.rmtree(folder / "store" / kind)


def run_until_done(folder: Path, faults: list[str], *targets) -> list[int]:
    """Run again after each strike, as a user would, and unlock after a kill; what runs returned."""
    (folder / "strike").mkdir()
    (folder / "struck").mkdir()
    (folder / "strike/sitecustomize.py").write_text(STRIKE)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "FAULTS": " ".join(faults)}
    environment["PYTHONPATH"] = str(folder / "strike")
    command = [sys.executable, "-m", "snakemake", *targets, "--cores=2", "--configfile=tiny.yaml"]
    returned = []
    while not returned or returned[-1]:
        run = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        # What `snakemake --unlock` does.
        shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)
        returned.append(run.returncode)
        assert len(returned) <= len(faults) + 1, run.stdout + run.stderr
    return returned
