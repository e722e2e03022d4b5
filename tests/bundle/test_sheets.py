"""Sheets of another hospital, refused or read by the types of the development."""

import numpy as np
import pandas as pd
import pytest

from facies.bundle import sheets
from facies.bundle.locked import (
    Bundle,
    encoder_arrays,
)
from facies.common.errors import InputError
from facies.survival.clinical import ClinicalEncoder


def test_unknown_categories_are_listed_and_count_as_none(capsys):
    known = pd.DataFrame({"stage": ["I", "II", "III"], "sex": ["F", "M", "F"]})
    encoder = ClinicalEncoder.learn(known, np.arange(3))
    words, _ = encoder_arrays(encoder)
    bundle = Bundle({"encoders": {"clinical": words}}, {})
    new = pd.DataFrame({"stage": ["IV", "II", None, "0"], "sex": ["F", "M", "F", None]})
    with pytest.raises(
        InputError, match=r"p.csv: stage: 2 of 3 values \(67%\) .* knows I, II, III:"
    ):
        sheets.unknown_categories("p.csv", bundle, new)
    half = new.assign(stage=["IV", "II", None, None])
    assert sheets.unknown_categories("p.csv", bundle, half) == {"stage": [0]}
    assert "stage: 1 of 2 values are not among I, II, III" in capsys.readouterr().out
    as_first = new.assign(stage=["I", "II", None, "I"])
    assert np.array_equal(encoder(new), encoder(as_first))


@pytest.mark.parametrize("words", ["mfmfmmfmmmfmmfmmmfmm", "mfffffffffmmmmmmmmmm"])
def test_a_category_that_is_named_differently_is_refused(words):
    """Where the development wrote w for f: half of the patients would count as men."""
    column = {"name": "sex", "median": None, "levels": ["m", "w"]}
    bundle, sex = Bundle({"encoders": {"clinical": [column]}}, {}), pd.DataFrame({"sex": [*words]})
    with pytest.raises(InputError, match=r"p.csv: sex: \d of 20 values .*knows m, w: write them"):
        sheets.unknown_categories("p.csv", bundle, sex)
    # A third one, beside both that are known, is only listed.
    third = pd.DataFrame({"sex": [*words.replace("f", "d"), *"wwwwwwwwww"]})
    assert len(sheets.unknown_categories("p.csv", bundle, third)["sex"]) == words.count("f")
    few = pd.DataFrame({"sex": [*"m" * 40, *"d" * 4]})
    assert len(sheets.unknown_categories("p.csv", bundle, few)["sex"]) == 4


def test_numbers_in_another_unit_are_refused():
    known = pd.DataFrame({"sex": [*"FFMMFM"], "age": [40.0, 50, 60, 70, 80, np.nan]})
    words, arrays = encoder_arrays(ClinicalEncoder.learn(known, np.arange(6)))
    arrays = {f"clinical.encoder.{name}": value for name, value in arrays.items()}
    bundle = Bundle({"encoders": {"clinical": words}}, arrays)
    sheets.refuse_other_units("p.csv", bundle, known)
    sheets.refuse_other_units("p.csv", bundle, known.assign(age=[20, 95, 60, 900, np.nan, 90]))
    with pytest.raises(InputError, match="p.csv: age: 5 of 5 values are more than 5 SD from"):
        sheets.refuse_other_units("p.csv", bundle, known.assign(age=known.age * 12))


def test_a_column_that_is_not_there_is_refused_and_a_missing_outcome_is_listed(tmp_path):
    card = {"encoders": {"clinical": [{"name": "age", "median": 60.0, "levels": []}]}}
    sheet = tmp_path / "patients.csv"
    unit = {"time_unit": "months"}
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,,0\n03,50,-2,1\n04,55,3,\n")
    for columns, missing in ((("weeks", "dead"), "weeks"), (("months", "event"), "event")):
        with pytest.raises(InputError, match=f"no column {missing}; there are patient_id, age"):
            sheets.read_patients(sheet, Bundle(card, {}), *columns)
    with pytest.raises(InputError, match="no column stage"):
        other = [{"name": "stage", "median": None, "levels": ["I"]}]
        sheets.read_patients(sheet, Bundle({"encoders": {"clinical": other}}, {}), None, None)
    found = sheets.read_patients(sheet, Bundle(card, {}), "months", "dead")
    assert len(found.clinical) == 4 and found.outcomes.index.tolist() == ["01"]
    assert found.reasons == {
        "02": "months is missing",
        "03": "months is not positive",
        "04": "dead is missing",
    }
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,0,1\n")
    found = sheets.read_patients(sheet, Bundle(card, {}), "months", "dead")
    assert found.outcomes.time.tolist() == [7, 0.5]
    assert found.notes[0] == "1 of 2 deaths at months 0 are counted at 0.5, half its unit"
    sheet.write_text("patient_id,age,months,dead\n01,60,7,1\n02,70,3000,1\n")
    found = sheets.read_patients(sheet, Bundle(card | {"cohort": unit}, {}), "months", "dead")
    assert (
        "months goes beyond 120 years if it is in months: write times in the unit" in found.notes[0]
    )
    with pytest.raises(InputError, match="predict.columns: Age is none of .*: months, age; corr"):
        sheets.read_patients(sheet, Bundle(card, {}), "months", "dead", {"Age": "number"})


