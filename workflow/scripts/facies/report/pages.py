"""Gather a run's results into one page of HTML that needs no network and names no patient."""

import base64
import io
import itertools
import platform
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import yaml
from PIL import Image

from facies.common.rows import blocks, mean_picture
from facies.common.store import digest
from facies.generator.pictures import TILE, grid, resized
from facies.report import curves, figures, tripod
from facies.statistics.intervals import TOO_WIDE

PACKAGES = ("snakemake", "torch", "numpy", "pandas", "scikit-survival", "pycox", "pillow")
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
NETWORKS = ("pretrained", "perception", "lpips", "identity")  # named by their files
PAIRS = 16
WORST = 12
MEANT = 30  # patients whose faces are shown as their mean, at least
CELLS = 16  # to a side: an error drawn finer would draw the patient
REDDEST = 64  # mean error of a cell, of 255, that is drawn in full colour
SHOWN = ("face", "clinical", "fused")


def picture(image: Image.Image | str | Path) -> str:
    """A picture as a data address; nothing but its pixels is kept."""
    if not isinstance(image, Image.Image):
        image = Image.open(image)
    packed = io.BytesIO()
    Image.fromarray(np.asarray(image.convert("RGB"))).save(packed, "PNG")
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()


def moving(path: str | Path) -> str:
    """An animated WebP of the workflow's own as a data address."""
    return "data:image/webp;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def adjustments(rows: list[dict]) -> list[dict]:
    """The C that remains after each adjustment of the health score, beside how the score goes with
    the column that it was adjusted for, before and after."""
    before = {found["name"]: found for found in rows[0]["correlations"]}
    told = []
    for row in rows:
        after = {found["name"]: found for found in row["correlations"]}
        name = row["adjusted"]
        told.append(row | {"before": before.get(name), "after": after.get(name)})
    return told


def reasons(excluded: list[dict]) -> list[tuple[str, str, int]]:
    """Exclusions counted by kind (photo, patient) and reason, the most frequent first."""
    counts = Counter(
        ("photo" if "photo_id" in row else "patient", row["reason"]) for row in excluded
    )
    return [(kind, reason, n) for (kind, reason), n in counts.most_common()]


def kept(used: pd.DataFrame) -> list[tuple[str, int]]:
    """Why used photos would have been excluded as covered or turned, with how many."""
    return Counter(used.covered.dropna()).most_common()


def run_times(folder: str | Path) -> list[dict]:
    """Jobs, total seconds and largest memory per rule, from Snakemake's benchmark files."""
    rows = []
    for rule in sorted(p for p in Path(folder).iterdir()) if Path(folder).is_dir() else []:
        files = sorted(rule.rglob("*.tsv")) if rule.is_dir() else [rule]
        tables = [pd.read_csv(path, sep="\t") for path in files]
        if tables:
            table = pd.concat(tables)
            memory = pd.to_numeric(table.max_rss, errors="coerce").max()
            rows.append(
                {"rule": rule.stem, "jobs": len(table), "seconds": table.s.sum(), "mb": memory}
            )
    return rows


def fit_costs(folder: str | Path) -> list[dict]:
    """Cost of one fold of every model and set of features: mean and longest seconds, most memory;
    from the benchmark files fit_model/{scope}/{view}/{features}/{model}/{repeat}-{fold}.tsv."""
    rows = []
    for model in sorted(Path(folder, "fit_model").glob("*/*/*/*")):
        table = pd.concat([pd.read_csv(path, sep="\t") for path in sorted(model.glob("*.tsv"))])
        scope, view, features, name = model.parts[-4:]
        rows.append(
            {
                "features": features if view == "full" else f"{features} ({view})",
                "model": name,
                "scope": scope,
                "folds": len(table),
                "seconds": table.s.mean(),
                "longest": table.s.max(),
                "mb": pd.to_numeric(table.max_rss, errors="coerce").max(),
            }
        )
    return rows


