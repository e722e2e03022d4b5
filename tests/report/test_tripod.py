"""Answers to the reporting guideline."""

from facies.report import tripod

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
