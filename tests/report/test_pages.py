import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from facies.common.store import digest
from facies.generator.pictures import TILE, grid, to_tensor, to_uint8
from facies.report import curves, figures, images, pages, run, sections, tripod
from facies.statistics.intervals import TOO_WIDE

ROOT = Path(__file__).parents[2]


def test_reasons_are_counted_by_kind():
    excluded = [
        {"photo_id": "1", "reason": "no face was found"},
        {"patient_id": "1", "reason": "time is missing"},
        {"photo_id": "2", "reason": "no face was found"},
    ]
    assert sections.reasons(excluded) == [
        ("photo", "no face was found", 2),
        ("patient", "time is missing", 1),
    ]


def test_fidelity_counts_lost_faces_against_it():
    latents = {
        "psnr": np.array([20.0, 30, 40, 50]),
        "psnr_face": np.array([10.0, 20, 30, 40]),
        "ssim": np.array([0.1, 0.2, 0.3, 0.4]),
        "landmark_drift": np.array([0.01, 0.03, 0.2, np.nan]),
    }
    found = sections.fidelity(latents)
    assert found["psnr_face"] == 25
    assert found["found"] == 0.75
    assert found["close"] == 0.5


def test_errors_are_mapped_no_finer_than_cells():
    photos = np.zeros((2, 32, 32, 3), np.uint8)
    reconstructed = photos.copy()
    reconstructed[0, 4, 6] = 255  # one pixel of a cell of two by two: a mean error of 255 / 4
    grey = np.full((32, 32, 3), 90, np.uint8)
    maps = images.error_maps(photos, reconstructed, grey)
    assert (maps[1] == 90).all()
    share = 255 / 4 / images.REDDEST
    expected = (90 * (1 - share) + np.array([178, 24, 24]) * share).astype(np.uint8)
    assert (maps[0, 4:6, 6:8] == expected).all()
    assert (maps[0] != 90).any(axis=2).sum() == 4


def test_the_worst_inside_the_face_are_shown(monkeypatch):
    ids = np.array([f"{i:03d}" for i in range(20)])
    photos = np.zeros((20, 16, 16, 3), np.uint8)
    reconstructed = photos + np.arange(20, dtype=np.uint8)[:, None, None, None]
    gate = pd.DataFrame({"photo_id": ids, "psnr_face": np.arange(40.0, 20, -1)})
    seen = {}
    monkeypatch.setattr(images, "error_maps", lambda a, b, c: seen.update(b=b) or a)
    aligned, latents = ({"photo_ids": ids, "images": x} for x in (photos, reconstructed))
    images.worst_errors(aligned, latents, gate, photos[0])
    assert seen["b"][:, 0, 0, 0].tolist() == list(range(19, 7, -1))


def test_photos_that_fail_quality_control_are_counted_by_reason():
    gate = pd.DataFrame({"used": [1, 0, 0, 1], "reason": [None, "dim", "dim", None]})
    assert sections.gated(gate) == {"reasons": [("dim", 2)], "left_out": 2}
    kept = gate.assign(used=1)
    assert sections.gated(kept) == {"reasons": [("dim", 2)], "left_out": 0}


def test_a_view_needs_no_entry_in_the_report():
    row = {"value": 0.6, "low": 0.5, "high": 0.7}
    part = {"layers": "0-3", "alone": row, "without": row}
    found = {"views": {"full": row, "hair": row}, "layers": {"groups": [part]}}
    figure = sections.reliance_figure(found | {"nuisance": dict.fromkeys(sections.NUISANCE, row)})
    assert "whole photo" in figure and "hair alone" in figure


def test_photos_kept_though_covered_are_counted():
    hidden = "the eyes are covered or outside the photo"
    assert sections.kept(pd.DataFrame({"covered": [None, hidden, np.nan, hidden]})) == [(hidden, 2)]
    assert sections.kept(pd.DataFrame({"covered": [np.nan, np.nan]})) == []


def test_c_by_gate_bears_a_threshold_that_cannot_be_scored():
    row = {"threshold": 20.0, "patients": 3, "c_index": {"value": None, "low": None, "high": None}}
    good = row | {"c_index": {"value": 0.6, "low": 0.5, "high": 0.7}}
    assert "n = 3" in figures.c_by_gate([good, row]) and figures.c_by_gate(None) is None


