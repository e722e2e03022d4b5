"""Rules by hand: each verdict at its limits."""

import re
from pathlib import Path

import numpy as np
import pytest

from facies.reliance import verdict

DOCS = Path(__file__).parents[2] / "docs" / "reliance.md"


def score(low, value=None, high=None):
    value = low + 0.05 if value is None else value
    return {"value": value, "low": low, "high": value + 0.05 if high is None else high}


NAN = dict.fromkeys(("value", "low", "high"), np.nan)
WHOLE = score(0.6, 0.7)


@pytest.mark.parametrize(
    ("view", "own", "word"),
    [
        ("face", score(0.51), "pass"),
        ("face", score(0.45, 0.59), "fail"),
        ("face", score(0.45, 0.61), "warn"),
        ("face", NAN, "fail"),
        ("background", score(0.45, 0.59), "pass"),
        ("background", score(0.45, 0.61), "warn"),  # too wide an interval clears nobody
        ("background", score(0.51, 0.59), "warn"),
        ("background", score(0.51, 0.61), "fail"),
        ("body", score(0.51, 0.61), "fail"),
        ("surround", score(0.6, 0.7), "warn"),
        ("silhouette", score(0.6, 0.7), "warn"),
        ("silhouette", NAN, "warn"),
    ],
)
def test_rules_of_views(view, own, word):
    judged = verdict.judge_face(own, WHOLE) if view == "face" else None
    judged = judged or verdict.judge_view(view, own, WHOLE)
    assert judged["verdict"] == word


@pytest.mark.parametrize("whole", [score(0.45, 0.6), score(0.3, 0.4), NAN])
def test_without_signal_no_view_passes_for_nothing(whole):
    assert verdict.judge_view("background", score(0.4), whole)["verdict"] == "not judged"
    assert verdict.judge_view("silhouette", NAN, whole)["verdict"] == "not judged"
    assert verdict.judge_view("background", score(0.51), whole)["verdict"] == "fail"
    swap = {"background_share": score(0.1, 0.3, 0.49)}
    assert verdict.judge_swap(swap, whole)["verdict"] == "not judged"


@pytest.mark.parametrize(
    ("region", "lost", "control", "word"),
    [
        ("face", score(0.01, 0.04), 0.1, "pass"),
        ("face", score(-0.01, 0.06), 0.0, "warn"),
        ("face", score(-0.01, 0.04), 0.0, "fail"),
        ("face", NAN, 0.0, "warn"),
        ("background", score(0.01, 0.04), 0.0, "pass"),
        ("background", score(0.05, 0.09), 0.02, "warn"),
        ("background", score(0.05, 0.11), 0.02, "fail"),
        ("background", score(0.01, 0.11), 0.02, "warn"),  # a random cover may cost as much
        ("background", score(0.05, 0.11), 0.12, "pass"),
        ("surround", score(0.05, 0.11), 0.0, "warn"),
    ],
)
def test_rules_of_covers(region, lost, control, word):
    excess = {name: value - control for name, value in lost.items()}
    cover = {
        "region": region,
        "lost": lost,
        "excess": excess,
        "control": {"lost": score(0, control)},
    }
    judged = verdict.judge_face_cover if region == "face" else verdict.judge_cover
    assert judged(cover, WHOLE)["verdict"] == word
    # Where nothing is known, nothing is lost.
    assert judged(cover, score(0.49, 0.7))["verdict"] == "not judged"


@pytest.mark.parametrize(
    ("background_share", "word"),
    [(score(0.1, 0.3, 0.49), "pass"), (score(0.1, 0.3, 0.51), "warn"), (score(0.3, 0.5), "fail")]
    + [(NAN, "warn")],
)
def test_rules_of_swaps(background_share, word):
    assert verdict.judge_swap({"background_share": background_share}, WHOLE)["verdict"] == word


@pytest.mark.parametrize(
    ("alone", "gain", "word"),
    [
        (score(0.6), score(0.01), "pass"),
        (score(0.6), score(-0.01), "fail"),
        (score(0.4), score(-0.01), "warn"),
        (NAN, NAN, "warn"),
    ],
)
def test_rules_of_nuisances(alone, gain, word):
    assert verdict.judge_nuisance({"nuisance": alone, "gain": gain}, WHOLE)["verdict"] == word


def edited(slope, confined, head, person):
    regions = {"times_random": {"fitted": {"head": head}}}
    confined = confined and {"slope": confined}
    return {
        "slope": slope,
        "confined": confined,
        "regions": regions,
        "identity": {"distance": person},
    }


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (edited(score(0.7), score(0.6), score(1.5), score(0.2, high=0.4)), ["pass"] * 4),
        (edited(score(0.4), score(0.4), score(0.9, high=1.2), score(0.4, high=0.6)), ["warn"] * 4),
        (edited(score(-0.1), score(0), score(0.5, high=0.9), score(1.1, high=1.3)), ["fail"] * 4),
        (edited(score(0.7), None, None, score(0.2, high=0.4)), ["pass", "warn", "warn", "pass"]),
        (edited(None, None, None, None), ["warn"] * 4),
    ],
)
def test_rules_of_edits(edits, words):
    assert [row["verdict"] for row in verdict.judge_edits(edits, WHOLE)] == words
    for unknown in (score(0.45), NAN):
        rows = verdict.judge_edits(edits, unknown)
        assert [row["verdict"] for row in rows] == ["not judged"] * 4
        assert {row["sentence"] for row in rows} == {"Not judged: the model shows no signal."}


def test_the_verdict_is_the_worst_of_its_tests():
    rows = [{"verdict": word} for word in ("pass", "warn", "pass")]
    assert verdict.overall(rows) == "warn"
    assert verdict.overall([*rows, {"verdict": "fail"}]) == "fail"
    assert verdict.overall([{"verdict": "not judged"}, *rows[:1]]) == "pass"


def test_the_docs_state_the_rules_that_the_code_applies():
    table = DOCS.read_text().split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z ]+) \| (.+) \|$", table, re.MULTILINE)
    stated = {test: rule for test, rule in rows if test != "test"}
    assert stated == verdict.RULES


def test_a_view_without_a_rule_of_its_own_is_judged_as_the_background():
    row = verdict.judge_view("hair", score(0.51, 0.61), WHOLE)
    assert row["verdict"] == "fail" and row["rule"] == "as background alone"
