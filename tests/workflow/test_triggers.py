"""Which jobs each kind of change makes due: those that it may concern, and no others."""

import shutil

import pytest
import yaml
from changes import add_photo, change_model, change_outcome, change_script, remove_patient
from tiny import planned

FITS = 8  # four kinds of features, two folds
EXPLAINED = {"explain": 1, "edit_faces": 1, "attribute_risk": 1}
FITTED = {"fit_model": FITS, "permute_outcomes": 1, "evaluate": 1, "write_report": 1} | EXPLAINED
FITTED |= {"weigh_nuisance": 1, "weigh_layers": 1, "judge_reliance": 1}
# What a changed sheet makes due: the merge looks whether copies of photos have one outcome. That
# crops, and with them generator and codes, are the same then, is for the run to find.
MERGED = {"merge_aligned": 1, "split_patients": 1, "finetune_generator": 1, "merge_latents": 1}
GATED = {"project_photos": 2, "gate_photos": 1, "measure_nuisance": 1}
SHEET = {"check_cohort": 1} | MERGED | GATED | FITTED


def ask_for_leakage(folder):
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    config["generator"]["per_fold"] = True
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


# A generator, codes and the fits of face and both for each of the two folds.
LEAKAGE = {"finetune_generator": 2, "project_photos": 4, "merge_latents": 2, "fit_model": 4}

TABLE = {
    add_photo: SHEET | {"align_photos": 1},
    change_outcome: SHEET,
    remove_patient: SHEET | {"align_photos": 1},
    change_model: FITTED,
    ask_for_leakage: LEAKAGE | {"evaluate": 1, "write_report": 1},
    change_script: {"evaluate": 1, "write_report": 1},
}


@pytest.mark.parametrize("change", TABLE, ids=lambda change: change.__name__)
def test_jobs_that_a_change_makes_due(road, tmp_path, change):
    copy = shutil.copytree(road, tmp_path / "copy")
    change(copy)
    jobs = planned(copy)
    assert jobs.pop("all") == 1 and jobs.pop("total") == 1 + sum(jobs.values())
    # A copied workflow's report is due anyway: its template lies in another folder now.
    assert jobs == {"write_report": 1} | TABLE[change]


def test_a_fold_s_fit_sees_the_codes_of_the_fold_s_own_generator(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    ask_for_leakage(copy)
    # With the codes of another generator there would be two generators to tune.
    jobs = planned(
        copy, "results/fits/fold-2/full/face/coxph/1-2.npz", "results/latents/fold-2/full.npz"
    )
    own = {"finetune_generator": 1, "project_photos": 2, "merge_latents": 1, "fit_model": 1}
    assert jobs == own | {"total": 5}


@pytest.mark.parametrize(
    ("module", "due"),
    [
        ("cohort/sheets", {"check_cohort"}),
        ("demo/portraits", {"explain"}),
        ("common/files", {"measure_nuisance", "weigh_nuisance", "gate_photos"}),
        ("common/rows", {"merge_aligned", "merge_latents", "write_report"}),
    ],
)
def test_a_changed_module_makes_the_scripts_due_that_import_it(road, tmp_path, module, due):
    copy = shutil.copytree(road, tmp_path / "copy")
    path = copy / f"workflow/scripts/facies/{module}.py"
    path.write_text(path.read_text() + "\n# No more than this.\n")
    assert due.isdisjoint(set(planned(copy)) - {"write_report"})
    path.write_text(path.read_text() + "\n\nANOTHER = 1\n")
    assert due <= set(planned(copy))
