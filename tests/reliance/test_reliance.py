"""Variance shares, layers, nuisances and rules by hand, and the verdict on three known cohorts."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import portrait_cohorts
import pytest
from fits import fold_fit

import weigh_nuisance
from facies.cohort import columns
from facies.explanation import layers
from facies.reliance import controls, nuisance, swap, verdict
from facies.statistics import bootstrap
from facies.statistics.outcome import Outcome
from facies.survival.designs import patient_codes
from facies.survival.fits import Fit

DOCS = Path(__file__).parents[2] / "docs" / "reliance.md"


def words_of(found):
    return {row["test"]: row["verdict"] for row in found["tests"]}


def test_the_planted_cohort_passes():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.planted())
    assert found["verdict"] == "pass", found["tests"]
    assert found["views"]["face"]["value"] > 0.7 > 0.6 > found["views"]["background"]["value"]
    gone = {cover["region"]: cover["inpainted"]["gone"]["value"] for cover in found["covers"]}
    assert gone["face"] > 0.8 > 0.4 > gone["background"]


def test_the_confounded_cohort_fails_and_the_background_is_named():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.confounded())
    assert found["verdict"] == "fail"
    failed = {test for test, word in words_of(found).items() if word == "fail"}
    assert {"background alone", "face covered", "background covered"} <= failed
    assert {"face alone", "backgrounds swapped", "beyond nuisance"} <= failed
    assert words_of(found)["whole photo"] == "pass"  # the model is good: for the wrong reason
    assert found["swap"]["background"]["value"] > 0.9
    assert any(
        "background" in row["sentence"] for row in found["tests"] if row["verdict"] == "fail"
    )


def test_in_the_null_cohort_no_view_beats_chance():
    found = portrait_cohorts.verdict_on(*portrait_cohorts.null())
    assert not any(verdict.beats_chance(score) for score in found["views"].values())
    assert found["verdict"] == "warn"
    words = words_of(found)
    assert "fail" not in words.values()
    # A model without signal passes nothing.
    assert "pass" not in words.values()
    judged = {test for test, word in words.items() if word == "warn"}
    assert judged == {"whole photo", "face alone", "beyond nuisance"}


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
    swap = {"contest": score(0.1, 0.3, 0.49)}
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
    extra = {name: value - control for name, value in lost.items()}
    cover = {"region": region, "lost": lost, "extra": extra, "control": {"lost": score(0, control)}}
    judged = verdict.judge_face_cover if region == "face" else verdict.judge_cover
    assert judged(cover, WHOLE)["verdict"] == word
    # Where nothing is known, nothing is lost.
    assert judged(cover, score(0.49, 0.7))["verdict"] == "not judged"


@pytest.mark.parametrize(
    ("contest", "word"),
    [(score(0.1, 0.3, 0.49), "pass"), (score(0.1, 0.3, 0.51), "warn"), (score(0.3, 0.5), "fail")]
    + [(NAN, "warn")],
)
def test_rules_of_swaps(contest, word):
    assert verdict.judge_swap({"contest": contest}, WHOLE)["verdict"] == word


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
    place = {"times_random": {"fitted": {"head": head}}}
    confined = confined and {"slope": confined}
    return {"slope": slope, "confined": confined, "place": place, "identity": {"distance": person}}


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


def crossed(person, background, rest, blocks=4000, size=3, seed=0):
    """Risks of blocks whose effects have these standard deviations."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((blocks, size, size))
    persons, backgrounds = rng.standard_normal((2, blocks, size))
    return person * persons[:, :, None] + background * backgrounds[:, None] + rest * noise


def test_variances_of_a_crossed_design_are_found_again():
    found = swap.variance_shares(crossed(2.0, 1.0, 1.0), 1, draws=50)
    shares = {name: found[name]["value"] for name in ("person", "background", "rest", "contest")}
    assert shares == pytest.approx(
        {"person": 4 / 6, "background": 1 / 6, "rest": 1 / 6, "contest": 1 / 5}, abs=0.02
    )


def test_noise_is_neither_persons_nor_backgrounds():
    found = swap.variance_shares(crossed(0.0, 0.0, 1.0), 1, draws=50)
    assert found["rest"]["value"] > 0.97


def test_a_block_counted_by_hand():
    # Persons 0 and 2, no background: the mean is 1, each of four cells is 1 away from it.
    squares = swap.sums_of_squares(np.array([[[0.0, 0.0], [2.0, 2.0]]]))
    assert squares.tolist() == [[4.0, 0.0, 0.0]]
    found = swap.variance_shares(np.zeros((3, 2, 2)), 1, draws=5)
    assert np.isnan(found["contest"]["value"])


