"""The verdict on what the model uses: measurements compared with rules fixed in advance.

Each test has a figure with its interval, a rule (docs/reliance.md lists the same), pass, warn,
fail or not judged, and one sentence. The risk of a model without signal does not depend on the
photo, so that it would pass many tests trivially: these are then not judged. A new test is one more
entry of RULES and one more ``row``; a view without an entry is judged as the background is.
"""

import numpy as np

CHANCE = 0.5
UNKNOWN = dict.fromkeys(("value", "low", "high"), np.nan)
NOT_JUDGED = "not judged"
ORDER = (NOT_JUDGED, "pass", "warn", "fail")
# Hair and outline carry signs of health themselves: they can warn, but not fail.
ONLY_WARN = ("surround", "silhouette")

RULES = {
    "whole photo": "pass if the interval of C lies above 0.5; otherwise warn: the model shows no "
    "signal",
    "face alone": "pass if the interval of C lies above 0.5; fail if it does not although the "
    "whole photo's does, and C - 0.5 is less than half of the whole photo's; otherwise warn",
    "background alone": "pass if the interval of C does not lie above 0.5 and C - 0.5 is less than "
    "half of the whole photo's; fail if the interval lies above 0.5 and C - 0.5 is at least half; "
    "otherwise warn; not judged if neither this view nor the whole photo beats chance",
    "body alone": "as background alone",
    "surround alone": "as background alone, but warn instead of fail (hair can show health)",
    "silhouette alone": "as surround alone (outlines can show health)",
    "face covered": "pass if the interval of the C lost lies above 0; fail if it does not and "
    "less than a quarter of C - 0.5 is lost; otherwise warn; not judged without signal",
    "background covered": "pass if less than a quarter of C - 0.5 is lost, or no more than under a "
    "random cover of equal area; fail if at least half is lost and the interval of the loss in "
    "excess of the random cover lies above 0; otherwise warn; not judged without signal",
    "body covered": "as background covered",
    "surround covered": "as background covered, but warn instead of fail",
    "backgrounds swapped": "the background's share of the risk variance explained by person or "
    "background: pass if its interval lies below 0.5; fail if the share is 0.5 or more; otherwise "
    "warn; not judged without signal",
    "beyond nuisance": "pass if the interval of the C that the face adds to nuisance and clinical "
    "data lies above 0; fail if it does not although nuisance alone and the whole photo beat "
    "chance; otherwise warn",
    "edits reach their risk": "slope of recovered on target risk, after edited faces are projected "
    "again: pass if its interval lies above 0.5; fail if its lower end is not above 0; otherwise "
    "warn; not judged without signal",
    "edits in the face alone": "the same slope for edits that change the image outside the face "
    "as little as possible: pass if its interval lies above 0.5; fail if its lower end is not "
    "above 0; otherwise warn; not judged without signal",
    "edits fall on the head": "share of the edits' change in face and hair, relative to that of "
    "random changes of the same size: pass if its interval lies above 1; fail if it lies below 1; "
    "otherwise warn; not judged without signal",
    "edits keep the person": "distance of edited faces from the unedited face, relative to that "
    "between people: pass if its interval lies below 0.5; fail if it lies above 1; otherwise warn; "
    "not judged without signal",
}


def row(test: str, figure: dict, of: str, verdict: str, sentence: str) -> dict:
    """One row of the table; ``figure`` has value, low and high, ``of`` says what it is."""
    return {
        "test": test,
        "figure": {name: figure[name] for name in ("value", "low", "high")} | {"of": of},
        "rule": RULES.get(test, "as background alone"),
        "verdict": verdict,
        "sentence": sentence,
    }


def not_judged(test: str, figure: dict, of: str) -> dict:
    """The row of a test that a model without signal would pass or fail trivially."""
    return row(test, figure, of, NOT_JUDGED, "Not judged: the model shows no signal.")


def overall(rows: list[dict]) -> str:
    """The worst of the rows."""
    return max((r["verdict"] for r in rows), key=ORDER.index)


def beats_chance(score: dict) -> bool:
    """Whether the interval of a C lies above one half; not if it could not be measured."""
    return score["low"] > CHANCE


def judge(measured: dict) -> list[dict]:
    """The rows of what was measured: views {view: C}, covers, swap, nuisance and edits, whose
    regions are unknown where the detector finds no face."""
    whole = measured["views"]["full"]
    rows = [judge_whole(whole)]
    for view, score in measured["views"].items():
        if view != "full":
            rows.append(
                judge_face(score, whole) if view == "face" else judge_view(view, score, whole)
            )
    for cover in measured["covers"]:
        rows.append((judge_face_cover if cover["region"] == "face" else judge_cover)(cover, whole))
    if measured["swap"]:
        rows.append(judge_swap(measured["swap"], whole))
    rows.append(judge_nuisance(measured["nuisance"], whole))
    if measured["edits"]:
        rows += judge_edits(measured["edits"], whole)
    return rows


def judge_whole(whole: dict) -> dict:
    if beats_chance(whole):
        return row("whole photo", whole, "C", "pass", "The model beats chance.")
    sentence = "The model does not beat chance: there is no signal to explain."
    return row("whole photo", whole, "C", "warn", sentence)


def judge_face(score: dict, whole: dict) -> dict:
    if beats_chance(score):
        return row("face alone", score, "C", "pass", "The face alone beats chance.")
    if beats_chance(whole) and excess(score) < excess(whole) / 2:
        sentence = "With all but the face hidden, most of the signal is lost."
        return row("face alone", score, "C", "fail", sentence)
    sentence = "The face alone does not beat chance in this cohort."
    return row("face alone", score, "C", "warn", sentence)


