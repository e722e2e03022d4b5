"""The model card by hand."""

from facies.bundle.card import as_markdown, cross_validated, statements


def test_scores_are_those_of_the_bundled_model():
    rows = [
        {"features": "face", "model": "coxph", "c_index": 0.7, "auc": 0.8},
        {"features": "face", "model": "coxnet", "c_index": 0.9},
    ]
    assert cross_validated({"scores": rows}, "coxph") == {"face": {"c_index": 0.7}}


def test_an_unscored_model_is_called_so():
    scores = {"c_index": 0.7, "c_index_low": 0.65, "c_index_high": 0.75}
    models = {"face": {"model": "coxph", "scores": scores}}
    models["clinical"] = {"model": "coxph", "scores": {}}
    cohort = {"patients": 10, "events": 3, "photos": 12, "clinical": ["age"]}
    text = as_markdown({"cohort": cohort, "models": models, **statements()}, "abc")
    assert "`abc`" in text and "10 patients, 3 deaths, 12 photos." in text
    assert "| face | coxph | 0.700 (0.650 to 0.750) |" in text
    assert "| clinical | coxph | not scored |" in text
    assert "**Intended use.** Research" in text
