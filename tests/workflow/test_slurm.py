"""The tiny cohort on a real SLURM cluster of two nodes, and jobs that were given too little."""

import re
import subprocess
import sys

import cluster
import pytest
import yaml
from tiny import ROOT, copy_workflow

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
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


LOCAL = {"fetch_detector"}
INHERITED = {"align_outside": "align_photos", "project_outside": "project_photos"}


def blocks() -> dict[str, str]:
    """The text of each rule with a script; others only name what they ask for."""
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    found = re.split(r"^(?=(?:use )?rule )", text, flags=re.MULTILINE)
    return {block.split()[1].rstrip(":"): block for block in found if "\n    script:" in block}


def test_profile_scales_what_the_rules_declare():
    rules, scaled = blocks(), PROFILE["set-resources"]
    assert set(scaled) == set(rules) - LOCAL | set(INHERITED)
    for name, resources in scaled.items():
        for key in ("mem_mb", "runtime"):
            amount = re.search(rf"{key}=(\d+)", rules[INHERITED.get(name, name)])[1]
            assert re.fullmatch(rf"(max\({amount}, .*\)|{amount}) \* attempt", resources[key])


def test_whoever_looks_for_a_gpu_is_sent_where_one_is():
    scripts = {path.stem: path.read_text() for path in (ROOT / "workflow/scripts").glob("*.py")}
    look = {name for name, text in scripts.items() if re.search("best_device|cuda", text)}
    assert look == {name for name, block in blocks().items() if re.search(r"\bgpu=", block)}
    sent = {n for n, own in PROFILE["set-resources"].items() if own.get("slurm_partition") == "gpu"}
    assert sent == look | {name for name, parent in INHERITED.items() if parent in look}


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
    """A workflow of one rule under the profile, whose resources are for other rules."""
    (folder / "Snakefile").write_text(text)
    (folder / "profiles/slurm").mkdir(parents=True)
    own = {name: value for name, value in PROFILE.items() if name != "set-resources"}
    (folder / "profiles/slurm/config.yaml").write_text(yaml.safe_dump(own))


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