def test_jobs_of_a_rule_are_summed(tmp_path):
    (tmp_path / "align_photos").mkdir()
    for i, (seconds, memory) in enumerate([(1.5, 10), (2.5, "-")]):
        row = pd.DataFrame({"s": [seconds], "max_rss": [memory]})
        row.to_csv(tmp_path / "align_photos" / f"{i}.tsv", sep="\t", index=False)
    assert run.run_times(tmp_path) == [
        {"rule": "align_photos", "jobs": 2, "seconds": 4.0, "mb": 10.0}
    ]


def test_settings_are_shown_without_paths():
    config = {
        "seed": 1,
        "results": "/data/results",
        "store": "/data/store",
        "cohort": {"photos": "/data/p.csv", "patients": "/data/q.csv", "folder": "/d", "time": "t"},
        "generator": {"pretrained": "/data/g.safetensors", "kimg": 4},
    }
    text = run.shareable(config)
    assert "/d" not in text
    assert yaml.safe_load(text) == {"seed": 1, "cohort": {"time": "t"}, "generator": {"kimg": 4}}


def test_best_is_the_model_that_the_config_names_not_the_luckiest():
    scores = [
        {"features": "face", "model": "coxph", "c_index": 0.6},
        {"features": "face", "model": "coxnet", "c_index": 0.9},
    ]
    assert pages.score_of(scores, "face", "coxph") == scores[0]
    assert pages.score_of(scores, "fused", "coxph") is None


def test_a_picture_keeps_nothing_but_its_pixels(tmp_path):
    photo = Image.new("RGB", (4, 4), "red")
    exif = Image.Exif()
    exif[0x010E] = "Mrs Jones"
    photo.save(tmp_path / "photo.jpg", exif=exif, comment=b"Mrs Jones")
    address = images.picture(tmp_path / "photo.jpg")
    assert address.startswith("data:image/png;base64,")
    assert b"Jones" not in base64.b64decode(address.partition(",")[2])


def test_grid_fills_row_by_row_and_leaves_the_rest_white():
    tiles = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)])
    sheet = np.asarray(grid(tiles, columns=2))
    assert sheet.shape == (2 * TILE, 2 * TILE, 3)
    assert sheet[::TILE, ::TILE, 0].tolist() == [[10, 20], [30, 255]]


def test_pictures_of_any_size_are_tiles_that_a_reader_can_open():
    """64 samples of 1024 pixels, each doubled, were more than Pillow opens again."""
    large = np.zeros((64, 1, 1, 3), np.uint8).repeat(1024, axis=1).repeat(1024, axis=2)
    large[1] = 200
    sheet = grid(large, columns=16)
    assert sheet.size == (16 * TILE, 4 * TILE) and sheet.getpixel((TILE + 64, 64)) == (200,) * 3
    assert images.mean_face(large[:2]).size == (2 * TILE, 2 * TILE)


def test_a_dollar_in_a_users_word_is_a_dollar():
    row = {"value": 0.6, "low": 0.5, "high": 0.7}
    drawing = figures.intervals({"$\\frac{": {"$a$ $b_$": row}}, 0.5, "$")
    assert "$a$ $b_$" in drawing and "$\\frac{" in drawing


def test_pictures_and_tensors_are_each_others_inverse():
    photos = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    assert to_tensor(photos).min() >= -1 and to_tensor(photos).max() <= 1
    assert to_uint8(to_tensor(photos)) == pytest.approx(photos, abs=1)


def test_tuning_is_shown_at_its_start_its_best_and_its_end():
    log = pd.DataFrame(
        {"kimg": [0.0, 1.0, 2.0], "frechet": [3.0, 1.0, 2.0], "pixel": [np.nan, 1, 2]}
    )
    quality = {"kept_kimg": 1.0, "floor": {"frechet": 0.5, "kernel": 0.1}}
    rows = sections.tuning(log, quality)
    assert [row["frechet"] for row in rows] == [3.0, 1.0, 2.0, 0.5]
    assert rows[3]["kimg"] is None


def test_the_closest_photos_are_found_by_their_pixels_among_those_that_stayed():
    red, green, blue = (np.full((1, 8, 8, 3), c, np.uint8) for c in np.diag([250] * 3))
    known = np.array([digest(image.tobytes()) for image in (red, blue)])  # red is gone
    found = {"samples": np.concatenate([green, red]), "photos": known}
    aligned = {"photo_ids": np.array(["a", "b"]), "images": np.concatenate([green, blue])}
    address = images.closest_samples(found, aligned)
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert picture.size == (TILE, 2 * TILE)
    assert picture.getpixel((64, 64)) == (250, 0, 0)
    assert picture.getpixel((64, 192)) == (0, 0, 250)
    gone = {"samples": red, "photos": known[:1]}
    assert images.closest_samples(gone, aligned) is None


