"""Estimate the precision that the cohort can give and what the run will cost."""

from pathlib import Path

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.planning import costs, precision
from facies.planning.markdown import plan_markdown
from facies.statistics.outcome import Outcome
from facies.survival.designs import ClinicalDesign


def main(job):
    config = job.params.config
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    everybody, parameters = np.arange(len(patients)), 0
    if clinical := config["cohort"]["clinical"]:
        parameters = ClinicalDesign(patients[clinical]).split(everybody, everybody).x.shape[1]
    settings = {name: config["survival"][name] for name in ("folds", "repeats")}
    settings |= {"seed": config["seed"], "time_unit": config["cohort"]["time_unit"]}
    plan = precision.precision(Outcome.of(patients), parameters, settings)
    size = Path(config["generator"]["pretrained"]).stat().st_size
    plan["costs"] = costs.estimate(len(photos), len(patients), size, config)
    write_json(job.output.plan, plan)
    text = plan_markdown(plan, settings)
    Path(job.output.text).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
