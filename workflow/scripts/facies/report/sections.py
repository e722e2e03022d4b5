"""The report's sections, in their order.

A section is a template, sections/{name}.html.jinja, and an entry of SECTIONS; its content is what
the template shows beside what `pages` gives to all. The contents of all sections share one space of
names.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from facies.common.rows import mean_picture
from facies.generator.pictures import MEAN_OF, grid
from facies.report import curves, figures, images, tripod
from facies.report.run import fit_costs, run_times, shareable, versions

QUALITY = {"face_size": "eyes to mouth, px", "roll": "roll, degrees", "crop_sharpness": "sharpness"}
FIDELITY = {
    "psnr": "PSNR, dB",
    "psnr_face": "PSNR in the face, dB",
    "ssim": "SSIM",
    "perceptual": "perceptual distance",
    "identity": "face distance",
    "landmark_drift": "drift of eyes and mouth",
    "score": "detection score",
}
NUISANCE = {
    "nuisance": "nuisance alone",
    "baseline": "nuisance and clinical data",
    "with_face": "nuisance, clinical data and face",
}
SHOWN = ("face", "clinical", "fused")


@dataclass(frozen=True)
class Run:
    """Results by name (``data``, see `pages.build`), settings, and where benchmark files are."""

    data: dict
    config: dict
    benchmarks: str | Path

    @property
    def model(self) -> str:
        """The model that the config names first: chosen before the results were seen."""
        return self.config["survival"]["models"][0]

    @property
    def unit(self) -> str:
        return self.config["cohort"]["time_unit"]

    @property
    def shows_patients(self) -> bool:
        """Whether faces of patients may be shown; the demo's are nobody's."""
        return self.config["report"]["patient_photos"] or self.config["cohort"]["demo"] is not None

    @property
    def shows_mean(self) -> bool:
        """Whether the mean face may be shown: that of a few people would resemble each of them, and
        a patient may have many photos."""
        return self.shows_patients or len(np.unique(self.data["aligned"]["patient_ids"])) >= MEAN_OF

    def of_cohort(self, rows: list[dict]) -> list[dict]:
        """Rows by the cohort's generator; those by the folds' own are shown as differences only
        (summary.leakage)."""
        return [row for row in rows if row["generator"] == "cohort"]

    @cached_property
    def details(self) -> list[dict]:
        """Measures of the first model, by features."""
        rows = self.of_cohort(self.data["measures"]["models"])
        return [row for row in rows if row["model"] == self.model]

    def patients(self, draw: Callable[[], str]) -> str | None:
        """A picture of patients, where they may be shown."""
        return draw() if self.shows_patients else None


def cohort(run: Run) -> dict:
    summary = run.data["summary"]
    return {
        "reasons": reasons(summary["excluded"]),
        "columns": run.data["columns"].to_dict("records"),
        "excluded_photos": summary["photos_in"] - summary["photos_used"],
        "excluded_patients": summary["patients_in"] - summary["patients_used"],
    }


def alignment(run: Run) -> dict:
    table, photos = run.data["table"], run.data["aligned"]["images"]
    used = table[table.used == 1]
    return {
        "aligned_count": len(used),
        "table_count": len(table),
        "kept": kept(used),
        "alignment": figures.histograms({v: used[k] for k, v in QUALITY.items()}),
        "mean_face": images.picture(images.mean_face(photos)) if run.shows_mean else None,
    }


def generator(run: Run) -> dict:
    data, aligned = run.data, run.data["aligned"]
    return {
        "training": figures.training_curves(data["log"], data["quality"]),
        "quality": data["quality"],
        "tuning": tuning(data["log"], data["quality"]),
        "closest": run.patients(lambda: images.closest_samples(data["closest"], aligned)),
        "before": images.picture(data["before"]),
        "samples": images.picture(data["samples"]),
        "reals": run.patients(lambda: images.picture(grid(aligned["images"][:64], 16))),
    }


def reconstructions(run: Run) -> dict:
    aligned, latents, gate = (run.data[name] for name in ("aligned", "latents", "gate"))
    white = np.full(aligned["images"].shape[1:], 255, np.uint8)
    backdrop = mean_picture(aligned["images"]) if run.shows_mean else white
    return {
        "fidelity": fidelity(latents),
        "fidelity_figure": figures.histograms({v: latents[k] for k, v in FIDELITY.items()}),
        "gate": gated(gate),
        "gate_figure": figures.c_by_gate(run.data["measures"]["gate"]),
        "worst": images.worst_errors(aligned, latents, gate, backdrop),
        "pairs": run.patients(lambda: images.pairs(aligned, latents)),
    }


def scores(run: Run) -> dict:
    summary, permutation = run.data["summary"], run.data["permutation"]
    rows = run.of_cohort(summary["scores"])
    return {
        "scores": rows,
        "comparisons": run.of_cohort(summary["comparisons"]),
        "forest": figures.forest(rows, summary.get("true_model")),
        "permutation": permutation,
        "permutation_figure": figures.permutation(permutation["c_index"], permutation["observed"]),
    }


def over_time(run: Run) -> dict:
    horizons = run.data["measures"]["horizons"]
    return {"survival": survival_figures(run.details, horizons, run.unit)}


def groups(run: Run) -> dict:
    rows = [row for row in run.of_cohort(run.data["curves"]) if row["model"] == run.model]
    return {
        "curves": [row | {"figure": figures.kaplan_meier(row, run.unit)} for row in rows],
    }


def reliance(run: Run) -> dict:
    return {
        "reliance": run.data["reliance"],
        "reliance_figure": reliance_figure(run.data["reliance"]),
        "examples": run.patients(lambda: images.picture(run.data["examples"])),
    }


def health(run: Run) -> dict:
    data, truth = run.data, run.data["direction"].get("truth")
    return {
        **{name: data[name] for name in ("direction", "edits", "attribution")},
        **{name: images.picture(data[name]) for name in ("strip", "walks", "maps")},
        "moving": images.moving(data["moving"]),
        "edited": run.patients(lambda: images.picture(data["edited"])),
        "edited_moving": run.patients(lambda: images.moving(data["edited_moving"])),
        "mapped": run.patients(lambda: images.picture(data["mapped"])),
        "adjustments": adjustments(data["direction"]["adjusted"]),
        "recovery_figure": figures.recovery(truth) if truth else None,
    }


def guideline(run: Run) -> dict:
    rows = tripod.checklist(run.data["summary"], run.data["measures"], run.config)
    return {"guideline": rows, "answered": tripod.answered(rows)}


def the_run(run: Run) -> dict:
    return {
        "times": run_times(run.benchmarks),
        "costs": fit_costs(run.benchmarks),
        "versions": versions(),
        "settings": shareable(run.config),
    }


def nothing(run: Run) -> dict:
    """Of a section that shows what others have as well."""
    return {}


@dataclass(frozen=True)
class Section:
    """`shown` decides by the page's content whether the section is in it."""

    name: str
    heading: str
    content: Callable[[Run], dict]
    shown: Callable[[dict], bool] = lambda page: True


