"""What breaks on the way leaves no trace in the results."""

import os
import shutil
import signal
import subprocess
import sys
import time

from tiny import snakemake

SUMMARY = "results/evaluation/summary.json"
CODES = "results/latents/cohort/full.npz"


def kill_in_the_middle(folder):
    """Start a run, and end all of it without a warning once the first fit is there."""
    command = [sys.executable, "-m", "snakemake", "--cores=2", "--configfile=tiny.yaml"]
    with open(folder / "out.txt", "w") as out:
        run = subprocess.Popen(
            [*command, SUMMARY], cwd=folder, stdout=out, stderr=out, start_new_session=True
        )
        end = time.monotonic() + 120
        while run.poll() is None and time.monotonic() < end:
            if any((folder / "results/fits").rglob("*.npz")):
                break
            time.sleep(0.02)
        assert run.poll() is None, "the run ended before it could be killed"
        second = snakemake(folder, SUMMARY)  # while the first is at work
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    return second


def test_two_runs_a_kill_and_damaged_files_change_nothing(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before = {name: (copy / name).read_bytes() for name in (SUMMARY, CODES)}
    for name in ("latents", "fits", "evaluation"):
        shutil.rmtree(copy / "results" / name)
    # A disk that lost the end of one photo's codes, and a file that was half written.
    item = sorted((copy / "store/latents").rglob("*.npz"))[0]
    whole = item.read_bytes()
    item.write_bytes(whole[: len(whole) // 2])
    (item.parent / "tmphalf").write_bytes(whole[:100])

    second = kill_in_the_middle(copy)
    assert second.returncode != 0 and "LockException" in second.stdout + second.stderr
    locked = snakemake(copy, SUMMARY)
    assert locked.returncode != 0 and "--unlock" in locked.stdout + locked.stderr
    assert snakemake(copy, "--unlock").returncode == 0
    again = snakemake(copy, SUMMARY)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {name: (copy / name).read_bytes() for name in before} == before
