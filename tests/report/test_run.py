"""Costs and settings of the run."""

import pandas as pd
import yaml

from facies.report import run


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