def test_intervals_of_shares_hold_the_truth():
    inside = 0
    for seed in range(100):
        found = swap.variance_shares(crossed(1.0, 1.0, 0.5, 30, seed=seed), seed, draws=200)
        inside += found["contest"]["low"] <= 0.5 <= found["contest"]["high"]
    assert inside >= 88


def test_blocks_keep_to_a_fold_and_hold_nobody_twice():
    folds = pd.DataFrame({"patient_id": [f"{i:02d}" for i in range(50)]})
    folds["fold"] = 1 + np.arange(50) % 2
    blocks = swap.blocks_of(folds, seed=1)
    assert [block["fold"] for block in blocks] == [1] * swap.MOST + [2] * swap.MOST
    members = [patient for block in blocks for patient in block["patients"]]
    assert len(set(members)) == len(members) == 2 * swap.MOST * swap.SIZE
    fold_of = dict(zip(folds.patient_id, folds.fold, strict=True))
    assert all(fold_of[p] == block["fold"] for block in blocks for p in block["patients"])
    assert swap.blocks_of(folds.sample(frac=1, random_state=0), seed=1) == blocks


def test_layers_by_what_they_draw():
    # At 64 pixels: 4, 8 8, 16 16, 32 32, 64 64 and the colours of 64.
    assert layers.resolutions(10).tolist() == [4, 8, 8, 16, 16, 32, 32, 64, 64, 64]
    groups = {name: own.tolist() for name, own in layers.layer_groups(10).items()}
    assert groups == {"coarse": [0, 1, 2], "middle": [3, 4, 5, 6], "fine": [7, 8, 9]}
    assert list(layers.layer_groups(8)) == ["coarse", "middle"]
    assert layers.resolutions(18)[-3:].tolist() == [1024] * 3


@pytest.fixture
def linear():
    """One fold of 80 test patients whose death comes in the order of their second layer."""
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((80, 3, 4))
    beta = np.zeros((3, 4))
    beta[1] = [1, -1, 2, 0.5]
    risk = np.einsum("nld,ld->n", codes, beta)
    outcome = Outcome(np.exp(-risk), np.ones(80, bool))
    ids = np.array([str(i) for i in range(80)])
    fit = fold_fit(test_ids=ids, test=outcome, train=outcome, test_risk=risk, inner_oof_risk=risk)
    return codes, beta, fit, bootstrap.draw_patients(ids, np.ones(80), 1, draws=50)


def test_the_layer_that_orders_the_patients_is_the_one_that_is_missed(linear):
    codes, beta, fit, draws = linear
    rows = layers.permutation_importance([fit], [beta], lambda ids: codes, draws, seed=1)
    assert [row["layer"] for row in rows] == [0, 1, 2]
    assert rows[0]["value"] == rows[2]["value"] == 0
    assert rows[1]["value"] == pytest.approx(0.5, abs=0.05)


def test_risk_of_changed_photos(linear):
    codes, beta, fit, draws = linear
    nothing = controls.changed([fit], [beta.ravel()], lambda ids: np.zeros((80, 12)), draws)
    assert (nothing["lost"] == 0).all() and nothing["gone"] == pytest.approx(
        np.zeros(51), abs=1e-12
    )
    # Without the layer everybody is alike, and C falls from 1 to 1/2.
    gone = np.zeros_like(codes)
    gone[:, 1] = -codes[:, 1]
    found = controls.changed(
        [fit, fit], [beta.ravel(), None], lambda ids: gone.reshape(80, -1), draws
    )
    assert found["c_index"][0] == 0.5 and found["lost"][0] == 0.5 and found["gone"][0] == 1
    # One SD up for all: C stays, the risk moves by one SD.
    up = np.zeros_like(codes)
    up[:, 1, 0] = fit.inner_oof_risk.std()
    found = controls.changed([fit], [beta.ravel()], lambda ids: up.reshape(80, -1), draws)
    assert found["lost"] == pytest.approx(np.zeros(51), abs=1e-12)
    assert found["shift"] == pytest.approx(np.ones(51))
    assert found["gone"] == pytest.approx(np.zeros(51), abs=1e-12)
    # No fold has a model: nothing is known, and the interval says so.
    found = controls.changed([fit], [None], lambda ids: up.reshape(80, -1), draws)
    assert all(np.isnan(values).all() and len(values) == 51 for values in found.values())
    assert np.isnan(controls.cover_row("face", found, found, found)["lost"]["value"])