def _over_time_is_known(page: dict) -> bool:
    return bool(page["survival"]["auc"])


def _has_subgroups(page: dict) -> bool:
    models = page["measures"]["models"]
    return bool(models and models[0]["subgroups"])


SECTIONS = (
    Section("cohort", "Cohort", cohort),
    Section("alignment", "Alignment", alignment),
    Section("generator", "Generator", generator),
    Section("reconstructions", "Reconstructions", reconstructions),
    Section("scores", "Scores", scores),
    Section("time", "Over time", over_time, _over_time_is_known),
    Section("calibration", "Calibration", nothing, _over_time_is_known),
    Section("benefit", "Net benefit", nothing, _over_time_is_known),
    Section("groups", "Risk groups", groups),
    Section("subgroups", "Subgroups", nothing, _has_subgroups),
    Section("reliance", "What the model uses", reliance),
    Section("health", "Health direction", health),
    Section("guideline", "Reporting guideline", guideline),
    Section("run", "The run", the_run),
)


def reasons(excluded: list[dict]) -> list[tuple[str, str, int]]:
    """Exclusions counted by kind (photo, patient) and reason, the most frequent first."""
    counts = Counter(
        ("photo" if "photo_id" in row else "patient", row["reason"]) for row in excluded
    )
    return [(kind, reason, n) for (kind, reason), n in counts.most_common()]