def bundled(**kinds):
    """A bundle whose clinical columns are of these kinds."""
    words = [
        {"name": n, "median": None if kind == "category" else 60.0, "levels": ["I", "II"]}
        for n, kind in kinds.items()
    ]
    return Bundle({"encoders": {"clinical": words}, "cohort": {"kinds": kinds}}, {})


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("number", "60,old", "row 3: age is not a number"),
        ("number", "60,03.11.2018", "row 3: age is not a number"),
        ("date", "60,70", "row 2: age is not a date"),
        ("number", "60,-999", "row 3: age holds -999 .*predict.columns: {age: {missing"),
        ("number", "300,1.200", "row 3: age has two meanings.*predict.columns: {age: {decimal"),
    ],
)
def test_a_column_of_another_kind_is_refused(tmp_path, kind, cells, message):
    sheet = tmp_path / "patients.csv"
    sheet.write_text(
        "patient_id,age\n" + "".join(f"0{i},{c}\n" for i, c in enumerate(cells.split(",")))
    )
    with pytest.raises(InputError, match=message):
        sheets.read_patients(sheet, bundled(age=kind), None, None)
    with pytest.raises(InputError, match=f"age was a {kind} where the bundle was made"):
        sheets.read_patients(sheet, bundled(age=kind), None, None, {"age": "category"})


def test_sheets_of_another_hospital_are_read_by_the_bundle_s_kinds(tmp_path):
    photos, sheet = tmp_path / "photos.csv", tmp_path / "patients.csv"
    photos.write_text("photo_id;patient_id;path\na;01;a.jpg\n")
    sheet.write_text("patient_id;age;seen;ward\n01;63,4;03.11.2018;2\n02;k.A.;04.11.2018;II\n")
    bundle = bundled(age="number", seen="date", ward="category")
    _, found = sheets.read_both(photos, sheet, bundle, None, None)
    assert found.clinical.age.fillna(-1).tolist() == [63.4, -1]
    assert found.clinical.seen.tolist() == [6881, 6882]
    assert found.clinical.ward.tolist() == ["ward 2", "II"]
    assert found.columns.kind.tolist() == ["number", "date", "category"]
    sheet.write_text(sheet.read_text().replace("01;", "1;"))
    with pytest.raises(
        InputError, match=r"patients.csv row 2 and \S*photos.csv row 2 .* leading ze"
    ):
        sheets.read_both(photos, sheet, bundle, None, None)
    photos.write_text("photo_id;patient_id;path\na;A-1;a.jpg\n")
    with pytest.raises(InputError, match=r"patients.csv: no patient of \S*photos.csv is in it"):
        sheets.read_both(photos, sheet, bundle, None, None)
    with pytest.raises(InputError, match="predict.patients: name a sheet"):
        sheets.read_both(photos, None, bundle, None, None)


def test_a_number_that_is_missing_is_read_as_missing(tmp_path):
    sheet = tmp_path / "patients.csv"
    sheet.write_text("patient_id,age\n01,60\n02,NA\n")
    found = sheets.read_patients(sheet, bundled(age="number"), None, None)
    assert found.clinical.index.tolist() == ["01", "02"] and found.outcomes.empty
    assert found.clinical.age.isna().tolist() == [False, True]
    filled = "age: 1 of 2 values are missing and are filled in as where the bundle was made"
    assert found.notes == [filled]
    sheet.write_text("patient_id,age\n01,\n02,NA\n")
    with pytest.raises(InputError, match="age has no value; the bundle's clinical models need it"):
        sheets.read_patients(sheet, bundled(age="number"), None, None)