def test_cost_of_a_fold_of_every_model(tmp_path):
    def write(generator, features, model, fold, seconds):
        folder = tmp_path / "fit_model" / generator / "full" / features / model
        folder.mkdir(parents=True, exist_ok=True)
        row = pd.DataFrame({"s": [seconds], "max_rss": [100 + fold]})
        row.to_csv(folder / f"1-{fold}.tsv", sep="\t", index=False)

    write("cohort", "clinical", "forest", 0, 8.0)
    for fold, seconds in enumerate([1.0, 3.0]):
        write("cohort", "face", "coxph", fold, seconds)
        write(f"fold-{fold}", "face", "coxph", fold, 4 * seconds)
    clinical, face, per_fold = run.fit_costs(tmp_path)
    assert (face["features"], face["model"], face["folds"]) == ("face", "coxph", 2)
    assert (face["seconds"], face["longest"], face["mb"]) == (2, 3, 101)
    assert [row["generator"] for row in (face, per_fold)] == ["cohort", "fold"]
    assert (per_fold["folds"], per_fold["seconds"], per_fold["longest"]) == (2, 8, 12)
    assert clinical["seconds"] == 8
    assert run.fit_costs(tmp_path / "nowhere") == []


def test_p_values_are_printed_without_false_precision():
    assert [pages.p_text(p) for p in (0.0001, 0.0314, None)] == ["< 0.001", "0.031", "–"]


SUMMARY = {
    "patients_in": 12,
    "patients_used": 10,
    "events": 7,
    "follow_up": {"value": 31.4, "low": 22.0, "high": None},
    "scores": [
        {"features": "face", "model": "coxph", "c_index": None, "c_index_low": None},
        {
            "features": "fused",
            "model": "coxph",
            "c_index": 0.7,
            "c_index_low": 0.6,
            "c_index_high": 0.8,
        },
    ],
}
SETTINGS = {
    "resolution": 64,
    "generator": {"per_fold": False},
    "cohort": {"time_unit": "months", "clinical": ["age", "sex"]},
    "survival": {
        "folds": 5,
        "repeats": 2,
        "inner_folds": 4,
        "features": ["fused", "face"],
        "models": ["coxph"],
    },
}


def test_guideline_has_its_27_items_and_answers_what_the_run_knows():
    rows = tripod.checklist(SUMMARY, {"horizons": [12.0, 24.5]}, SETTINGS)
    numbers = [tripod._main(row["item"]) for row in rows]
    assert numbers == sorted(numbers) and set(numbers) == set(range(1, 28))
    answers = {row["item"]: row["answer"] for row in reversed(rows)}
    assert len(answers) == 52  # with its parts
    assert "2 x 5-fold" in answers["12a"] and "12 and 24.5 months" in answers["12e"]
    assert "the test patients included" in answers["12a"]
    assert "2 of 12" in answers["11"] and "7 events" in answers["20a"]
    assert "0.700 (0.600 to 0.800) of fused and coxph" in answers["23a"]
    assert "Median follow-up 31.4 months" in answers["20a"]
    # Half an answer is none: why so many patients are enough is for the authors to say.
    assert [row["answer"] is None for row in rows if row["item"] == "10"] == [False, True]
    # Only the authors know who gave consent and why a model is wanted.
    assert all(answers[item] is None for item in ("1", "3a", "17", "18a", "25", "26"))
    assert tripod.answered(rows) == len(
        set(range(1, 28)) - {tripod._main(row["item"]) for row in rows if row["answer"] is None}
    )


def test_guideline_of_a_run_without_a_score_does_not_claim_one():
    # The face stands first here, and another model's score is none of its own.
    settings = SETTINGS | {"survival": SETTINGS["survival"] | {"features": ["face", "fused"]}}
    rows = tripod.checklist(SUMMARY, {"horizons": [12.0]}, settings)
    answer = next(r["answer"] for r in rows if r["item"] == "23a")
    assert answer.startswith("face and coxph") and answer.endswith("could not be scored.")


