"""A run's results as one page of HTML that needs no network and names no patient."""

from pathlib import Path

import jinja2
import pandas as pd

from facies.report.sections import SECTIONS, Run
from facies.statistics.intervals import TOO_WIDE


def build(data: dict, config: dict, benchmarks: str | Path, template: Path) -> str:
    """Render the page.

    `data` holds summary, measures, curves, permutation, quality, reliance (from JSON), table, gate
    and log (data frames), aligned, latents and closest (dicts of arrays), direction, edits and
    attribution (from JSON), and paths of pictures: before, samples, strip, walks, moving, maps,
    and of patients where they may be shown: examples, edited, edited_moving, mapped.
    """
    run, summary = Run(data, config, benchmarks), data["summary"]
    scores = run.of_cohort(summary["scores"])
    page = {
        "config": config,
        "summary": summary,
        **{name: summary.get(name) for name in ("true_model", "probe", "leakage")},
        "headline": {f: score_of(scores, f, run.model) for f in config["survival"]["features"]},
        "model": run.model,
        "too_wide": TOO_WIDE,
        "measures": data["measures"] | {"models": run.details},
    }
    for section in SECTIONS:
        page |= section.content(run)
    page["sections"] = [section for section in SECTIONS if section.shown(page)]
    return templates(template.parent).get_template(template.name).render(**page)


def score_of(scores: list[dict], features: str, model: str) -> dict | None:
    """The row of one model and set of features; None if there is none."""
    return next((r for r in scores if (r["features"], r["model"]) == (features, model)), None)


def p_text(p: float | None) -> str:
    """A p value as it is printed."""
    if pd.isna(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def templates(folder: str | Path) -> jinja2.Environment:
    """The page's templates: ``| n`` writes a number, ``| p`` a p-value."""
    loader = jinja2.FileSystemLoader(folder)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["n"] = lambda x, digits=3: "–" if pd.isna(x) else f"{x:.{digits}f}"
    environment.filters["p"] = p_text
    return environment