def test_variance_that_is_gone_by_hand():
    before, shares = np.array([0.0, 0, 2, 2]), np.full((1, 4), 0.25)
    assert controls.variance_gone(before, before * 3 + 1, shares)[0] == pytest.approx(0)
    assert controls.variance_gone(before, np.array([0.0, 1, 0, 1]), shares)[0] == pytest.approx(1)
    # r = 1/2 -> a quarter of the variance is kept; against each other nothing is.
    after = np.array([-np.sqrt(3) - 1, np.sqrt(3) - 1, -np.sqrt(3) + 1, np.sqrt(3) + 1])
    assert controls.variance_gone(before, after, shares)[0] == pytest.approx(0.75)
    assert controls.variance_gone(before, -before, shares)[0] == 1
    assert controls.variance_gone(before, np.zeros(4), shares)[0] == 1
    # Weights that leave out the second and fourth leave a perfect pair.
    few = np.array([[0.5, 0, 0.5, 0]])
    assert controls.variance_gone(before, np.array([0.0, 1, 5, 1]), few)[0] == pytest.approx(0)


def test_codes_of_a_patient_are_the_mean_of_the_photos():
    latents = {"photo_ids": np.array(["a", "b", "c"]), "codes": np.arange(6.0).reshape(3, 1, 2)}
    photos = pd.DataFrame({"photo_id": ["a", "b", "c"], "patient_id": ["1", "2", "1"]})
    assert patient_codes(latents, photos, np.array(["2", "1"])).tolist() == [[2, 3], [2, 3]]
    assert patient_codes(latents, photos, np.array(["2"])).tolist() == [[2, 3]]


def test_colours_are_measured_outside_the_face():
    regions = np.full((20, 20), 4, np.uint8)
    regions[5:15, 5:15] = 1
    image = np.full((20, 20, 3), (100, 80, 120), np.uint8)
    pale = image.copy()
    pale[6:14, 6:14] = 250
    meta = dict.fromkeys(nuisance.ALIGNED, 0) | {"width": 40, "height": 80}
    quad = np.array([[0, 0], [0, 40], [40, 40], [40, 0.0]])
    found = [
        nuisance.measures({"image": i, "regions": regions, "quad": quad}, meta, 1000)
        for i in (image, pale)
    ]
    for name, value in {"brightness": 100, "redness": 20, "blueness": 40}.items():
        assert found[0][f"outside_{name}"] == found[1][f"outside_{name}"] == value, name
    assert (found[0]["crop_x"], found[0]["crop_y"]) == (0.5, 0.25)


def test_nuisances_of_a_patient():
    table = pd.DataFrame(
        {"photo_id": list("abc"), "x": [1.0, 2, 3], "camera": ["A", "B", "B"], "no": [np.nan] * 3}
    )
    photos = pd.DataFrame({"photo_id": list("abc"), "patient_id": list("112")})
    found = columns.per_patient(table, photos, ["2", "1"])
    assert found.x.tolist() == [3, 1.5] and found.camera.tolist() == ["B", "A"]
    assert list(found) == ["x", "camera"]


def test_a_fold_with_too_few_deaths_for_a_model_leaves_the_nuisances_unscored(tmp_path):
    n = 24
    ids = np.array([f"{i:02d}" for i in range(n)])
    fold, rng = np.tile([1, 2], n // 2), np.random.default_rng(0)
    tables = {
        "patients": {"patient_id": ids, "time": np.arange(1.0, n + 1), "event": [0] * 23 + [1]},
        "folds": {"patient_id": ids, "repeat": 1, "fold": fold},
        "photos": {"photo_id": ids, "patient_id": ids},
        "nuisance": {"photo_id": ids, "log_sharpness": rng.normal(size=n)},
    }
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
    for k in (1, 2):
        train, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        missing = vars(Fit.missing(len(train), len(held), np.arange(1.0, 4)))
        parts = {"train_ids": ids[train], "test_ids": ids[held], "reason": "too few"}
        fold_fit(fold=k, **missing, **parts).save(tmp_path / f"{k}.npz")
    inputs = {name: tmp_path / f"{name}.csv" for name in tables}
    settings = {"seed": 1, "inner_folds": 2, "clinical": []}
    weigh_nuisance.main(
        SimpleNamespace(
            input=SimpleNamespace(**inputs, fits=[tmp_path / "1.npz", tmp_path / "2.npz"]),
            output=SimpleNamespace(nuisance=tmp_path / "found.json"),
            params=SimpleNamespace(settings=settings),
        )
    )
    found = json.loads((tmp_path / "found.json").read_text())
    assert all(
        found[name]["value"] is None for name in ("nuisance", "baseline", "with_face", "gain")
    )
