"""Figures that bear what a run may hold."""

from facies.report import figures


def test_c_by_gate_bears_a_threshold_that_cannot_be_scored():
    row = {"threshold": 20.0, "patients": 3, "c_index": {"value": None, "low": None, "high": None}}
    good = row | {"c_index": {"value": 0.6, "low": 0.5, "high": 0.7}}
    assert "n = 3" in figures.c_by_gate([good, row]) and figures.c_by_gate(None) is None


def test_a_dollar_in_a_users_word_is_a_dollar():
    row = {"value": 0.6, "low": 0.5, "high": 0.7}
    drawing = figures.intervals({"$\\frac{": {"$a$ $b_$": row}}, 0.5, "$")
    assert "$a$ $b_$" in drawing and "$\\frac{" in drawing


def test_scores_stand_beside_chance_and_oracle():
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
