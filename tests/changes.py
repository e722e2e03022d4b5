"""What is changed between two runs, in a folder with both sheets, photos and one config."""

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
