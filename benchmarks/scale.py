"""Seconds and memory of planning a run, for cohorts of up to 100,000 photos.

Writes sheets and small files that stand for photos, no pictures: what is measured is what Snakemake
does before the first job. For the run that has nothing to do, outputs are put there by --touch.

    python benchmarks/scale.py 1000 10000 100000
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PHOTOS_PER_SHARD = 1000


def write_cohort(folder: Path, photos: int) -> None:
    (folder / "photos").mkdir()
    rows, patients = ["photo_id,patient_id,path"], ["patient_id,time,event"]
    for i in range(photos):
        (folder / "photos" / f"{i}.jpg").touch()
        rows.append(f"{i:06d},{i // 2:06d},{i}.jpg")
        if i % 2 == 0:
            patients.append(f"{i // 2:06d},{1 + i % 97}.5,{i % 3 % 2}")
    (folder / "photos.csv").write_text("\n".join(rows) + "\n")
    (folder / "patients.csv").write_text("\n".join(patients) + "\n")


def write_config(folder: Path, photos: int) -> None:
    cohort = {"photos": "photos.csv", "patients": "patients.csv", "folder": "photos"}
    cohort |= {"time": "time", "event": "event", "clinical": [], "demo": None}
    cohort["shards"] = max(4, photos // PHOTOS_PER_SHARD)
    (folder / "scale.yaml").write_text(yaml.safe_dump({"cohort": cohort}))


def measure(folder: Path, *arguments) -> dict[str, float]:
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


def benchmark(photos: int) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("Snakefile", "rules", "workflow", "envs", "config", "profiles", "resources"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        write_cohort(folder, photos)
        write_config(folder, photos)
        result = {"photos": photos, "dry run": measure(folder, "--dry-run")}
        listed = [line.split() for line in (folder / "out.txt").read_text().splitlines()]
        result["jobs"] = max(int(words[1]) for words in listed if words[:1] == ["total"])
        for target in outputs(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        measure(folder, "--touch")
        result["nothing to do"] = measure(folder)
        if "Nothing to be done" not in (folder / "out.txt").read_text():
            raise SystemExit("the run that should do nothing did something")
        return result


def outputs(folder: Path) -> list[Path]:
    """Every file that the run would write."""
    measure(folder, "--detailed-summary", "--dry-run")
    lines = (folder / "out.txt").read_text().splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    return [folder / line.split("\t")[0] for line in lines[head + 1 :] if "\t" in line]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=int, nargs="+")
    for photos in parser.parse_args().photos:
        print(json.dumps(benchmark(photos)), flush=True)


if __name__ == "__main__":
    main()
