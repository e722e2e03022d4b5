"""What breaks a run, and how two folders of results are compared."""

import json
import re
import shutil
import signal
from pathlib import Path

import yaml
from tiny import SURVIVAL, planned, snakemake

# Python imports a module of this name by itself where PYTHONPATH leads to it. In the script of each
# rule, as it opens its first file to write, it leaves half a file there; then the disk is full, or
# the whole run is killed without a warning. Each fault of FAULTS ("rule-fault") strikes once.
STRIKE = """
import errno, os, re, signal, sys

FAULTS = os.environ.get("FAULTS", "").split()
SCRIPT = re.search(r"[.]snakemake/scripts/tmp[^.]*[.]\\w+[.]py$", sys.orig_argv[-1])
# Two rules may share a script, but no log.
RULE = SCRIPT and re.search(r"results/logs/(\\w+)", open(sys.orig_argv[-1]).read())


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
# More rules than in the tests' config, which does without them to save time.
EVERYTHING = {"controls": ["background"], "reliance": {"cover": ["face"], "swap": True}}
EVERYTHING["survival"] = SURVIVAL | {"features": ["face", "clinical", "fused", "discriminator"]}


def go_abroad(folder: Path) -> None:
    """Have the bundle in ``folder`` predict the patients it was made from, beside all the rest."""
    shutil.copy(folder / "results/bundle/bundle.safetensors", folder)
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config | {"predict": ABROAD}))
    made = snakemake(folder, "predict")
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


def unasked(folder: Path) -> set[str]:
    """Rules of which a job could fail and be forgotten: no target asks for its files."""
    dag = snakemake(folder, *TARGETS, "--dag", "dot").stdout
    jobs = dict(re.findall(r'(\d+)\[label = "(\w+)', dag))
    targets = {number for number, rule in jobs.items() if rule in TARGETS}
    edges = re.findall(r"(\d+) -> (\d+)", dag)
    assert {jobs[number] for number in targets} == set(TARGETS)
    # A target that is a job itself could look up to date.
    assert not [name for name in TARGETS if (folder / f"results/logs/{name}.log").exists()]
    asked = {job for job, reader in edges if reader in targets}
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


def leave_no_trace(folder: Path, thorough: bool) -> None:
    """Make all stale, so that a failed job that looked up to date would be found out; strike every
    rule once, or both ways if ``thorough``; hold the end against the beginning."""
    before = files(folder)
    spoil(folder)
    rules = sorted(set(planned(folder, *TARGETS)) - {*TARGETS, "total"})
    if thorough:
        faults = [f"{rule}-{kind}" for rule in rules for kind in ("full", "kill")]
    else:
        faults = [f"{rule}-{'kill' if i % 3 == 1 else 'full'}" for i, rule in enumerate(rules)]
    returned = run_until_done(folder, faults, *TARGETS)
    assert sorted(path.name for path in (folder / "struck").iterdir()) == sorted(faults)
    kills = sum(fault.endswith("kill") for fault in faults)
    assert returned.count(-signal.SIGKILL) == kills
    after = files(folder)
    assert {name: after[name] for name in before} == before
