"""What the run cost, and with which versions and settings it was made."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml

PACKAGES = ("snakemake", "torch", "numpy", "pandas", "scikit-survival", "pycox", "pillow")
NETWORKS = ("pretrained", "perception", "lpips", "identity")  # named by their files


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
    from the benchmark files fit_model/{generator}/{view}/{features}/{model}/{repeat}-{fold}.tsv."""
    tables = {}
    for path in sorted(Path(folder, "fit_model").glob("*/*/*/*/*.tsv")):
        generator, *fitted = path.parts[-5:-1]
        key = (generator.partition("-")[0], *fitted)
        tables.setdefault(key, []).append(pd.read_csv(path, sep="\t"))
    rows = []
    for (generator, view, features, model), parts in tables.items():
        table = pd.concat(parts)
        rows.append(
            {
                "features": features if view == "full" else f"{features} ({view})",
                "model": model,
                "generator": generator,
                "folds": len(table),
                "seconds": table.s.mean(),
                "longest": table.s.max(),
                "mb": pd.to_numeric(table.max_rss, errors="coerce").max(),
            }
        )
    return rows


def versions() -> dict[str, str]:
    """Python, the packages that matter, and the commit of the workflow where git knows it."""
    numbers = {"python": platform.python_version()}
    for package in PACKAGES:
        numbers[package] = version(package)
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False)
    if commit.returncode == 0:
        numbers["facies"] = commit.stdout.strip()
    return numbers


def shareable(config: dict) -> str:
    """The settings as YAML, without the paths of the patients' files."""
    kept = {k: v for k, v in config.items() if k not in ("cohort", "results", "store", "predict")}
    hidden = ("photos", "patients", "folder", "demo", "nuisance")
    kept["cohort"] = {k: v for k, v in config["cohort"].items() if k not in hidden}
    kept["generator"] = {k: v for k, v in config["generator"].items() if k not in NETWORKS}
    if "projection" in config:
        kept["projection"] = {k: v for k, v in config["projection"].items() if k not in NETWORKS}
    return yaml.safe_dump(kept, sort_keys=True)
