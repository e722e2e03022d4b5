"""What breaks on the way leaves no trace in the results."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from faults import EVERYTHING, TARGETS, files, go_abroad, leave_no_trace, unasked
from tiny import planned, snakemake, write_config

CODES = "results/latents/cohort/full.npz"
FITS = [f"results/fits/cohort/full/{kind}/coxph/1-1.npz" for kind in ("clinical", "face")]


def kill_in_the_middle(folder):
    """Start a run, and end all of it without a warning once the first fit is there."""
    command = [sys.executable, "-m", "snakemake", "--cores=2", "--configfile=tiny.yaml"]
    with open(folder / "out.txt", "w") as out:
        run = subprocess.Popen(
            [*command, CODES, *FITS], cwd=folder, stdout=out, stderr=out, start_new_session=True
        )
        end = time.monotonic() + 120
        while run.poll() is None and time.monotonic() < end:
            if any((folder / "results/fits").rglob("*.npz")):
                break
            time.sleep(0.02)
        assert run.poll() is None, "the run ended before it could be killed"
        second = snakemake(folder, *FITS)  # while the first is at work
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    return second


def test_two_runs_a_kill_and_damaged_files_change_nothing(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before = {name: (copy / name).read_bytes() for name in (CODES, *FITS)}
    for name in ("latents", "fits"):
        shutil.rmtree(copy / "results" / name)
    # A disk that lost the end of one photo's codes, and a file that was half written.
    item = sorted((copy / "store/latents").rglob("*.npz"))[0]
    whole = item.read_bytes()
    item.write_bytes(whole[: len(whole) // 2])
    (item.parent / "tmphalf").write_bytes(whole[:100])

    second = kill_in_the_middle(copy)
    assert second.returncode != 0 and "LockException" in second.stdout + second.stderr
    locked = snakemake(copy, *FITS)
    assert locked.returncode != 0 and "--unlock" in locked.stdout + locked.stderr
    assert snakemake(copy, "--unlock").returncode == 0
    again = snakemake(copy, CODES, *FITS)
    assert again.returncode == 0, again.stdout + again.stderr
    assert {name: (copy / name).read_bytes() for name in before} == before


def test_a_fault_in_any_stage_leaves_no_trace(home, tmp_path):
    """One rule in three is killed with all that runs, the others find the disk full. With THOROUGH
    in the environment both happen in every rule, and there are more rules; it takes minutes."""
    thorough = "THOROUGH" in os.environ
    copy = shutil.copytree(home, tmp_path / "copy")
    if thorough:
        write_config(copy, **EVERYTHING)
        assert snakemake(copy, "bundle").returncode == 0
    go_abroad(copy)
    assert not unasked(copy)
    leave_no_trace(copy, thorough)
    assert "Nothing to be done" in snakemake(copy, *TARGETS, "--rerun-triggers=mtime").stderr


def mount(folder, options):
    """A small disk at ``folder``, or a skipped test where nobody may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("no file system can be mounted here: not root, or in a closed container")


def test_full_and_closed_disks_say_so_and_change_nothing(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    target = "results/aligned/full.npz"
    before = files(copy)
    shutil.rmtree(copy / "results")
    (copy / "results").mkdir()
    mount(copy / "results", "size=140k")
    try:
        full = snakemake(copy, target)
        assert full.returncode != 0
        assert "merge_aligned: the disk is full; free some space" in full.stdout + full.stderr
        mount(copy / "results", "remount,size=40m,ro")
        closed = snakemake(copy, target)
        assert closed.returncode != 0
        assert "Read-only file system" in closed.stdout + closed.stderr
        mount(copy / "results", "remount,rw")
        again = snakemake(copy, target)
        assert again.returncode == 0, again.stdout + again.stderr
        after = files(copy)
        assert target.removeprefix("results/") in after
        assert after == {name: before[name] for name in after}
    finally:
        subprocess.run(["umount", copy / "results"], check=True)


def test_a_result_changed_by_other_hands_is_told_and_made_again(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before = files(copy)
    table, codes = (copy / "results" / name for name in ("folds.csv", "latents/cohort/full.npz"))
    table.write_text(table.read_text().replace(",1\n", ",2\n"))
    codes.write_bytes(codes.read_bytes()[:-1] + b"\x01")
    fit = "results/fits/cohort/full/face/coxph/1-1.npz"
    told = snakemake(copy, fit)
    words = f"fit_model: results/folds.csv, {CODES}: not what the workflow wrote"
    assert words in told.stdout + told.stderr
    assert told.returncode != 0 and "Traceback" not in told.stdout + told.stderr
    table.unlink()
    codes.unlink()
    again = snakemake(copy, "results/folds.csv", CODES, fit)  # all asks for all three
    assert again.returncode == 0, again.stdout + again.stderr
    assert files(copy) == before


def test_clocks_that_jump_hide_no_change(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before, target = files(copy), "results/aligned/full.npz"
    for path in (copy / "results").rglob("*"):
        os.utime(path, (0, 0))
    assert planned(copy, target)["merge_aligned"] == 1  # older than the code that made it
    assert snakemake(copy, target).returncode == 0
    assert files(copy) == before
    for name in ("patients.csv", "start.safetensors"):
        (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
        os.utime(copy / name, (0, 0))
    assert {"check_cohort", "import_generator"} <= set(planned(copy))
    late = time.time() + 86400
    os.utime(copy / "results/folds.csv", (late, late))
    refused = snakemake(copy)
    assert refused.returncode != 0
    assert "results/folds.csv is from the future" in refused.stdout + refused.stderr
    os.utime(copy / "results/folds.csv")
    assert snakemake(copy, "--dry-run").returncode == 0
