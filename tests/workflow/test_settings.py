"""What is wrong in a config is told in one line, before anything runs."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from tiny import ROOT, copy_code, snakemake


def refused(folder, *arguments, **environment) -> str:
    """What a user reads of a run that does not begin; never the schema, never a traceback."""
    run = snakemake(folder, "--dry-run", *arguments, **environment)
    words = run.stdout + run.stderr
    assert run.returncode != 0, words
    assert "additionalProperties" not in words and "Traceback" not in words
    return words


def changed(road, folder, **changes):
    """A copy of the finished road with other values in its config."""
    copy = shutil.copytree(road, folder / "copy")
    config = yaml.safe_load((copy / "tiny.yaml").read_text())
    for name, value in changes.items():
        config[name] = config.get(name, {}) | value if isinstance(value, dict) else value
    (copy / "tiny.yaml").write_text(yaml.safe_dump(config))
    return copy


def test_what_snakemake_notes_and_what_shows_photos_is_closed(road):
    assert (road / ".snakemake").stat().st_mode & 0o077 == 0
    assert not (road / "results/reliance/examples.png").exists()
    assert "photo_ids" not in np.load(road / "results/generator/cohort/closest.npz")


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ('projection={"steps": "many"}', "projection.steps: 'many' is not of type 'integer'"),
        ("resolution=48", "resolution: 48 is not one of [16, 32, 64, 128, 256, 512, 1024]"),
        ('cohort={"colour": 1}', "cohort: Additional properties are not allowed ('colour' was"),
        ('survival={"models": []}', "survival.models: [] should be non-empty"),
        (
            'cohort={"columns": {"age": "numeric"}}',
            "columns.age: 'numeric' is not one of ['number', 'category', 'date']",
        ),
        ('cohort={"columns": {"age": {"missing": -9}}}', "missing: '-9' is not of type 'array'"),
        ('cohort={"columns": {"age": {"code": [9]}}}', "there are kind, missing, decimal, order"),
        ('cohort={"time": ""}', "cohort.time: '' should be non-empty"),
        ('cohort={"demo": ""}', "cohort.demo: '' should be non-empty"),
        ('views=["full", "face"]', "views: this setting is now called controls, without full"),
        ('scopes=["cohort", "fold"]', "scopes: this setting is now called generator.per_fold"),
        ("results=./", "results: .: not a folder of its own"),
        ("results=tiny.yaml", "results: tiny.yaml: not a folder of its own"),
        ("results=r{x}", "results: r{x}: Snakemake takes braces for wildcards"),
        ("results=~nobody-here/r", "results: ~nobody-here/r: no such user"),
    ],
)
def test_a_violation_of_the_schema_is_one_line(road, setting, line):
    assert line in refused(road, "--config", setting)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("cohort", "photos"),
        ("cohort", "patients"),
        ("cohort", "folder"),
        ("cohort", "demo"),
        ("generator", "pretrained"),
        ("generator", "perception"),
        ("projection", "lpips"),
    ],
)
def test_a_mistyped_name_is_told_after_a_finished_run(road, tmp_path, section, name):
    copy = changed(road, tmp_path, **{section: {name: "mistyped.csv"}})
    kind = "folder" if name in ("folder", "demo") else "file"
    line = f"{section}.{name}: mistyped.csv: no such {kind}; correct the path"
    assert line in refused(copy)


def test_a_deleted_sheet_is_told_after_a_finished_run(road, tmp_path):
    copy = changed(road, tmp_path)
    (copy / "patients.csv").unlink()
    assert "cohort.patients: patients.csv: no such file" in refused(copy)


def test_a_slash_at_the_end_and_a_tilde_are_nothing_new(road, tmp_path):
    copy = changed(road, tmp_path, results="results//", cohort={"folder": "~/photos/"})
    run = snakemake(copy, "results/cohort/flow.json", "--dry-run", HOME=str(copy))
    words = run.stdout + run.stderr
    assert "Nothing to be done" in words and "double" not in words.lower()
    config = yaml.safe_load((copy / "tiny.yaml").read_text())
    config["cohort"]["folder"] = "~/elsewhere"
    (copy / "tiny.yaml").write_text(yaml.safe_dump(config))
    assert f"cohort.folder: {copy}/elsewhere: no such folder" in refused(copy, HOME=str(copy))


def test_from_another_folder_one_line_says_where_to_run(tmp_path):
    copy_code(tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "tiny.yaml").write_text("seed: 2\n")
    words = refused(folder, "--snakefile", tmp_path / "Snakefile")
    assert "is a required property; what a config leaves out stands in config/config.yaml" in words
    assert f"--directory {tmp_path}" in words


def test_a_machine_that_knows_no_umlaut_writes_them(road, tmp_path):
    copy = changed(road, tmp_path, report={"title": "Gesichter und Überleben, 5 µm"})
    poor = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "snakemake", "results/report.html", "--cores=1"]
    run = subprocess.run(
        [*command, "--configfile=tiny.yaml"],
        cwd=copy,
        env=os.environ | poor,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    page = (copy / "results/report.html").read_text(encoding="utf-8")
    assert "<title>Gesichter und Überleben, 5 µm</title>" in page


def test_names_that_this_machine_would_write_otherwise_are_refused(road):
    """Jobs write names in UTF-8; beside them Snakemake would look for the same in Latin-1."""
    poor = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "snakemake", "-n", "--cores=1", "--configfile=tiny.yaml"]
    command += ["--config", "results=Überleben"]
    run = subprocess.run(
        command, cwd=road, env=os.environ | poor, capture_output=True, check=False, text=True
    )
    words = run.stdout + run.stderr
    assert run.returncode != 0 and "Traceback" not in words
    assert "does not write names in UTF-8; run Snakemake with PYTHONUTF8=1" in words


@pytest.mark.parametrize(
    ("text", "name"), [("report: {title: Second}\n", "report"), ("seed: 1\nseed: 2\n", "seed")]
)
def test_a_section_that_stands_twice_is_refused(road, tmp_path, text, name):
    copy = changed(road, tmp_path)
    with open(copy / "tiny.yaml", "a", encoding="utf-8") as file:
        file.write(text)
    assert f"tiny.yaml: {name} stands twice; keep one of them" in refused(copy)


def test_a_config_that_is_a_program_is_refused(road, tmp_path):
    copy = changed(road, tmp_path)
    text = (copy / "tiny.yaml").read_text()
    (copy / "tiny.yaml").write_text("__use_yte__: true\n" + text)
    assert "tiny.yaml: __use_yte__ makes the config a program" in refused(copy)


def test_torchscript_runs_only_if_it_is_the_file_that_was_meant(road, tmp_path):
    copy = changed(road, tmp_path, projection={"lpips": "vgg.pt"})
    (copy / "vgg.pt").write_bytes(b"program")
    words = refused(copy)
    assert "projection.lpips: vgg.pt is TorchScript, a program that runs here" in words

    def named(sha256):
        config = yaml.safe_load((copy / "tiny.yaml").read_text())
        config["projection"]["lpips"] = {"path": "vgg.pt", "sha256": sha256}
        (copy / "tiny.yaml").write_text(yaml.safe_dump(config))

    named("0" * 64)
    assert "vgg.pt: not the file that the config means (another SHA-256)" in refused(copy)
    named(hashlib.sha256(b"program").hexdigest())
    run = snakemake(copy, "--dry-run")
    assert run.returncode == 0, run.stdout + run.stderr


def test_names_of_sheets_are_on_no_page(road):
    """Snakemake's own report lists an input of each rule."""
    run = snakemake(road, "--report", "own.html")
    assert run.returncode == 0, run.stdout + run.stderr
    page = (road / "own.html").read_text(encoding="utf-8")
    assert len(page) > 10_000
    assert str(road) not in page
    assert "results/cohort/photos.csv" in page  # a result, unlike the sheets of the same name
    assert not re.search(r"(?<!/)(photos|patients)\.csv", page)


def test_the_networks_that_ship_need_no_digest():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    perception = schema["properties"]["generator"]["properties"]["perception"]["default"]
    assert perception.endswith(".safetensors")
    assert os.path.isfile(ROOT / perception)


def parameters() -> str:
    """All settings of the schema as a Markdown table, made of their descriptions."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    demo = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    lines = ["| setting | default | what it is |", "|---|---|---|"]

    def rows(properties, own, prefix):
        for name, setting in properties.items():
            if "properties" in setting:
                rows(setting["properties"], own.get(name, {}), f"{prefix}{name}.")
                continue
            value = f"`{json.dumps(setting['default'])}`" if "default" in setting else "–"
            if name in own and own[name] != setting.get("default", own):
                value += f"; demo: `{json.dumps(own[name])}`"
            about = " ".join(setting["description"].split())
            lines.append(f"| `{prefix}{name}` | {value} | {about} |")

    rows(schema["properties"], demo, "")
    return "\n".join(lines) + "\n"


def test_every_setting_is_explained_to_users():
    assert parameters() in (ROOT / "config/README.md").read_text(encoding="utf-8")
