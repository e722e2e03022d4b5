"""The plan as Markdown."""

from facies.planning.precision import OPTIMISM, SHRINKAGE
from facies.statistics.intervals import TOO_WIDE


def plan_markdown(plan: dict, settings: dict) -> str:
    """The plan's text; ``settings`` has folds, repeats and time_unit."""
    unit, margin = settings["time_unit"], plan["risk_margin"]
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
    lines += [
        f"| {row['c_index']:.1f} | {row['width']:.3f} | {row['most_parameters']:.0f} "
        f"(shrinkage {row['shrinkage_needed']:.2f}) | {row['events_per_parameter']:.0f} "
        f"| {row['clinical_shrinkage']:.2f} |"
        for row in plan["rows"]
    ]
    lines += [
        "",
        "C is Harrell's, as it shows where as many are censored as here. The width is that of the",
        f"report's primary interval; one wider than {TOO_WIDE} cannot tell a weak model from a",
        "good one. Parameters: the effective ones after the penalty; a model",
        "that needs more will overfit (Riley et al. 2019, criteria 1",
        f"and 2; shrinkage should be {SHRINKAGE} or more). Criterion 3: the overall",
        f"risk at {plan['horizon']:.3g} {unit} will be known to ± {margin:.3f} "
        f"({'enough' if margin <= OPTIMISM else 'not enough'}: ± {OPTIMISM}).",
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