def kept(used: pd.DataFrame) -> list[tuple[str, int]]:
    """Why used photos would have been excluded as covered or turned, with how many."""
    return Counter(used.covered.dropna()).most_common()


def tuning(log: pd.DataFrame, quality: dict) -> list[dict]:
    """The generator's quality at the start, where it was kept, and at the end of tuning."""
    kept = log.kimg.sub(quality["kept_kimg"]).abs().idxmin()
    rows = [log.loc[i].to_dict() for i in (0, kept, len(log) - 1)]
    unknown = dict.fromkeys(["kimg", "precision", "recall", "reconstruction_error"])
    floor = unknown | quality["floor"]
    names = ("start", "kept", "end", "training photos (reference)")
    return [{"name": name} | row for name, row in zip(names, [*rows, floor], strict=True)]


def fidelity(latents: dict) -> dict[str, float]:
    """Medians of the reconstructions' quality, and the share of detected faces."""
    drift = latents["landmark_drift"]
    return {
        "psnr": float(np.median(latents["psnr"])),
        "psnr_face": float(np.median(latents["psnr_face"])),
        "ssim": float(np.median(latents["ssim"])),
        "found": float(np.isfinite(drift).mean()),
        "close": float((drift <= 0.03).mean()),
    }


def gated(gate: pd.DataFrame) -> dict:
    """How many photos fail quality control, by reason, and how many were excluded for it."""
    return {
        "reasons": Counter(gate.reason.dropna()).most_common(),
        "left_out": int((gate.used == 0).sum()),
    }


def survival_figures(rows: list[dict], horizons: list[float], unit: str) -> dict:
    """Figures of the first model's measures; of the features that a reader compares."""
    shown = [row for row in rows if row["features"] in SHOWN and "auc" in row]
    if not shown:
        return {"auc": None, "brier": None, "calibration": [], "decision": []}
    each = range(len(horizons))
    return {
        "auc": curves.auc_over_time(shown, unit),
        "brier": curves.brier_over_time(shown, unit),
        "calibration": [curves.calibration(shown, k) for k in each],
        "decision": [curves.decision(shown, k) for k in each],
    }


def view_name(view: str) -> str:
    return "whole photo" if view == "full" else f"{view} alone"


def reliance_figure(reliance: dict) -> str:
    """C of views, nuisances and layers of W+, each with its interval."""
    groups = {"views": {view_name(view): row for view, row in reliance["views"].items()}}
    groups["nuisance"] = {name: reliance["nuisance"][key] for key, name in NUISANCE.items()}
    for kind, head in (("alone", "layers of W+ alone"), ("without", "without layers of W+")):
        groups[head] = {row["layers"]: row[kind] for row in reliance["layers"]["groups"]}
    return figures.intervals(groups, 0.5, "C-index with 95 % interval")


def adjustments(rows: list[dict]) -> list[dict]:
    """The C that remains after each adjustment of the health score, beside the correlation of the
    score with the column that it was adjusted for, before and after."""
    before = {one["name"]: one for one in rows[0]["correlations"]}
    table = []
    for row in rows:
        after = {one["name"]: one for one in row["correlations"]}
        name = row["adjusted"]
        table.append(row | {"before": before.get(name), "after": after.get(name)})
    return table
