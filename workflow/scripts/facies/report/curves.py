"""Figures of one model's measures: over time, calibration, net benefit. Each is one SVG text."""

import numpy as np
from matplotlib import pyplot as plt

from facies.report.figures import COLOURS, svg

SIZE = (5.2, 3.4)


def _banded(axis, x, curve: dict, name: str) -> None:
    """A line with its interval; JSON's null is a gap."""
    value, low, high = (np.array(curve[key], float) for key in ("value", "low", "high"))
    axis.plot(x, value, color=COLOURS[name], label=name)
    axis.fill_between(x, low, high, color=COLOURS[name], alpha=0.15, linewidth=0)


def auc_over_time(rows: list[dict], unit: str) -> str:
    """Time-dependent AUC of each set of features."""
    figure, axis = plt.subplots(figsize=SIZE, layout="constrained")
    for row in rows:
        _banded(axis, row["times"], row["auc"], row["features"])
    axis.axhline(0.5, color="black", linewidth=0.8)
    axis.set_ylim(0.3, 1)
    axis.set_xlabel(unit)
    axis.set_ylabel("AUC")
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return svg(figure)


def brier_over_time(rows: list[dict], unit: str) -> str:
    """Brier score of each set of features, and of the Kaplan-Meier curve."""
    figure, axis = plt.subplots(figsize=SIZE, layout="constrained")
    for row in rows:
        _banded(axis, row["times"], row["brier"], row["features"])
    reference = np.array(rows[0]["brier_km"], float)
    axis.plot(rows[0]["times"], reference, color="black", linestyle="--", label="Kaplan-Meier")
    axis.set_ylim(bottom=0)
    axis.set_xlabel(unit)
    axis.set_ylabel("Brier score")
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return svg(figure)


def calibration(rows: list[dict], k: int) -> str:
    """Observed against predicted deaths at the ``k``-th horizon, smooth and in groups."""
    figure, axes = plt.subplots(
        1, len(rows), figsize=(2.7 * len(rows), 2.9), layout="constrained", squeeze=False
    )
    for axis, row in zip(axes[0], rows, strict=True):
        made = row["calibration"][k]
        axis.plot([0, 1], [0, 1], color="black", linewidth=0.8)
        _banded(axis, made["grid"], made["curve"], row["features"])
        for group in made["groups"]:
            ends = np.array([group["low"], group["high"]], float)
            axis.plot([group["predicted"]] * 2, ends, color="#5b6670")
            middle = np.array(group["observed"], float)
            axis.plot(group["predicted"], middle, "o", color="#5b6670", markersize=4)
        axis.set_xlim(0, 1)
        axis.set_ylim(0, 1)
        axis.set_aspect("equal")
        axis.set_title(row["features"], fontsize=10)
        axis.set_xlabel("predicted")
    axes[0, 0].set_ylabel("observed")
    return svg(figure)


def decision(rows: list[dict], k: int) -> str:
    """Net benefit at the ``k``-th horizon over thresholds, with treating all and none."""
    figure, axis = plt.subplots(figsize=SIZE, layout="constrained")
    for row in rows:
        made = row["decision"][k]
        _banded(axis, made["thresholds"], made["model"], row["features"])
    made = rows[0]["decision"][k]
    everybody = np.array(made["everybody"], float)
    axis.plot(made["thresholds"], everybody, color="black", linestyle="--", label="treat all")
    axis.axhline(0, color="black", linewidth=0.8)
    top = max(np.nanmax(np.array(row["decision"][k]["model"]["value"], float)) for row in rows)
    axis.set_ylim(-0.25 * top - 0.01, 1.15 * top + 0.01)
    axis.set_xlabel("threshold probability")
    axis.set_ylabel("net benefit")
    axis.legend(frameon=False, fontsize=8)
    return svg(figure)
