"""Results that Snakemake knows nothing of are made again unless they are of today's settings."""

import json
import shutil

import pytest
import yaml
from changes import TABLE, change_model
from tiny import planned, snakemake


def reconfigure(folder, **changes):
    """Change values of sections, or values without one, in the folder's config."""
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    for name, value in changes.items():
        config[name] = config.get(name, {}) | value if isinstance(value, dict) else value
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


@pytest.fixture
def forgotten(road, tmp_path):
    """The whole road's results, without what Snakemake noted of them."""
    ignored = shutil.ignore_patterns(".snakemake")
    return shutil.copytree(road, tmp_path / "copy", ignore=ignored)


def test_results_of_today_are_left_alone(forgotten):
    assert "Nothing to be done" in snakemake(forgotten, "--dry-run").stdout


@pytest.mark.parametrize("change", TABLE, ids=lambda change: change.__name__)
def test_a_change_makes_due_what_it_may_concern(forgotten, change):
    change(forgotten)
    jobs = planned(forgotten)
    assert jobs.pop("all") == 1 and jobs.pop("total") == 1 + sum(jobs.values())
    assert jobs == TABLE[change]


def test_settings_code_and_networks_count_as_ever(road, forgotten, tmp_path):
    known = shutil.copytree(road, tmp_path / "known")
    for folder in (known, forgotten):
        reconfigure(folder, projection={"steps": 4, "batch": 8, "gate": {"action": "keep"}})
    assert planned(known) == planned(forgotten)
    reconfigure(forgotten, projection={"steps": 3})
    assert "Nothing to be done" in snakemake(forgotten, "--dry-run").stdout
    (forgotten / "start.safetensors").write_bytes(b"another")
    assert {"import_generator", "project_photos", "fit_model"} <= set(planned(forgotten))
    # Only what is asked for is made again.
    assert planned(forgotten, "results/cohort/photos.csv", "results/generator/pretrained.png") == {
        "import_generator": 1,
        "total": 1,
    }


def test_a_renamed_folder_holds_what_it_held(forgotten):
    (forgotten / "results").rename(forgotten / "old results")
    reconfigure(forgotten, results="old results")
    assert "Nothing to be done" in snakemake(forgotten, "--dry-run").stdout
    reconfigure(forgotten, survival={"inner_folds": 3})
    jobs = planned(forgotten)
    assert {name: jobs[name] for name in TABLE[change_model]} == TABLE[change_model]


def test_what_nothing_is_known_of_is_made_again(forgotten):
    folds = forgotten / "results/.folds.csv.seal"
    note = json.loads(folds.read_text())
    folds.unlink()
    assert planned(forgotten, "results/folds.csv") == {"split_patients": 1, "total": 1}
    folds.write_text(json.dumps(note | {"recipe": "of other settings"}))
    assert planned(forgotten, "results/folds.csv") == {"split_patients": 1, "total": 1}
    folds.write_text(json.dumps(note))
    assert "Nothing to be done" in snakemake(forgotten, "results/folds.csv", "--dry-run").stdout


def test_touch_marks_results_as_up_to_date(forgotten):
    reconfigure(forgotten, survival={"inner_folds": 3})
    (forgotten / "results/.folds.csv.seal").unlink()
    assert planned(forgotten)
    assert snakemake(forgotten, "--touch").returncode == 0
    assert "Nothing to be done" in snakemake(forgotten, "--dry-run").stdout
    shutil.rmtree(forgotten / ".snakemake")
    assert "Nothing to be done" in snakemake(forgotten, "--dry-run").stdout
    reconfigure(forgotten, survival={"inner_folds": 2})
    assert planned(forgotten)
