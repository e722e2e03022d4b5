"""Tell what precision the cohort can give and what the run will cost, before anything runs."""

from pathlib import Path

import numpy as np

from facies.common.files import read_table, write_json
from facies.common.jobs import run_job
from facies.planning import costs, precision
from facies.statistics.intervals import TOO_WIDE
from facies.statistics.outcome import Outcome
from facies.survival.designs import ClinicalDesign


def main(job):
    config = job.params.config
    patients, photos = read_table(job.input.patients), read_table(job.input.photos)
    outcome, everybody = Outcome.of(patients), np.arange(len(patients))
    clinical = config["cohort"]["clinical"]
    columns = (
        ClinicalDesign(patients[clinical]).split(everybody, everybody).x.shape[1] if clinical else 0
    )
    settings = {name: config["survival"][name] for name in ("folds", "repeats")}
    settings |= {"seed": config["seed"], "time_unit": config["cohort"]["time_unit"]}
    plan = precision.precision(outcome, columns, settings)
    size = Path(config["generator"]["pretrained"]).stat().st_size
    plan["costs"] = costs.estimate(len(photos), len(patients), size, config)
    write_json(job.output.plan, plan)
    text = words(plan, settings)
    Path(job.output.text).write_text(text, encoding="utf-8")
    print(text)


def words(plan: dict, settings: dict) -> str:
    """The plan as Markdown."""
    unit = settings["time_unit"]
    lines = [
        "# Plan",
        "",
        f"{plan['patients']} patients, {plan['events']} events, "
        f"{settings['repeats']} x {settings['folds']} folds.",
        "",
        "## Precision",
        "",
        "| if C is | width of its 95 % interval | parameters supported "
        "| events needed per parameter "
        f"| shrinkage of the clinical model ({plan['clinical_parameters']} parameters) |",
        "|---|---|---|---|---|",
    ]
    for row in plan["rows"]:
        lines.append(
            f"| {row['c_index']:.1f} | {row['width']:.3f} | {row['most_parameters']:.0f} "
            f"(shrinkage {row['shrinkage_needed']:.2f}) | {row['events_per_parameter']:.0f} "
            f"| {row['clinical_shrinkage']:.2f} |"
        )
    margin = plan["risk_margin"]
    lines += [
        "",
        "C is Harrell's, as it shows where as many are censored as here. The width is that of the",
        f"report's primary interval; one wider than {TOO_WIDE} cannot tell a weak model from a",
        "good one. Parameters: the effective ones after the penalty; a model",
        "that needs more will overfit (Riley et al. 2019, criteria 1",
        f"and 2; shrinkage should be {precision.SHRINKAGE} or more). Criterion 3: the overall",
        f"risk at {plan['horizon']:.3g} {unit} will be known to ± {margin:.3f} "
        f"({'enough' if margin <= precision.OPTIMISM else 'not enough'}: ± {precision.OPTIMISM}).",
        "",
        "## Cost, estimated",
        "",
        "| step | hours of one core | or hours of one GPU |",
        "|---|---|---|",
    ]
    for row in plan["costs"]:
        gpu = "–" if row["gpu_hours"] is None else f"{row['gpu_hours']:.2f}"
        lines.append(f"| {row['step']} | {row['core_hours']:.2f} | {gpu} |")
    lines += ["", "Within a factor of two or three; work already in the store costs nothing."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_job(main, snakemake)  # noqa: F821
