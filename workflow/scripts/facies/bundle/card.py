"""The model card: cross-validated scores, cohort, intended use, privacy and licence."""

INTENDED = (
    "Research on prognosis in patients like those it was made from. Not a medical device: "
    "not to be used for decisions about patients before it was validated where it is used."
)
PRIVACY = (
    "Holds no photo, code, id or time of a patient: means and standard deviations over patients, "
    "quantiles, model coefficients, and a baseline hazard in 20 steps. The names of clinical "
    "categories are kept. The networks were tuned on patients' photos and may generate faces that "
    "resemble them: share the file as your ethics committee allows."
)
LICENCE = "GPL-3.0-or-later for the workflow; whoever shares the file decides about the weights."
SCORES = ("c_index", "c_index_low", "c_index_high", "uno_c", "ibs", "ibs_km")


def cross_validated(summary: dict, model: str) -> dict[str, dict]:
    """The cross-validated scores of a kind of model, by features."""
    return {
        row["features"]: {name: row[name] for name in SCORES if name in row}
        for row in summary["scores"]
        if row["model"] == model
    }


def statements() -> dict[str, str]:
    """What the card says of every bundle."""
    return {"intended_use": INTENDED, "privacy": PRIVACY, "licence": LICENCE}


def as_markdown(card: dict, digest: str) -> str:
    """The card for readers."""
    lines = ["# Model card", "", f"Digest: `{digest}`", ""]
    cohort = card["cohort"]
    lines += [
        f"{cohort['patients']} patients, {cohort['events']} deaths, {cohort['photos']} photos.",
        f"Clinical columns: {', '.join(cohort['clinical']) or 'none'}. ",
        "",
        "| features | model | C-index, cross-validated, 95 % interval |",
        "|---|---|---|",
    ]
    for features, model in card["models"].items():
        scores, interval = model["scores"], "not scored"
        if scores.get("c_index") is not None:
            low, high = (scores[f"c_index_{end}"] for end in ("low", "high"))
            interval = f"{scores['c_index']:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| {features} | {model['model']} | {interval} |")
    for name in statements():
        lines += ["", f"**{name.replace('_', ' ').capitalize()}.** {card[name]}"]
    return "\n".join([*lines, ""])
