"""What is changed between two runs, in a folder with both sheets, photos and one config; and the
jobs that each change makes due."""

import shutil

import yaml


def add_photo(folder):
    shutil.copy(folder / "photos/3.jpg", folder / "photos/new.jpg")
    with open(folder / "photos.csv", "a") as sheet:
        sheet.write("003-b,003,new.jpg\n")


def change_outcome(folder):
    sheet = (folder / "patients.csv").read_text()
    (folder / "patients.csv").write_text(sheet.replace("\n002,", "\n002,1"))


def remove_patient(folder):
    for name, column in (("photos.csv", 1), ("patients.csv", 0)):
        rows = (folder / name).read_text().splitlines()
        kept = [row for row in rows if row.split(",")[column] != "002"]
        assert len(kept) == len(rows) - 1
        (folder / name).write_text("\n".join(kept) + "\n")


def change_model(folder):
    (path,) = folder.glob("*.yaml")
    config = yaml.safe_load(path.read_text())
    config["survival"]["inner_folds"] = 3
    path.write_text(yaml.safe_dump(config))


def change_script(folder):
    script = folder / "workflow/scripts/evaluate.py"
    script.write_text(script.read_text() + "\n")


def ask_for_leakage(folder):
    config = yaml.safe_load((folder / "tiny.yaml").read_text())
    config["generator"]["per_fold"] = True
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config))


FITS = 8  # four kinds of features, two folds
EXPLAINED = {"explain": 1, "edit_faces": 1, "attribute_risk": 1}
FITTED = {"fit_model": FITS, "permute_outcomes": 1, "evaluate": 1, "write_report": 1} | EXPLAINED
FITTED |= {"weigh_nuisance": 1, "weigh_layers": 1, "judge_reliance": 1}
# What a changed sheet makes due: the merge looks whether copies of photos have one outcome. That
# crops, and with them generator and codes, are the same then, is for the run to find.
MERGED = {"merge_aligned": 1, "split_patients": 1, "finetune_generator": 1, "merge_latents": 1}
GATED = {"project_photos": 2, "gate_photos": 1, "measure_nuisance": 1}
SHEET = {"check_cohort": 1} | MERGED | GATED | FITTED
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
