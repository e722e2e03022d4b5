"""What breaks a run, and how two folders of results are compared.

The test breaks every rule of its cohort once. ``python tests/faults.py`` breaks every rule both
ways, in a run that has other views, covered and swapped photos, a gate and the discriminator's
features as well; it takes minutes.
"""

import json
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

import yaml
from tiny import SURVIVAL, copy_workflow, planned, snakemake, write_config

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

TARGETS = ("all", "bundle", "predict")
ABROAD = {"bundle": "bundle.safetensors", "photos": "photos.csv", "folder": "photos", "shards": 1}
ABROAD |= {"patients": "patients.csv", "time": "months", "event": "event"}
# The config of the tests does without these, to save their time.
EVERYTHING = {"views": ["full", "background"], "reliance": {"cover": ["face"], "swap": True}}
EVERYTHING["survival"] = SURVIVAL | {"features": ["face", "clinical", "fused", "discriminator"]}


def complete(folder: Path) -> None:
    """All that the workflow can make of the cohort in ``folder``, with predictions of the bundle
    for the same patients."""
    made = snakemake(folder, "all", "bundle")
    assert made.returncode == 0, made.stdout + made.stderr
    shutil.copy(folder / "results/bundle/bundle.safetensors", folder)
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config | {"predict": ABROAD}))
    made = snakemake(folder, *TARGETS)
    assert made.returncode == 0, made.stdout + made.stderr


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


def stages(folder: Path, *targets) -> list[str]:
    """Every rule that a run would call."""
    return sorted(set(planned(folder, *targets)) - {*TARGETS, "total"})


def unasked(folder: Path) -> set[str]:
    """Rules of which a job could fail and be forgotten: no target asks for its files."""
    dag = snakemake(folder, "--dag", *TARGETS).stdout
    jobs = dict(re.findall(r'(\d+)\[label = "(\w+)', dag))
    targets = {number for number, rule in jobs.items() if rule in TARGETS}
    asked = {job for job, reader in re.findall(r"(\d+) -> (\d+)", dag) if reader in targets}
    return {jobs[number] for number in set(jobs) - asked - targets} - {"fetch_detector"}


def run_until_done(folder: Path, faults: list[str], *targets) -> list[int]:
    """Run again after each strike, as a user would, and unlock after a kill; what runs returned."""
    (folder / "strike").mkdir()
    (folder / "struck").mkdir()
    (folder / "strike/sitecustomize.py").write_text(STRIKE)
    environment = {"PYTHONPATH": str(folder / "strike"), "FAULTS": " ".join(faults)}
    returned = []
    while not returned or returned[-1]:
        run = snakemake(folder, *targets, **environment)
        # What `snakemake --unlock` does.
        shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)
        returned.append(run.returncode)
        assert len(returned) <= len(faults) + 1, run.stdout + run.stderr
    return returned


def leave_no_trace(folder: Path, kinds) -> list[int]:
    """Make all stale, so that a failed job that looked up to date would be found out; strike every
    rule by the faults that ``kinds(number, rule)`` gives it; hold the end against the beginning."""
    before = files(folder)
    spoil(folder)
    faults = [
        f"{rule}-{kind}"
        for number, rule in enumerate(stages(folder, *TARGETS))
        for kind in kinds(number, rule)
    ]
    returned = run_until_done(folder, faults, *TARGETS)
    assert sorted(path.name for path in (folder / "struck").iterdir()) == sorted(faults)
    kills = sum(fault.endswith("kill") for fault in faults)
    assert returned.count(-signal.SIGKILL) == kills
    after = files(folder)
    assert {name: after[name] for name in before} == before
    return returned


def main():
    start = time.monotonic()
    folder = Path(tempfile.mkdtemp())
    copy_workflow(folder)
    write_config(folder, **EVERYTHING)
    complete(folder)
    print(f"undisturbed: {time.monotonic() - start:.0f} s")
    returned = leave_no_trace(folder, lambda number, rule: ("full", "kill"))
    struck = sorted({path.name.split("-")[0] for path in (folder / "struck").iterdir()})
    print(f"{len(struck)} rules, {len(returned)} runs, {time.monotonic() - start:.0f} s: {struck}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