def judge_view(view: str, score: dict, whole: dict) -> dict:
    test = f"{view} alone"
    much = excess(score) >= excess(whole) / 2
    if beats_chance(score):
        if view not in ONLY_WARN and much:
            sentence = f"The {view} alone has at least half of the whole photo's signal."
            return row(test, score, "C", "fail", sentence)
        return row(
            test, score, "C", "warn", f"The {view} alone carries information about survival."
        )
    if not beats_chance(whole):
        return not_judged(test, score, "C")
    if much or np.isnan(score["value"]):
        sentence = f"The signal of the {view} alone is not estimated precisely enough."
        return row(test, score, "C", "warn", sentence)
    return row(test, score, "C", "pass", f"The {view} alone does not beat chance.")


def judge_face_cover(cover: dict, whole: dict) -> dict:
    test, lost = "face covered", cover["lost"]
    if not beats_chance(whole):
        return not_judged(test, lost, "C lost")
    if lost["low"] > 0:
        sentence = "With the face covered the model loses some of its signal."
        return row(test, lost, "C lost", "pass", sentence)
    if lost["value"] < excess(whole) / 4:
        sentence = "With the face covered the model keeps its signal: it uses something else."
        return row(test, lost, "C lost", "fail", sentence)
    sentence = "The effect of covering the face is not estimated precisely enough."
    return row(test, lost, "C lost", "warn", sentence)


def judge_cover(cover: dict, whole: dict) -> dict:
    region, lost = cover["region"], cover["lost"]
    test = f"{region} covered"
    if not beats_chance(whole):
        return not_judged(test, lost, "C lost")
    limit = max(excess(whole) / 4, cover["control"]["lost"]["value"])
    if lost["value"] < limit:
        sentence = f"Covering the {region} costs little, or no more than a random cover."
        return row(test, lost, "C lost", "pass", sentence)
    large = lost["value"] >= excess(whole) / 2 and cover["excess"]["low"] > 0
    if region not in ONLY_WARN and large:
        sentence = f"With the {region} covered the model loses most of its signal."
        return row(test, lost, "C lost", "fail", sentence)
    sentence = f"With the {region} covered the model loses some of its signal."
    return row(test, lost, "C lost", "warn", sentence)


def judge_swap(swap: dict, whole: dict) -> dict:
    test, figure, of = "backgrounds swapped", swap["background_share"], "background's share"
    if not beats_chance(whole):
        return not_judged(test, figure, of)
    if np.isnan(figure["value"]):
        sentence = "The risk depends on neither person nor background."
        return row(test, figure, of, "warn", sentence)
    if figure["value"] >= 0.5:
        sentence = "The risk depends on the background at least as much as on the person."
        return row(test, figure, of, "fail", sentence)
    if figure["high"] < 0.5:
        sentence = "The risk depends on the person more than on the background."
        return row(test, figure, of, "pass", sentence)
    sentence = "The risk may depend on the background as much as on the person."
    return row(test, figure, of, "warn", sentence)


def judge_nuisance(nuisance: dict, whole: dict) -> dict:
    test, figure, of = "beyond nuisance", nuisance["gain"], "C added by the face"
    if figure["low"] > 0:
        sentence = "The face carries information that camera, light, crop and clinical data do not."
        return row(test, figure, of, "pass", sentence)
    if beats_chance(nuisance["nuisance"]) and beats_chance(whole):
        sentence = "Camera, light, background colour or crop predict as well without the face."
        return row(test, figure, of, "fail", sentence)
    sentence = "It is not certain that the face adds information."
    return row(test, figure, of, "warn", sentence)


def judge_edits(edits: dict, whole: dict) -> list[dict]:
    head = edits["regions"]["times_random"]["fitted"]["head"]  # None where no face was found
    confined = (edits["confined"] or {}).get("slope")
    figures = (edits["slope"], confined, head, edits["identity"]["distance"])
    slope, confined, head, person = (figure or UNKNOWN for figure in figures)
    rows = [
        _judge_edit(
            *("edits reach their risk", slope, "slope"),
            passes=slope["low"] > 0.5,
            fails=slope["low"] <= 0,
            good="The risk of edited faces, projected again, follows the target risk.",
            bad="It is not certain that the risk of edited faces follows the target risk.",
        ),
        _judge_edit(
            *("edits in the face alone", confined, "slope"),
            passes=confined["low"] > 0.5,
            fails=confined["low"] <= 0,
            good="The risk of faces edited in the face alone follows the target risk.",
            bad="It is not certain that edits in the face alone follow the target risk.",
        ),
        _judge_edit(
            *("edits fall on the head", head, "relative to random changes"),
            passes=head["low"] > 1,
            fails=head["high"] < 1,
            good="Edits change face and hair more than random changes do.",
            bad="Edits are not shown to change face and hair more than random changes do.",
        ),
        _judge_edit(
            *("edits keep the person", person, "relative to the distance between people"),
            passes=person["high"] < 0.5,
            fails=person["low"] > 1,
            good="A face edited to a higher or lower risk remains the same person.",
            bad="A face edited to a higher or lower risk may no longer be the same person.",
        ),
    ]
    if beats_chance(whole):
        return rows
    # The risk of a model without signal can be edited as well as any.
    return [not_judged(r["test"], r["figure"], r["figure"]["of"]) for r in rows]


def _judge_edit(test, figure, of, passes, fails, good, bad) -> dict:
    word = "pass" if passes else "fail" if fails else "warn"
    return row(test, figure, of, word, good if passes else bad)


def excess(score: dict) -> float:
    """C above chance, 0 where it is unknown."""
    return 0.0 if np.isnan(score["value"]) else score["value"] - CHANCE
