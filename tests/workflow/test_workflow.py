"""The whole road on a tiny cohort, and what each kind of change makes run again."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import yaml
from PIL import Image
from tiny import PATIENTS, SURVIVAL, planned, snakemake

from facies.demo.people import pretraining_portraits
from facies.demo.portraits import render


def test_every_photo_and_patient_is_accounted_for(road):
    summary = json.loads((road / "results/evaluation/summary.json").read_text())
    assert summary["photos_in"] == summary["patients_in"] == PATIENTS
    reasons = {row.get("photo_id", row.get("patient_id")): row for row in summary["excluded"]}
    assert {"005", "007", "010"} <= set(reasons)
    embedded = set(np.load(road / "results/latents/cohort/full.npz")["photo_ids"])
    assert {"008", "009"} <= embedded and not {"005", "010"} & embedded
    photos = [row for row in summary["excluded"] if "photo_id" in row]
    patients = [row for row in summary["excluded"] if "patient_id" in row]
    assert summary["photos_used"] + len(photos) == PATIENTS
    assert summary["patients_used"] + len(patients) == PATIENTS
    assert {row["features"] for row in summary["scores"]} == {"face", "clinical", "fused", "pixels"}


def test_report_is_one_file_that_names_nobody(road):
    report = (road / "results/report.html").read_text()
    assert set(re.findall("https?://[^/]+", report)) == {"http://www.w3.org"}  # SVG's name
    assert str(road) not in report and "photos.csv" not in report
    assert "not a readable picture" in report
    assert "Photos (above)" not in report
    assert "<td>months</td><td>time</td><td>number</td><td>months</td>" in report
    assert "<td>age</td><td>clinical</td><td>number</td>" in report


def test_results_are_closed_to_other_users(road):
    assert (road / "results").stat().st_mode & 0o077 == 0
    assert (road / "results/latents/cohort/full.npz").stat().st_mode & 0o077 == 0


def test_second_run_does_nothing(road):
    assert "Nothing to be done" in snakemake(road).stderr


def test_deleted_results_come_back_from_the_store(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before = dict(np.load(copy / "results/latents/cohort/full.npz"))
    shutil.rmtree(copy / "results/latents")
    target = "results/latents/cohort/full.npz"
    assert planned(copy, target) == {"project_photos": 2, "merge_latents": 1, "total": 3}
    assert snakemake(copy, target).returncode == 0
    logs = [path.read_text() for path in (copy / "results/logs/project_photos").iterdir()]
    assert logs == ["", ""]  # a projected photo would be told of
    after = np.load(copy / target)
    assert all(np.array_equal(before[name], after[name]) for name in ("codes", "images"))


def test_one_added_photo_costs_one_photo_and_the_refits(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    before = dict(np.load(copy / "results/latents/cohort/full.npz"))
    portrait = next(pretraining_portraits(998, 1))
    Image.fromarray(render(portrait, 160)[0]).save(copy / "photos/new.jpg")
    with open(copy / "photos.csv", "a") as sheet:
        sheet.write("003-b,003,new.jpg\n")
    targets = ("results/aligned/full.npz", "results/evaluation/summary.json")
    assert planned(copy, *targets)["align_photos"] == 1
    assert snakemake(copy, *targets).returncode == 0
    logs = [path.read_text() for path in (copy / "results/logs/project_photos").iterdir()]
    assert sum(log.startswith("1/1 photos") for log in logs) == 1
    after = np.load(copy / "results/latents/cohort/full.npz")
    old = after["photo_ids"] != "003-b"
    assert old.sum() == len(old) - 1
    assert np.array_equal(after["codes"][old], before["codes"])
    assert len(np.load(copy / "results/aligned/full.npz")["photo_ids"]) == len(old)
    assert "Nothing to be done" in snakemake(copy, *targets).stderr


def test_changed_code_behind_a_module_counts_and_a_comment_does_not(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    module = copy / "workflow/scripts/facies/generator/losses.py"  # projection imports it
    module.write_text(module.read_text() + "\n# a comment\n")
    # The report alone: its template lies in another folder now.
    assert set(planned(copy)) == {"write_report", "all", "total"}
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    jobs = planned(copy)
    assert jobs["project_photos"] == 2 and jobs["finetune_generator"] == 1
    assert "align_photos" not in jobs


def test_a_job_that_failed_is_run_again(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    sheet = (copy / "patients.csv").read_text()
    (copy / "patients.csv").write_text(sheet.replace("months", "weeks"))
    failed = snakemake(copy)
    assert failed.returncode != 0
    assert "no column months; there are patient_id, weeks" in failed.stdout + failed.stderr
    (copy / "patients.csv").write_text(sheet.replace("000,", "000,1"))
    targets = ("results/cohort/patients.csv", "results/folds.csv")
    assert snakemake(copy, *targets).returncode == 0
    patients = pd.read_csv(copy / "results/cohort/patients.csv", dtype=str)
    assert patients.time[0].startswith("1")
    assert "Nothing to be done" in snakemake(copy, *targets).stderr


def test_one_command_tells_of_a_wrong_checkpoint(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy")
    (copy / "start.safetensors").write_bytes(b"\x80\x02}.")
    failed = snakemake(copy, "import_generator")
    assert failed.returncode != 0
    assert "start.safetensors: holds no network G_ema" in failed.stdout + failed.stderr


def test_unknown_key_is_refused_in_one_clear_message(road):
    run = snakemake(road, "--dry-run", "--config", "colour=red")
    assert run.returncode != 0
    assert "colour" in run.stdout + run.stderr
    assert "unexpected" in run.stdout + run.stderr


def test_a_nuisance_that_is_not_in_the_sheet_is_told_before_anything_runs(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy", ignore=shutil.ignore_patterns("store"))
    config = yaml.safe_load((copy / "tiny.yaml").read_text())
    config["cohort"]["nuisance"] = ["camera"]
    (copy / "tiny.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(copy, "--dry-run")
    assert run.returncode != 0
    assert "photos.csv: no column camera; there are photo_id" in run.stdout + run.stderr


def test_models_without_features_have_one_row_each(road):
    models = '{"models": ["coxph", "cnn", "kaplanmeier"]}'
    added = planned(road, "--config", f"survival={models}")["fit_model"]
    assert added == 2 * SURVIVAL["folds"]
    first = snakemake(road, "--dry-run", "--config", 'survival={"models": ["kaplanmeier"]}')
    assert first.returncode != 0
    assert "cannot be the headline" in first.stdout + first.stderr


def test_the_plan_needs_nothing_but_the_sheets(road, tmp_path):
    copy = shutil.copytree(road, tmp_path / "copy", ignore=shutil.ignore_patterns("results"))
    assert planned(copy, "plan_study") == {"check_cohort": 1, "plan_study": 1, "total": 2}
    assert snakemake(copy, "plan_study").returncode == 0
    assert "patients" in (copy / "results/plan.md").read_text()


def test_report_of_snakemake_itself(road):
    run = snakemake(road, "--report", "snakemake.html")
    assert run.returncode == 0, run.stderr
    assert (road / "snakemake.html").stat().st_size > 10_000
