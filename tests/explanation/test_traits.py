"""Columns for which scores are adjusted."""

import shutil

import pandas as pd
import pytest

from facies.explanation.traits import chosen_traits

PHOTOS = pd.DataFrame({"photo_id": ["a1", "a2", "a3", "b1"], "patient_id": ["a", "a", "a", "b"]})
ALIGNED = pd.DataFrame(
    {
        "photo_id": ["a1", "a2", "a3", "b1"],
        "used": [1, 1, 0, 1],
        "reason": ["", "", "no face found", ""],
        "yaw": [0.1, 0.3, 9.0, -0.2],
        "quad_0": [1.0, 2, 3, 4],
    }
)
CLINICAL = pd.DataFrame({"sex": ["F", "M"]}, index=pd.Index(["b", "a"], name="patient_id"))


def test_traits_are_clinical_measured_or_of_the_sheet_and_of_usable_photos():
    named = pd.DataFrame({"photo_id": ["a1", "a2", "a3", "b1"], "yaw": 7.0})
    named = named.assign(ward=[None, "north", "south", "south"], glasses=[1.0, 0, 1, 1])
    names = ["yaw", "sex", "ward", "glasses"]
    traits = chosen_traits(names, CLINICAL, PHOTOS, ALIGNED, named)
    assert list(traits) == names
    assert traits.loc["a"].tolist() == [pytest.approx(0.2), "M", "north", 0.5]
    assert traits.loc["b"].tolist() == [-0.2, "F", "south", 1]


def test_a_column_that_nobody_measured_is_refused(road, tmp_path):
    from tiny import snakemake, write_config

    copy = shutil.copytree(road, tmp_path / "copy")
    write_config(copy, explanation={"columns": ["age", "shoe_size"]})
    run = snakemake(copy, "results/cohort/columns.csv")
    assert run.returncode != 0
    message = "explanation.columns: no column shoe_size: it is none of the photos' sheet"
    assert message in run.stdout + run.stderr