def survival_figures(rows: list[dict], horizons: list[float], unit: str) -> dict:
    """Figures of the first model's measures; of the features that a reader compares."""
    shown = [row for row in rows if row["features"] in SHOWN and "auc" in row]
    if not shown:
        return {"auc": None, "brier": None, "calibration": [], "decision": []}
    places = range(len(horizons))
    return {
        "auc": curves.auc_over_time(shown, unit),
        "brier": curves.brier_over_time(shown, unit),
        "calibration": [curves.calibration(shown, k) for k in places],
        "decision": [curves.decision(shown, k) for k in places],
    }


def p_text(p: float | None) -> str:
    """A p value as it is printed."""
    if pd.isna(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def versions() -> dict[str, str]:
    """Python, the packages that matter, and the commit of the workflow where git knows it."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = version(package)
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False)
    if commit.returncode == 0:
        found["facies"] = commit.stdout.strip()
    return found


def best(scores: list[dict], features: str, model: str) -> dict | None:
    """The row of the model that the config names first: chosen before the results were seen."""
    return next((r for r in scores if (r["features"], r["model"]) == (features, model)), None)


def fidelity(latents: dict) -> dict[str, float]:
    """Medians of the reconstructions' quality, and how many faces are found again."""
    drift = latents["landmark_drift"]
    return {
        "psnr": float(np.median(latents["psnr"])),
        "psnr_face": float(np.median(latents["psnr_face"])),
        "ssim": float(np.median(latents["ssim"])),
        "found": float(np.isfinite(drift).mean()),
        "close": float((drift <= 0.03).mean()),
    }


def tuning(log: pd.DataFrame, quality: dict) -> list[dict]:
    """The generator's quality at the start, where it was kept, and at the end of tuning."""
    kept = log.kimg.sub(quality["kept_kimg"]).abs().idxmin()
    rows = [log.loc[i].to_dict() for i in (0, kept, len(log) - 1)]
    floor = {"kimg": None, "precision": None, "recall": None, "rebuilt": None} | quality["floor"]
    names = ("start", "kept", "end", "training photos (reference)")
    return [{"name": name} | row for name, row in zip(names, [*rows, floor], strict=True)]


def closest(found: dict, aligned: dict) -> str | None:
    """The samples that came nearest to a training photo, above those photos; None if all left.

    The generator may be older than the cohort, and is kept without names: photos are known by
    their pixels.
    """
    places, wanted = {}, set(found["photos"])
    for i, image in enumerate(itertools.chain.from_iterable(blocks(aligned["images"]))):
        if (pixels := digest(image.tobytes())) in wanted:
            places[pixels] = i
    left = [i for i, pixels in enumerate(found["photos"]) if pixels in places]
    if not left:
        return None
    photos = aligned["images"][[places[pixels] for pixels in found["photos"][left]]]
    both = np.concatenate([found["samples"][left], photos])
    return picture(grid(both, columns=len(both) // 2))


def pairs(aligned: dict, latents: dict) -> str:
    """Photos above their reconstructions, evenly drawn over the range of quality in the face."""
    order = np.argsort(latents["psnr_face"], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(PAIRS, len(order))).astype(int)]
    rows = {photo: i for i, photo in enumerate(aligned["photo_ids"])}
    photos = aligned["images"][[rows[photo] for photo in latents["photo_ids"][chosen]]]
    both = np.concatenate([photos, latents["images"][chosen]])
    return picture(grid(both, columns=len(chosen)))


def worst_errors(aligned: dict, latents: dict, gate: pd.DataFrame, backdrop) -> str:
    """Where the worst reconstructions inside the face go wrong, in red over a face or white.

    `backdrop` uint8 (r, r, 3). Errors are means over cells, so that nobody can be recognised.
    """
    worst = gate.sort_values("psnr_face", kind="stable").photo_id[:WORST]
    photos, rebuilt = (
        own["images"][pd.Index(own["photo_ids"]).get_indexer(worst)] for own in (aligned, latents)
    )
    return picture(grid(error_maps(photos, rebuilt, backdrop), columns=6))


def error_maps(photos, rebuilt, backdrop) -> np.ndarray:
    """Mean absolute differences of cells as red over grey, uint8 (n, r, r, 3)."""
    size = photos.shape[1]
    side = max(size // CELLS, 1)
    error = np.abs(photos.astype(float) - rebuilt).mean(axis=3)
    cells = error.reshape(len(photos), size // side, side, size // side, side).mean(axis=(2, 4))
    red = np.minimum(cells / REDDEST, 1).repeat(side, axis=1).repeat(side, axis=2)[..., None]
    grey = backdrop.mean(axis=2, keepdims=True).repeat(3, axis=2)
    return (grey * (1 - red) + np.array([178, 24, 24]) * red).astype(np.uint8)


def gated(gate: pd.DataFrame) -> dict:
    """How many photos fail quality control, by reason, and how many were excluded for it."""
    return {
        "reasons": Counter(gate.reason.dropna()).most_common(),
        "left_out": int((gate.used == 0).sum()),
    }


def mean_face(images: np.ndarray) -> Image.Image:
    """The mean of aligned photos, of the size of a figure."""
    return Image.fromarray(resized(mean_picture(images)[None], 2 * TILE)[0])


NUISANCE = {
    "nuisance": "nuisance alone",
    "baseline": "nuisance and clinical data",
    "with_face": "nuisance, clinical data and face",
}


def view_name(view: str) -> str:
    return "whole photo" if view == "full" else f"{view} alone"


def reliance_figure(found: dict) -> str:
    """C of views, nuisances and layers of W+, each with its interval."""
    groups = {"views": {view_name(view): row for view, row in found["views"].items()}}
    groups["nuisance"] = {name: found["nuisance"][key] for key, name in NUISANCE.items()}
    for kind, head in (("alone", "layers of W+ alone"), ("without", "without layers of W+")):
        groups[head] = {row["layers"]: row[kind] for row in found["layers"]["groups"]}
    return figures.intervals(groups, 0.5, "C-index with 95 % interval")


def shareable(config: dict) -> str:
    """The settings as YAML, without the places of the patients' files."""
    kept = {k: v for k, v in config.items() if k not in ("cohort", "results", "store", "predict")}
    hidden = ("photos", "patients", "folder", "demo", "nuisance")
    kept["cohort"] = {k: v for k, v in config["cohort"].items() if k not in hidden}
    kept["generator"] = {k: v for k, v in config["generator"].items() if k not in NETWORKS}
    if "projection" in config:
        kept["projection"] = {k: v for k, v in config["projection"].items() if k not in NETWORKS}
    return yaml.safe_dump(kept, sort_keys=True)


def build(data: dict, config: dict, benchmarks: str | Path, template: Path) -> str:
    """Render the page.

    `data` holds summary, measures, curves, permutation, quality, reliance (from JSON), table, gate
    and log (data frames), aligned, latents and closest (dicts of arrays), direction, edits and
    attribution (from JSON), and paths of pictures: before, samples, strip, walks, moving, maps,
    examples, and of patients where they may be shown: edited, edited_moving, mapped.
    """
    summary = data["summary"]
    model = config["survival"]["models"][0]
    # Of the scope fold the report tells what it differs by (summary.leakage).
    scores, differences, groups, details = (
        [row for row in rows if row["scope"] == config["scopes"][0]]
        for rows in (
            summary["scores"],
            summary["comparisons"],
            data["curves"],
            data["measures"]["models"],
        )
    )
    details = [row for row in details if row["model"] == model]
    show = config["report"]["patient_photos"] or config["cohort"]["demo"] is not None
    unit = config["cohort"]["time_unit"]
    table = data["table"]
    used = table[table.used == 1]
    # The mean of a few faces would resemble each of them, and a patient may have many photos.
    meant = show or len(np.unique(data["aligned"]["patient_ids"])) >= MEANT
    white = np.full(data["aligned"]["images"].shape[1:], 255, np.uint8)
    backdrop = mean_picture(data["aligned"]["images"]) if meant else white
    guideline = tripod.checklist(summary, data["measures"], config)
    page = {
        "config": config,
        "summary": summary,
        **{name: summary.get(name) for name in ("true_model", "probe", "leakage")},
        "scores": scores,
        "comparisons": differences,
        "headline": {f: best(scores, f, model) for f in config["survival"]["features"]},
        "model": model,
        "too_wide": TOO_WIDE,
        "reasons": reasons(summary["excluded"]),
        "columns": data["columns"].to_dict("records"),
        "excluded_photos": summary["photos_in"] - summary["photos_used"],
        "excluded_patients": summary["patients_in"] - summary["patients_used"],
        "aligned_count": len(used),
        "table_count": len(table),
        "kept": kept(used),
        "alignment": figures.histograms({v: used[k] for k, v in QUALITY.items()}),
        "mean_face": picture(mean_face(data["aligned"]["images"])) if meant else None,
        "training": figures.training_curves(data["log"], data["quality"]),
        "quality": data["quality"],
        "tuning": tuning(data["log"], data["quality"]),
        "closest": closest(data["closest"], data["aligned"]) if show else None,
        "before": picture(data["before"]),
        "samples": picture(data["samples"]),
        "reals": picture(grid(data["aligned"]["images"][:64], 16)) if show else None,
        "fidelity": fidelity(data["latents"]),
        "fidelity_figure": figures.histograms({v: data["latents"][k] for k, v in FIDELITY.items()}),
        "gate": gated(data["gate"]),
        "gate_figure": figures.c_by_gate(data["measures"]["gate"]),
        "worst": worst_errors(data["aligned"], data["latents"], data["gate"], backdrop),
        "pairs": pairs(data["aligned"], data["latents"]) if show else None,
        "forest": figures.forest(scores, summary.get("true_model")),
        "permutation": data["permutation"],
        "permutation_figure": figures.permutation(
            data["permutation"]["c_index"], data["permutation"]["observed"]
        ),
        "curves": [
            c | {"figure": figures.kaplan_meier(c, unit)} for c in groups if c["model"] == model
        ],
        "measures": data["measures"] | {"models": details},
        "survival": survival_figures(details, data["measures"]["horizons"], unit),
        "guideline": guideline,
        "answered": tripod.answered(guideline),
        "costs": fit_costs(benchmarks),
        "reliance": data["reliance"],
        "reliance_figure": reliance_figure(data["reliance"]),
        "examples": picture(data["examples"]) if show else None,
        "strip": picture(data["strip"]),
        "walks": picture(data["walks"]),
        "moving": moving(data["moving"]),
        "maps": picture(data["maps"]),
        "edited": picture(data["edited"]) if show else None,
        "edited_moving": moving(data["edited_moving"]) if show else None,
        "mapped": picture(data["mapped"]) if show else None,
        **{name: data[name] for name in ("direction", "edits", "attribution")},
        "adjustments": adjustments(data["direction"]["adjusted"]),
        "recovery_figure": figures.recovery(data["direction"]["truth"])
        if "truth" in data["direction"]
        else None,
        "settings": shareable(config),
        "versions": versions(),
        "times": run_times(benchmarks),
    }
    return templates(template.parent).get_template(template.name).render(**page)


def templates(folder: str | Path) -> jinja2.Environment:
    """The page's templates: ``| n`` writes a number, ``| p`` a p-value."""
    loader = jinja2.FileSystemLoader(folder)
    found = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    found.filters["n"] = lambda x, digits=3: "–" if pd.isna(x) else f"{x:.{digits}f}"
    found.filters["p"] = p_text
    return found
