"""The report's figures, each as one SVG text."""

import io
import re

import matplotlib
import numpy as np

from facies.survival.features import FEATURES

matplotlib.use("Agg")
matplotlib.rcParams |= {
    "svg.hashsalt": "facies",  # same figures, same bytes
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a $ in a user's word is a dollar
}
from matplotlib import pyplot as plt  # noqa: E402

COLOURS = {name: features.colour for name, features in FEATURES.items()}
GROUP_COLOURS = ["#b2452f", "#3a6ea5", "#3a7d44", "#b58b3c"]
RISKS = ["#3a7d44", "#d39b2a", "#b2452f"]


def svg(figure) -> str:
    """A figure's text, without what differs from run to run."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    drawing = text.getvalue()[text.getvalue().index("<svg") :]
    return re.sub("<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)


def histograms(columns: dict[str, np.ndarray]) -> str:
    """Histograms, four in a row, with the median as a line."""
    figure, axes = plt.subplots(
        -(-len(columns) // 4),
        min(len(columns), 4),
        figsize=(2.6 * min(len(columns), 4), 2.3 * -(-len(columns) // 4)),
        layout="constrained",
        squeeze=False,
    )
    for axis in axes.flat[len(columns) :]:
        axis.set_visible(False)
    for axis, (name, values) in zip(axes.flat, columns.items(), strict=False):
        values = np.asarray(values, float)
        values = values[np.isfinite(values)]
        axis.hist(values, bins=30, color="#7c93a8")
        if len(values):
            axis.axvline(np.median(values), color="#b2452f")
        axis.locator_params(axis="x", nbins=4)
        axis.set_xlabel(name)
    for axis in axes[:, 0]:
        axis.set_ylabel("photos")
    return svg(figure)


TRAINING = {
    "Fréchet distance": ("frechet",),
    "precision and recall": ("precision", "recall"),
    "reconstruction error": ("pixel", "reconstruction_error"),
    "adversarial losses": ("generator", "discriminator"),
    "sign of real logits": ("real_sign",),
    "augmentation strength": ("augment_p",),
}


def training_curves(log, quality: dict) -> str:
    """Quality and losses against thousands of photos shown, with the state that was kept."""
    figure, axes = plt.subplots(2, 3, figsize=(9, 4.6), layout="constrained", sharex=True)
    names = {"pixel": "training photos", "reconstruction_error": "held-out photos"}
    for axis, (title, columns) in zip(axes.flat, TRAINING.items(), strict=True):
        for column in columns:
            label = names.get(column, column)
            axis.plot(log["kimg"], log[column], marker="o", markersize=3, label=label)
        axis.axvline(quality["kept_kimg"], color="grey", linewidth=0.8)
        axis.set_title(title, fontsize=10)
        axis.set_ylim(bottom=0)
        if len(columns) > 1:
            axis.legend(frameon=False, fontsize=8)
    if quality["floor"]["frechet"] is not None:
        axes[0, 0].axhline(quality["floor"]["frechet"], color="grey", linestyle=":", linewidth=1)
    for axis in axes[1]:
        axis.set_xlabel("thousand photos shown")
    return svg(figure)


def forest(scores: list[dict], true_model: dict | None) -> str:
    """C-index of every model with its interval; lines at chance and at the true model."""
    figure, axis = plt.subplots(figsize=(7, 0.9 + 0.3 * len(scores)), layout="constrained")
    for i, row in enumerate(scores):
        low, high = row["c_index_low"], row["c_index_high"]
        colour = COLOURS[row["features"]]
        if row["c_index"] is not None:
            axis.plot([low, high], [i, i], color=colour, linewidth=2)
            axis.plot(row["c_index"], i, "o", color=colour)
    marks = {"chance": 0.5} | {f"true model, {name}": at for name, at in (true_model or {}).items()}
    for name, value in marks.items():
        style = {"linewidth": 0.8} if name == "chance" else {"linestyle": ":"}
        axis.vlines(value, -0.6, len(scores) - 0.5, color="black", **style)
        axis.text(value, -0.8, name, ha="center", fontsize=8)
    axis.set_yticks(range(len(scores)), [f"{r['features']}, {r['model']}" for r in scores])
    axis.set_ylim(len(scores) - 0.5, -1.2)
    axis.set_xlabel("C-index with 95 % interval")
    return svg(figure)


def c_by_gate(rows: list[dict] | None) -> str | None:
    """C of the patients whose photos are reconstructed at least so well, with its interval."""
    if rows is None:
        return None
    figure, axis = plt.subplots(figsize=(5.2, 2.6), layout="constrained")
    for i, row in enumerate(rows):
        c = row["c_index"]
        if c["value"] is not None:
            axis.plot([i, i], [c["low"], c["high"]], color=COLOURS["face"], linewidth=2)
            axis.plot(i, c["value"], "o", color=COLOURS["face"])
    axis.axhline(0.5, color="black", linewidth=0.8)
    labels = [f"{row['threshold']:.1f}\nn = {row['patients']}" for row in rows]
    axis.set_xticks(range(len(rows)), labels)
    axis.set_xlabel("minimum PSNR inside the face (dB), and number of patients")
    axis.set_ylabel("C-index, face")
    return svg(figure)


def intervals(groups: dict[str, dict[str, dict]], chance: float, axis_label: str) -> str:
    """Named figures {value, low, high} under the heads of their groups, a line at chance."""
    count = sum(1 + len(rows) for rows in groups.values())
    figure, axis = plt.subplots(figsize=(7, 0.7 + 0.25 * count), layout="constrained")
    labels = []
    for (head, rows), colour in zip(groups.items(), GROUP_COLOURS, strict=False):
        labels.append(head)
        for name, row in rows.items():
            if row["value"] is not None:
                if row["low"] is not None:
                    axis.plot([row["low"], row["high"]], [len(labels)] * 2, color=colour, lw=2)
                axis.plot(row["value"], len(labels), "o", color=colour)
            labels.append(f"{name}   ")
    axis.axvline(chance, color="black", linewidth=0.8)
    axis.set_yticks(range(len(labels)), labels)
    for tick, label in zip(axis.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if label in groups else "normal")
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(labels) - 0.5, -0.7)
    axis.set_xlabel(axis_label)
    return svg(figure)


def kaplan_meier(curve: dict, unit: str) -> str:
    """Survival of the risk groups with numbers at risk below."""
    figure, (axis, table) = plt.subplots(
        2, 1, figsize=(5.2, 4), height_ratios=(4, 1), sharex=True, layout="constrained"
    )
    end = max(max(group["times"], default=1) for group in curve["groups"])
    ticks = np.linspace(0, end, 6).round(0 if end > 10 else 1)
    for i, group in enumerate(curve["groups"]):
        times, colour = [0, *group["times"]], RISKS[i % 3]
        label = f"{group['name']} (n = {group['n']}, {group['events']} events)"
        axis.step(times, [1, *group["survival"]], where="post", color=colour, label=label)
        axis.fill_between(
            times,
            [1, *group["low"]],
            [1, *group["high"]],
            step="post",
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        for tick in ticks:
            position = np.searchsorted(group["times"], tick)
            left = group["at_risk"][position] if position < len(group["at_risk"]) else 0
            left = group["n"] if tick == 0 else left
            table.text(tick, -i, str(int(left)), ha="center", va="center", color=colour)
    axis.set_ylim(0, 1.02)
    axis.set_ylabel("survival probability")
    axis.legend(frameon=False, fontsize=8)
    table.set_ylim(-len(curve["groups"]) + 0.4, 0.8)
    table.set_yticks([])
    table.set_title("number at risk", fontsize=8, loc="left")
    table.set_xticks(ticks)
    table.set_xlabel(unit)
    table.spines["left"].set_visible(False)
    return svg(figure)


RECOVERED = {"planted": "planted signs", "nuisance": "other rendered features"}


def recovery(truth: dict) -> str:
    """Correlation of the health score with planted signs and with other rendered features; the
    band in the second panel shows how large the largest gets by chance."""
    sizes = [len(truth[kind]) for kind in RECOVERED]
    figure, axes = plt.subplots(
        1, 2, figsize=(8.4, 0.9 + 0.2 * max(sizes)), sharex=True, layout="constrained"
    )
    for axis, (kind, title) in zip(axes, RECOVERED.items(), strict=True):
        for i, row in enumerate(truth[kind]):
            colour = "#b2452f" if kind == "planted" else "#7c93a8"
            axis.plot([row["low"], row["high"]], [i, i], color=colour, linewidth=2)
            axis.plot(row["value"], i, "o" if row["signed"] else "s", color=colour, markersize=4)
        names = [row["name"].replace("_", " ") for row in truth[kind]]
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_ylim(max(sizes) - 0.5, -0.5)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("correlation with the health score")
    high = truth["chance"]["high"]
    axes[1].axvspan(-high, high, color="#7c93a8", alpha=0.15, linewidth=0)
    return svg(figure)


def permutation(values: list[float], observed: float) -> str:
    """C-index of each run on permuted outcomes, and the observed one."""
    figure, axis = plt.subplots(figsize=(5.2, 1.6), layout="constrained")
    axis.plot(values, np.zeros(len(values)), "|", color="#7c93a8", markersize=22)
    axis.axvline(observed, color="#b2452f", label="observed")
    axis.axvline(0.5, color="black", linewidth=0.8)
    axis.set_yticks([])
    axis.set_xlabel("C-index with permuted outcomes")
    axis.legend(frameon=False, loc="upper center")
    return svg(figure)
