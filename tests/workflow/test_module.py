"""Another workflow takes the whole of this one in as a module."""

import re
import shutil
import subprocess
import sys

from tiny import PATIENTS, ROOT, copy_workflow

OTHER = """
configfile: "{root}/config/config.yaml"
configfile: "tiny.yaml"


module facies:
    snakefile:
        "{root}/Snakefile"
    config:
        config


use rule * from facies as facies_*


rule count_patients:
    input:
        rules.facies_check_cohort.output.patients,
    output:
        "patients.txt",
    shell:
        "tail -n +2 {{input}} | wc -l > {{output}}"


rule everything:
    input:
        rules.facies_all.input,
"""


def test_another_workflow_runs_this_one(tmp_path):
    copy_workflow(tmp_path)
    (tmp_path / "Snakefile").write_text(OTHER.format(root=ROOT))
    for name in ("rules", "workflow", "config"):  # of the other workflow, not of this one
        shutil.rmtree(tmp_path / name)

    def snakemake(*arguments):
        command = [sys.executable, "-m", "snakemake", "--cores=1", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    run = snakemake("patients.txt")
    assert run.returncode == 0, run.stdout + run.stderr
    assert int((tmp_path / "patients.txt").read_text()) == PATIENTS - 1  # one has no outcome
    plan = snakemake("everything", "--dry-run")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert re.search(r"facies_fit_model +8\n", plan.stdout + plan.stderr)
    assert "facies_check_cohort" not in plan.stdout + plan.stderr
