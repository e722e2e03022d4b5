"""The tiny cohort on a real SLURM cluster of two nodes, and jobs that were given too little."""

import re
import shutil
import subprocess
import sys

import cluster
import pytest
from tiny import ROOT, copy_workflow

QUICK = [
    "--seconds-between-status-checks=2",
    "--slurm-init-seconds-before-status-checks=2",
    "--slurm-status-command=squeue",
    "--slurm-no-account",
    "--latency-wait=10",
    "--jobs=8",
]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    if reason := cluster.missing():
        pytest.skip(reason)
    with cluster.slurm(tmp_path_factory.mktemp("slurm") / "cluster") as environment:
        yield environment


def submit(folder, environment, *arguments):
    command = [sys.executable, "-m", "snakemake", "--workflow-profile=profiles/slurm", *QUICK]
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def blocks() -> dict[str, str]:
    """The text of each rule with a script; others only name what they ask for."""
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    found = re.split(r"^(?=(?:use )?rule )", text, flags=re.MULTILINE)
    return {block.split()[1].rstrip(":"): block for block in found if "\n    script:" in block}


def test_every_rule_declares_memory_and_time_that_grow_with_each_attempt():
    for name, block in blocks().items():
        assert re.search(r"mem_mb=by_(attempt|input_size)\(\d+", block), name
        assert re.search(r"runtime=by_attempt\(\d+\)", block), name


def test_every_script_that_looks_for_a_gpu_is_given_one():
    scripts = {path.stem: path.read_text() for path in (ROOT / "workflow/scripts").glob("*.py")}
    look = {name for name, text in scripts.items() if re.search("best_device|cuda", text)}
    assert look == {name for name, block in blocks().items() if re.search(r"\bgpu=", block)}


def test_the_cluster_gives_the_workstations_results(road, nodes, tmp_path):
    copy_workflow(tmp_path)
    target = "results/evaluation/summary.json"
    run = submit(tmp_path, nodes, target, "--configfile=tiny.yaml")
    assert run.returncode == 0, run.stdout + run.stderr
    for name in (target, "results/latents/cohort/full.npz"):
        assert (tmp_path / name).read_bytes() == (road / name).read_bytes()
    command = ["scontrol", "--oneliner", "show", "jobs"]
    jobs = subprocess.run(command, env=nodes, capture_output=True, text=True, check=True).stdout
    jobs = [dict(word.partition("=")[::2] for word in job.split()) for job in jobs.splitlines()]
    assert len(jobs) == 20 and {job["JobState"] for job in jobs} == {"COMPLETED"}
    # Two shards to project and one tuning, each on the node with the GPU.
    with_gpu = [job for job in jobs if "gpu:1" in job.get("TresPerJob", "")]
    assert [(job["Partition"], job["NodeList"]) for job in with_gpu] == [("gpu", "n1")] * 3


TOY = """
rule hungry:
    output:
        "fed",
    log:
        "hungry.log",
    resources:
        mem_mb=lambda wildcards, attempt: 300 * attempt,
        runtime=5,
    shell:
        "{sys.executable} -c 'import time; x = bytearray(400 << 20); time.sleep(6)' && touch fed"
"""


SMALL = """
rule all:
    input:
        expand("{i}.done", i=range(8)),


rule small:
    output:
        "{i}.done",
    log:
        "{i}.log",
    resources:
        mem_mb=300,
        runtime=5,
    shell:
        "echo $SLURM_JOB_ID > {output}"
"""


def write_toy(folder, text):
    """A workflow of one rule under the profile."""
    (folder / "Snakefile").write_text(text)
    shutil.copytree(ROOT / "profiles/slurm", folder / "profiles/slurm")


def test_small_jobs_share_a_job_of_the_cluster(nodes, tmp_path):
    write_toy(tmp_path, SMALL)
    run = submit(tmp_path, nodes, "--groups", "small=some", "--group-components", "some=4")
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = [path.read_text() for path in tmp_path.glob("*.done")]
    assert len(jobs) == 8 and len(set(jobs)) == 2


def test_a_job_killed_for_its_memory_gets_more(nodes, tmp_path):
    write_toy(tmp_path, TOY.replace("{sys.executable}", sys.executable))
    run = submit(tmp_path, nodes)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "fed").exists()
    assert re.search("OUT_OF_MEMORY|FAILED|out of memory", run.stdout + run.stderr)
    assert "Trying to restart job 0" in run.stdout + run.stderr or "attempt" in run.stderr
