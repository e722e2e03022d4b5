"""Curves that bear gaps."""

from facies.report import curves


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
