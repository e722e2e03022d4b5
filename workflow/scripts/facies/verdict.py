"""The verdict on what the model looks at: rules stated in advance, held against what was measured.

Each test has a figure with its interval, a rule (docs/reliance.md lists the same), pass, warn,
fail or not judged, and one sentence. The risk of a model without signal moves with nothing, so that
it would pass many tests for nothing: these are not judged then. A new test is one more entry of
RULES and one more ``row``.
"""

import numpy as np

CHANCE = 0.5
UNKNOWN = dict.fromkeys(("value", "low", "high"), np.nan)
NOT_JUDGED = "not judged"
ORDER = (NOT_JUDGED, "pass", "warn", "fail")
# Hair and outline carry signs of health themselves: they can warn, but not condemn.
ONLY_WARN = ("surround", "silhouette")

RULES = {
    "whole photo": "pass if the interval of C lies above 0.5; else warn: the model shows no signal",
    "face alone": "pass if the interval of C lies above 0.5; fail if it does not, the whole "
    "photo's does, and less than half of what that has above 0.5 is left; else warn",
    "background alone": "of C - 0.5, compared with half of the whole photo's: pass if less and the "
    "interval of C reaches 0.5; fail if as much and the interval lies above 0.5; else warn; not "
    "judged if neither this nor the whole photo beats chance",
    "body alone": "as background alone",
    "surround alone": "as background alone, but warn in place of fail (hair can tell of health)",
    "silhouette alone": "as surround alone (outlines can tell of health)",
    "face covered": "pass if the interval of the C lost lies above 0; fail if it reaches 0 and "
    "less than a quarter of C - 0.5 is lost; else warn; not judged without signal",
    "background covered": "pass if less than a quarter of C - 0.5 is lost, or no more than under a "
    "random cover of equal area; fail if at least half is lost and the interval of what is lost "
    "beyond the random cover lies above 0; else warn; not judged without signal",
    "body covered": "as background covered",
    "surround covered": "as background covered, but warn in place of fail",
    "backgrounds swapped": "of what moves with person or background, the background's share: pass "
    "if its interval lies below 0.5, fail if the share is 0.5 or more; else warn; not judged "
    "without signal",
    "beyond nuisance": "pass if the interval of the C that the face adds to nuisance and clinical "
    "data lies above 0; fail if it does not though nuisance alone and the whole photo beat chance; "
    "else warn",
    "edits reach their risk": "slope of the risk found by projecting edited faces anew, over "
    "the risk that was wanted: pass if its interval lies above 0.5, fail if it reaches 0; else "
    "warn; not judged without signal",
    "edits in the face alone": "the same slope of edits that change the picture outside the "
    "face as little as can be: pass if its interval lies above 0.5, fail if it reaches 0; else "
    "warn; not judged without signal",
    "edits fall on the head": "share of the edits' change that falls on face and hair, over that "
    "of random changes as long: pass if its interval lies above 1, fail if it lies below; else "
    "warn; not judged without signal",
    "edits keep the person": "distance between the ends of an edit, over that between people: pass "
    "if its interval lies below 0.5, fail if it lies above 1; else warn; not judged without signal",
}


def row(test: str, figure: dict, of: str, verdict: str, sentence: str) -> dict:
    """One line of the table; ``figure`` has value, low and high, ``of`` says what it is."""
    found = {name: figure[name] for name in ("value", "low", "high")}
    return {"test": test, "figure": found | {"of": of}, "rule": RULES[test]} | {
        "verdict": verdict,
        "sentence": sentence,
    }


def not_judged(test: str, figure: dict, of: str) -> dict:
    """The line of a test that a model without signal would pass or fail for nothing."""
    return row(test, figure, of, NOT_JUDGED, "Not judged: the model shows no signal.")


def overall(rows: list[dict]) -> str:
    """The worst of the rows."""
    return max((r["verdict"] for r in rows), key=ORDER.index)


def beats_chance(score: dict) -> bool:
    """Whether the interval of a C lies above one half; not if it could not be measured."""
    return score["low"] > CHANCE


def judge(found: dict) -> list[dict]:
    """The rows of what ``judge_reliance`` found: views {view: C}, covers, swap, nuisance
    and edits, whose place is unknown where the detector finds no face."""
    whole = found["views"]["full"]
    rows = [judge_whole(whole)]
    for view, score in found["views"].items():
        if view != "full":
            rows.append(
                judge_face(score, whole) if view == "face" else judge_view(view, score, whole)
            )
    for cover in found["covers"]:
        rows.append((judge_face_cover if cover["region"] == "face" else judge_cover)(cover, whole))
    if found["swap"]:
        rows.append(judge_swap(found["swap"], whole))
    rows.append(judge_nuisance(found["nuisance"], whole))
    if found["edits"]:
        rows += judge_edits(found["edits"], whole)
    return rows


def judge_whole(whole: dict) -> dict:
    if beats_chance(whole):
        return row("whole photo", whole, "C", "pass", "The model tells more than chance.")
    sentence = "The model does not beat chance: there is nothing whose cause could be asked for."
    return row("whole photo", whole, "C", "warn", sentence)


def judge_face(score: dict, whole: dict) -> dict:
    if beats_chance(score):
        return row("face alone", score, "C", "pass", "The face alone tells more than chance.")
    if beats_chance(whole) and excess(score) < excess(whole) / 2:
        sentence = "With all but the face hidden, most of what the model knew is gone."
        return row("face alone", score, "C", "fail", sentence)
    sentence = "The face alone does not beat chance in this cohort."
    return row("face alone", score, "C", "warn", sentence)


