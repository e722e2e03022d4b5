"""What the sections show."""

from pathlib import Path

import numpy as np
import pandas as pd

from facies.report import sections

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


def test_tuning_is_shown_at_its_start_its_best_and_its_end():
    log = pd.DataFrame(
        {"kimg": [0.0, 1.0, 2.0], "frechet": [3.0, 1.0, 2.0], "pixel": [np.nan, 1, 2]}
    )
    quality = {"kept_kimg": 1.0, "floor": {"frechet": 0.5, "kernel": 0.1}}
    rows = sections.tuning(log, quality)
    assert [row["frechet"] for row in rows] == [3.0, 1.0, 2.0, 0.5]
    assert rows[3]["kimg"] is None


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
