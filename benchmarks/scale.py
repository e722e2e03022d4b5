"""Time and memory of planning a run, for cohorts of up to 100,000 photos.

Only sheets and empty photo files are written: what is measured is what Snakemake does before the
first job. For a run with nothing to do, outputs are created by --touch; then each kind of change is
planned, and the jobs that are due are counted.

    python benchmarks/scale.py 1000 10000 100000
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from changes import add_photo, change_model, change_outcome, change_script, remove_patient
from launch import copy_code, job_stats

PHOTOS_PER_SHARD = 1000
CHANGES = [add_photo, change_outcome, remove_patient, change_model, change_script]


def write_cohort(folder: Path, photos: int) -> None:
    """A photo a patient."""
    (folder / "photos").mkdir()
    rows, patients = ["photo_id,patient_id,path"], ["patient_id,time,event"]
    for i in range(photos):
        (folder / "photos" / f"{i}.jpg").touch()
        rows.append(f"{i:03d},{i:03d},{i}.jpg")
        patients.append(f"{i:03d},{1 + i % 97}.5,{i % 3 % 2}")
    (folder / "photos.csv").write_text("\n".join(rows) + "\n")
    (folder / "patients.csv").write_text("\n".join(patients) + "\n")


def write_config(folder: Path, photos: int) -> None:
    cohort = {"photos": "photos.csv", "patients": "patients.csv", "folder": "photos"}
    cohort |= {"time": "time", "event": "event", "clinical": [], "demo": None}
    cohort["shards"] = max(4, photos // PHOTOS_PER_SHARD)
    (folder / "scale.yaml").write_text(yaml.safe_dump({"cohort": cohort, "survival": {}}))


def run(folder: Path, *arguments) -> dict[str, float]:
    """Wall and CPU seconds, and peak resident memory in MB, of one run of Snakemake."""
    command = [sys.executable, "-m", "snakemake", "--configfile=scale.yaml", "--cores=2"]
    start = time.monotonic()
    with open(folder / "out.txt", "w") as out:
        process = subprocess.Popen([*command, *arguments], cwd=folder, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((folder / "out.txt").read_text())
    return {
        "seconds": round(time.monotonic() - start, 1),
        "cpu": round(usage.ru_utime + usage.ru_stime, 1),
        "megabytes": round(usage.ru_maxrss / 1024),
    }


def plan(folder: Path) -> dict:
    """The same of a dry run, and how many jobs of which rule are due."""
    cost = run(folder, "--dry-run")
    return cost | {"jobs": job_stats((folder / "out.txt").read_text())}


def outputs(folder: Path) -> list[Path]:
    """Every file that the run would write."""
    run(folder, "--detailed-summary", "--dry-run")
    lines = (folder / "out.txt").read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    return [folder / line.split("\t")[0] for line in lines[head + 1 :] if "\t" in line]


def benchmark(photos: int):
    """Name and measurements of each step."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        copy_code(folder)
        write_cohort(folder, photos)
        write_config(folder, photos)
        yield "first run", plan(folder)
        for target in outputs(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        run(folder, "--touch", "--forceall")
        yield "nothing to do", run(folder)
        if "Nothing to be done" not in (folder / "out.txt").read_text():
            raise SystemExit("the run that should do nothing did something")
        for change in CHANGES:
            change(folder)
            yield change.__name__, plan(folder)
            run(folder, "--touch")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=int, nargs="+")
    for photos in parser.parse_args().photos:
        for name, measured in benchmark(photos):
            print(json.dumps({"photos": photos, "what": name} | measured), flush=True)


if __name__ == "__main__":
    main()