def judge_view(view: str, score: dict, whole: dict) -> dict:
    test = f"{view} alone"
    much = excess(score) >= excess(whole) / 2
    if beats_chance(score):
        if view not in ONLY_WARN and much:
            sentence = f"The {view} alone tells at least half of what the whole photo tells."
            return row(test, score, "C", "fail", sentence)
        return row(test, score, "C", "warn", f"The {view} alone tells something of survival.")
    if not beats_chance(whole):
        return not_judged(test, score, "C")
    if much or np.isnan(score["value"]):
        sentence = f"What the {view} alone tells is not known well enough."
        return row(test, score, "C", "warn", sentence)
    return row(test, score, "C", "pass", f"The {view} alone does not beat chance.")


def judge_face_cover(cover: dict, whole: dict) -> dict:
    test, lost = "face covered", cover["lost"]
    if not beats_chance(whole):
        return not_judged(test, lost, "C lost")
    if lost["low"] > 0:
        sentence = "Covering the face costs some of what the model knows."
        return row(test, lost, "C lost", "pass", sentence)
    if lost["value"] < excess(whole) / 4:
        sentence = "With the face covered the model knows nearly as much: it looks elsewhere."
        return row(test, lost, "C lost", "fail", sentence)
    sentence = "What covering the face costs is not known well enough."
    return row(test, lost, "C lost", "warn", sentence)


def judge_cover(cover: dict, whole: dict) -> dict:
    region, lost = cover["region"], cover["lost"]
    test = f"{region} covered"
    if not beats_chance(whole):
        return not_judged(test, lost, "C lost")
    limit = max(excess(whole) / 4, cover["control"]["lost"]["value"])
    if lost["value"] < limit:
        sentence = f"Covering the {region} costs little, or no more than covering anything."
        return row(test, lost, "C lost", "pass", sentence)
    large = lost["value"] >= excess(whole) / 2 and cover["extra"]["low"] > 0
    if region not in ONLY_WARN and large:
        sentence = f"With the {region} covered the model loses most of what it knew."
        return row(test, lost, "C lost", "fail", sentence)
    sentence = f"Covering the {region} costs some of what the model knows."
    return row(test, lost, "C lost", "warn", sentence)


def judge_swap(swap: dict, whole: dict) -> dict:
    test, figure, of = "backgrounds swapped", swap["contest"], "the background's share"
    if not beats_chance(whole):
        return not_judged(test, figure, of)
    if np.isnan(figure["value"]):
        sentence = "The risk moves with neither person nor background."
        return row(test, figure, of, "warn", sentence)
    if figure["value"] >= 0.5:
        sentence = "The risk moves with the background at least as much as with the person."
        return row(test, figure, of, "fail", sentence)
    if figure["high"] < 0.5:
        sentence = "The risk moves with the person rather than with the background."
        return row(test, figure, of, "pass", sentence)
    sentence = "The risk may move with the background as much as with the person."
    return row(test, figure, of, "warn", sentence)


def judge_nuisance(nuisance: dict, whole: dict) -> dict:
    test, figure, of = "beyond nuisance", nuisance["gain"], "C added by the face"
    if figure["low"] > 0:
        sentence = "The face tells what camera, light, place and clinical data do not."
        return row(test, figure, of, "pass", sentence)
    if beats_chance(nuisance["nuisance"]) and beats_chance(whole):
        sentence = "Camera, light, background colour or the crop tell as much without the face."
        return row(test, figure, of, "fail", sentence)
    sentence = "The face adds nothing for sure to what is known without it."
    return row(test, figure, of, "warn", sentence)


def judge_edits(edits: dict, whole: dict) -> list[dict]:
    head = edits["place"]["times_random"]["fitted"]["head"]  # None where no face was found
    confined = (edits["confined"] or {}).get("slope")
    figures = (edits["slope"], confined, head, edits["identity"]["distance"])
    slope, confined, head, person = (figure or UNKNOWN for figure in figures)
    rows = [
        _judge_edit(
            *("edits reach their risk", slope, "slope"),
            passes=slope["low"] > 0.5,
            fails=slope["low"] <= 0,
            good="Edited faces, projected anew, have a higher risk where one was wanted.",
            bad="Edited faces, projected anew, do not have the wanted risk for sure.",
        ),
        _judge_edit(
            *("edits in the face alone", confined, "slope"),
            passes=confined["low"] > 0.5,
            fails=confined["low"] <= 0,
            good="Faces edited in nothing but the face have a higher risk where one was wanted.",
            bad="Faces edited in nothing but the face do not have the wanted risk for sure.",
        ),
        _judge_edit(
            *("edits fall on the head", head, "times a random change's share"),
            passes=head["low"] > 1,
            fails=head["high"] < 1,
            good="What the risk moves in a picture is face and hair, more than by chance.",
            bad="What the risk moves in a picture is face and hair no more than by chance.",
        ),
        _judge_edit(
            *("edits keep the person", person, "of the distance between people"),
            passes=person["high"] < 0.5,
            fails=person["low"] > 1,
            good="A face edited to a higher or lower risk stays the same person.",
            bad="A face edited to a higher or lower risk may no longer be the same person.",
        ),
    ]
    if beats_chance(whole):
        return rows
    # The risk of a model that knows nothing can be edited as well as any.
    return [not_judged(r["test"], r["figure"], r["figure"]["of"]) for r in rows]


def _judge_edit(test, figure, of, passes, fails, good, bad) -> dict:
    word = "pass" if passes else "fail" if fails else "warn"
    return row(test, figure, of, word, good if passes else bad)


def excess(score: dict) -> float:
    """C above chance, 0 where it is unknown."""
    return 0.0 if np.isnan(score["value"]) else score["value"] - CHANCE
