"""The page's templates and headline."""

from pathlib import Path

from facies.report import pages
from facies.statistics.intervals import TOO_WIDE

ROOT = Path(__file__).parents[2]


def test_best_is_the_model_that_the_config_names_not_the_luckiest():
    scores = [
        {"features": "face", "model": "coxph", "c_index": 0.6},
        {"features": "face", "model": "coxnet", "c_index": 0.9},
    ]
    assert pages.score_of(scores, "face", "coxph") == scores[0]
    assert pages.score_of(scores, "fused", "coxph") is None


def test_p_values_are_printed_without_false_precision():
    assert [pages.p_text(p) for p in (0.0001, 0.0314, None)] == ["< 0.001", "0.031", "–"]


def lead(low, high):
    """The report's first paragraph for a C of the face with this interval."""
    face = {"c_index": 0.66, "c_index_low": low, "c_index_high": high}
    page = {"face": face, "clinical": None, "true_model": None, "leakage": None, "model": "coxph"}
    page |= {"summary": {"events": 16}, "too_wide": TOO_WIDE}
    return pages.templates(ROOT / "workflow/report").get_template("lead.html.jinja").render(page)


def test_a_cohort_that_is_too_small_to_say_anything_is_called_so_beside_its_first_figure():
    small, large = lead(0.3, 0.9), lead(0.58, 0.74)
    assert "too small to say how good the model is" in small and "with 16 deaths" in small
    assert "does not exclude chance" in small
    assert "too small" not in large and "The interval excludes chance" in large
