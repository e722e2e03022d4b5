"""Which jobs each kind of change makes due: those that it may concern, and no others."""

import shutil

import pytest
from changes import TABLE, ask_for_leakage
from tiny import planned


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