def test_curves_bear_the_nulls_of_a_fold_that_cannot_be_scored():
    found = {"value": [0.1, None], "low": [0.0, None], "high": [0.2, None]}
    group = {"predicted": 0.2, "observed": None, "low": None, "high": None}
    row = {
        "features": "face",
        "times": [1.0, 2.0],
        "auc": found,
        "brier": found,
        "brier_km": [0.2, None],
        "calibration": [{"grid": [0.1, 0.2], "curve": found, "groups": [group]}],
        "decision": [{"thresholds": [0.1, 0.2], "model": found, "everybody": [0.1, 0.0]}],
    }
    for drawing in (
        curves.auc_over_time([row], "months"),
        curves.brier_over_time([row], "months"),
        curves.calibration([row], 0),
        curves.decision([row], 0),
    ):
        assert drawing.startswith("<svg") and "face" in drawing
    assert "Kaplan-Meier" in curves.brier_over_time([row], "months")


def test_adjustments_stand_beside_what_the_score_was_before():
    def row(adjusted, age, yaw):
        names = {"age": age, "yaw": yaw}
        return {"adjusted": adjusted, "correlations": [{"name": n} | v for n, v in names.items()]}

    low, high = {"value": 0.1}, {"value": 0.5}
    rows = sections.adjustments(
        [row("", high, low), row("age", low, low), row("all of them", {}, {})]
    )
    assert [(r["before"] or {}).get("value") for r in rows] == [None, 0.5, None]
    assert [(r["after"] or {}).get("value") for r in rows] == [None, 0.1, None]


def test_scores_stand_beside_chance_and_the_true_model():
    row = {"features": "face", "c_index": 0.6, "c_index_low": 0.5, "c_index_high": 0.7}
    unscored = {"features": "pixels", "c_index": None, "c_index_low": None, "c_index_high": None}
    scores = [row | {"model": "coxph"}, unscored | {"model": "svm"}]
    words = ("face, coxph", "pixels, svm", "chance")
    drawing = figures.forest(scores, None)
    assert all(word in drawing for word in words) and "true model" not in drawing
    drawing = figures.forest(scores, {"fused": 0.7})
    assert all(word in drawing for word in (*words, "true model, fused"))


def test_recovered_and_unrelated_traits_are_shown_side_by_side():
    found = {"value": -0.5, "low": -0.6, "high": -0.4, "signed": True}
    truth = {
        "planted": [{"name": "dark_circles"} | found],
        "nuisance": [{"name": "warmth"} | found],
        "chance": {"median": 0.1, "high": 0.2, "count": 1},
    }
    drawing = figures.recovery(truth)
    assert drawing.startswith("<svg") and "dark circles" in drawing and "warmth" in drawing


def lead(low, high):
    """The report's first paragraph for a C of the face with this interval."""
    face = {"c_index": 0.66, "c_index_low": low, "c_index_high": high}
    page = {"face": face, "clinical": None, "true_model": None, "leakage": None, "model": "coxph"}
    page |= {"summary": {"events": 16}, "too_wide": TOO_WIDE}
    return pages.templates(ROOT / "workflow/report").get_template("lead.html.jinja").render(page)


def test_every_section_is_in_the_page():
    files = [p.name.split(".")[0] for p in (ROOT / "workflow/report/sections").iterdir()]
    assert sorted(files) == sorted(section.name for section in sections.SECTIONS)
    assert len(files) == 14


def test_sections_without_figures_are_left_out():
    page = {"survival": {"auc": None}, "measures": {"models": []}}
    left_out = [section.name for section in sections.SECTIONS if not section.shown(page)]
    assert left_out == ["time", "calibration", "benefit", "subgroups"]
    page = {"survival": {"auc": "<svg>"}, "measures": {"models": [{"subgroups": [1]}]}}
    assert all(section.shown(page) for section in sections.SECTIONS)


def test_patients_are_shown_only_where_the_config_allows_it():
    settings = {"report": {"patient_photos": False}, "cohort": {"demo": None}}
    few = {"aligned": {"patient_ids": np.repeat(["a", "b"], 20)}}
    many = {"aligned": {"patient_ids": np.arange(30).astype(str)}}
    hidden = sections.Run(few, settings, "")
    assert not hidden.shows_mean and hidden.patients(lambda: "face") is None
    assert sections.Run(many, settings, "").shows_mean
    allowed = sections.Run(few, settings | {"report": {"patient_photos": True}}, "")
    assert allowed.shows_mean and allowed.patients(lambda: "face") == "face"
    assert sections.Run(few, settings | {"cohort": {"demo": "config/demo"}}, "").shows_patients


def test_a_cohort_that_is_too_small_to_say_anything_is_called_so_beside_its_first_figure():
    small, large = lead(0.3, 0.9), lead(0.58, 0.74)
    assert "too small to say how good the model is" in small and "with 16 deaths" in small
    assert "does not exclude chance" in small
    assert "too small" not in large and "The interval excludes chance" in large
