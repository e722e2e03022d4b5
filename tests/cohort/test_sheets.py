import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import check_cohort as script
from facies.cohort.sheets import Columns, check_cohort, rounding
from facies.common.errors import InputError
from facies.common.files import read_table
from facies.survival.clinical import ClinicalEncoder

COLUMNS = Columns("months", "event", ("age",))
PATIENTS = "patient_id,months,event,age\n007,5,1,60\n008,7.5,0,\n009,3,yes,50\n"
PHOTOS = "photo_id,patient_id,path\na,007,a.jpg\nb,007,b c.jpg\nc,008,c.jpg\nd,009,d.jpg\n"


@pytest.fixture
def check(tmp_path):
    def run(photos=PHOTOS, patients=PATIENTS, columns=COLUMNS):
        (tmp_path / "photos.csv").write_bytes(photos.encode())
        (tmp_path / "patients.csv").write_bytes(patients.encode())
        return check_cohort(tmp_path / "photos.csv", tmp_path / "patients.csv", columns)

    return run


def test_good_sheets_keep_leading_zeros_and_missing_values(check):
    cohort = check()
    assert list(cohort.patients.patient_id) == ["007", "008", "009"]
    assert list(cohort.patients.time) == [5, 7.5, 3]
    assert list(cohort.patients.event) == [1, 0, 1]
    assert list(cohort.patients.age.fillna(-1)) == [60, -1, 50]
    assert cohort.flow == {"photos_in": 4, "patients_in": 3, "excluded": [], "notes": []}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_a_spreadsheet_saves(check, separator):
    patients = "\ufeff" + PATIENTS.replace(",", separator).replace("7.5", "7,5")
    assert list(check(patients=patients.replace("\n", "\r\n")).patients.time) == [5, 7.5, 3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("010,,1,40", "months is missing"),
        ("010,soon,1,40", "months is not a number"),
        ("010,inf,1,40", "months is not a number"),
        ("010,-2,1,40", "months is not positive"),
        ("010,0,0,40", "months is 0 without a death: no follow-up"),
        ("010,1e999,1,40", "months is not a number"),
        ("010,4,,40", "event is missing"),
    ],
)
def test_unusable_outcome_is_listed_with_its_photo(check, row, reason):
    cohort = check(PHOTOS + "e,010,e.jpg\n", PATIENTS + row + "\n")
    assert cohort.flow["excluded"] == [
        {"patient_id": "010", "reason": reason},
        {"photo_id": "e", "reason": "its patient has no usable outcome"},
    ]
    assert cohort.flow["photos_in"] == 5 and len(cohort.photos) == 4
    assert cohort.flow["patients_in"] == 4 and len(cohort.patients) == 3


def test_photo_without_patient_and_patient_without_photo(check):
    cohort = check(PHOTOS + "e,999,e.jpg\n", PATIENTS + "010,4,1,40\n")
    assert cohort.flow["excluded"] == [
        {"patient_id": "010", "reason": "no photo in the photos' sheet"},
        {"photo_id": "e", "reason": "its patient is not in the patients' sheet"},
    ]


def test_identical_row_twice_is_kept_once(check):
    cohort = check(patients=PATIENTS + "007,5,1,60\n")
    assert len(cohort.patients) == 3 and cohort.flow["patients_in"] == 4
    assert cohort.flow["excluded"][0]["reason"] == "a duplicate of another row; one was kept"


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"patients": PATIENTS + "007,6,1,60\n"}, "rows 2, 5 have the same patient_id;"),
        ({"photos": PHOTOS + "a,008,z.jpg\n"}, "rows 2, 6 have the same photo_id;"),
        (
            {"photos": PHOTOS + "x y,008,z.jpg\n"},
            "row 6: photo_id may hold only letters from A to Z",
        ),
        ({"photos": PHOTOS + "../e,008,z.jpg\n"}, "row 6: photo_id may hold only"),
        ({"patients": PATIENTS.replace("event", "died")}, "no column event; there are patient_id"),
        ({"patients": PATIENTS.replace("age", "Age")}, "no column age"),
        ({"patients": "patient_id,months,event,age\n"}, "the sheet is empty"),
        ({"patients": PATIENTS + "011,5\n"}, "row 5 has 2 cells, not 4"),
        (
            {"patients": PATIENTS + "010,4,2,40\n"},
            "row 5: event is neither 1 nor 0; write 1 for a death",
        ),
        ({"patients": PATIENTS + "010,4,1,old\n"}, "row 5: age is no number, unlike most"),
        ({"patients": PATIENTS.replace("age", "event")}, "heading event stands twice"),
        ({"patients": PATIENTS.replace(",1,", ",0,").replace("yes", "no")}, "holds no event"),
        ({"photos": "photo_id,patient_id,path\na,1,a.jpg\n"}, "no patient has a photo"),
        (
            {"patients": re.sub(r",(5|7.5|3),", ",0,", PATIENTS)},
            "months holds the same time for",
        ),
    ],
)
def test_what_stops_the_run_names_row_and_remedy(check, sheets, message):
    with pytest.raises(InputError, match=message):
        check(**sheets)


def test_independent_mistakes_of_both_sheets_are_reported_together(check):
    patients = PATIENTS.replace("009,3,yes,50", "009,3,2,old") + "007,6,1,40\n011,5,1,42\n"
    with pytest.raises(InputError) as stopped:
        check(PHOTOS.replace("c,008", "a,008") + "e/,007,e.jpg\n", patients)
    lines = [re.sub(r"^\S*/", "", line).split(";")[0] for line in str(stopped.value).splitlines()]
    assert lines == [
        "patients.csv: row 4: age is no number, unlike most of its column",
        "patients.csv: row 4: event is neither 1 nor 0",
        "photos.csv: row 6: photo_id may hold only letters from A to Z, digits, - and _, and must "
        "not be empty",
        "photos.csv: rows 2, 4 have the same photo_id",
        "patients.csv: rows 2, 5 have the same patient_id",
    ]


def test_both_sheets_are_read_before_the_run_stops(check):
    with pytest.raises(InputError, match=r"(?s)photos.csv: no column path.*\n.*no column months"):
        check(PHOTOS.replace("path", "file"), PATIENTS.replace("months", "days"))


def test_a_clinical_column_that_is_the_outcome_is_refused(check):
    with pytest.raises(InputError, match="cohort.clinical names event"):
        check(columns=Columns("months", "event", ("age", "event")))


def test_thousands_by_evidence_of_the_column(check):
    cohort = check(PHOTOS + "e,010,e.jpg\n", PATIENTS + '010,"1,234",1,40\n')
    assert list(cohort.patients.time) == [5, 7.5, 3, 1234]


def test_thousands_without_evidence_are_asked(check):
    rows = [f"{i:03d};{days};{i % 2};60" for i, days in enumerate((300, 600, "1.200", "2.400"), 1)]
    sheets = {
        "patients": "\n".join(["patient_id;months;event;age", *rows]),
        "photos": PHOTOS.replace("008", "003").replace("007", "002").replace("009", "004"),
    }
    with pytest.raises(InputError, match=r"patients.csv: row 4: months has two meanings.*decimal"):
        check(**sheets)
    declared = dataclasses.replace(COLUMNS, declared={"months": {"decimal": ","}})
    assert list(check(**sheets, columns=declared).patients.time) == [600, 1200, 2400]


def test_words_for_missing_are_missing(check):
    cohort = check(patients=PATIENTS.replace("1,60", "1,NA"))
    assert list(cohort.patients.age.isna()) == [True, True, False]


@pytest.mark.parametrize(
    ("cell", "message"),
    [("inf", "row 2: age is no number, unlike most"), ("-999", "row 2: age holds -999")],
)
def test_a_clinical_cell_that_no_model_could_fit_stops_here(check, cell, message):
    patients = PATIENTS.replace("1,60", f"1,{cell}").replace("0,\n", "0,70\n")
    with pytest.raises(InputError, match=message):
        check(patients=patients)


def test_a_column_without_any_value_stops_here(check):
    patients = PATIENTS.replace("1,60", "1,").replace("yes,50", "yes,NA")
    with pytest.raises(InputError, match="column age holds no value for any patient"):
        check(patients=patients)


def test_free_text_is_no_category(check):
    rows = [f"1{i:02d},{i + 1},1,text {'abcdefghijkl'[i]}" for i in range(12)]
    patients = "\n".join(["patient_id,months,event,age", *rows])
    with pytest.raises(InputError, match="age holds 12 different words in 12 rows, too many"):
        check(patients=patients, photos=PHOTOS.replace("007", "100"))


@pytest.mark.parametrize(
    ("photos", "patients", "message"),
    [
        (
            PHOTOS.replace("007", "7"),
            PATIENTS,
            r"patients.csv row 2 and \S*photos.csv row 2 \(1 in",
        ),
        (
            PHOTOS,
            PATIENTS.replace("008", "08"),
            r"patients.csv row 3 and \S*photos.csv row 4 \(1 in",
        ),
        (PHOTOS, PATIENTS + "7,6,1,60\n", r"patients.csv row 2 and \S*patients.csv row 5"),
        (PHOTOS.replace("007", "P7"), PATIENTS.replace("007", "p07"), "leading zeros or case"),
        (
            PHOTOS + "A,008,z.jpg\n",
            PATIENTS,
            r"photos.csv row 2 and \S*photos.csv row 6 .*photo_id",
        ),
        (PHOTOS.replace("007", "00７"), PATIENTS, "row 2: patient_id may hold only letters from A"),
        (PHOTOS.replace("007", "Mu\u0308ller"), PATIENTS, "row 2: patient_id may hold only"),
    ],
)
def test_ids_that_look_alike_stop_the_run_with_their_rows(check, photos, patients, message):
    with pytest.raises(InputError, match=message):
        check(photos, patients)


@pytest.mark.parametrize(
    ("photos", "patients"),
    [("A-009", "A_009"), ("A-009", "A009"), ("A-09", "A-009"), ("O09", "009"), ("A1l", "A11")],
)
def test_ids_without_partner_that_nearly_match_stop_the_run(check, photos, patients):
    with pytest.raises(
        InputError, match=r"row 4 and .*row 5 \(1 in all\): patient_id differs only"
    ):
        check(PHOTOS.replace("009", photos), PATIENTS.replace("009", patients))


def test_ids_alike_but_for_a_mark_may_be_two_patients(check):
    rows = "".join(f"{i},4,1,40\n" for i in ("A-9", "A9", "1-11", "11-1", "X1-1"))
    more = "".join(f"p{i},{i},x.jpg\n" for i in ("A-9", "A9", "1-11", "X-11"))
    cohort = check(PHOTOS + more, PATIENTS + rows)
    assert set(cohort.patients.patient_id) == {"007", "008", "009", "A-9", "A9", "1-11"}


def test_many_patients_and_photos_without_each_other_are_noted(check):
    cohort = check(PHOTOS + "e,X-1,e.jpg\n", PATIENTS + "Y-2,4,1,40\n")
    note = "1 of 4 patients have no photo, and 1 of 5 photos no patient: compare patient_id"
    assert [note in line for line in cohort.flow["notes"]] == [True]
    assert not check(patients=PATIENTS + "Y-2,4,1,40\n").flow["notes"]


@pytest.mark.parametrize(
    ("unit", "noted"), [("months", 1), ("Years", 1), ("days", 0), ("year", 1), ("visits", 0)]
)
def test_times_that_nobody_lives_are_noted(check, unit, noted):
    patients = PATIENTS.replace(",5,", ",1500,")
    cohort = check(patients=patients, columns=dataclasses.replace(COLUMNS, time_unit=unit))
    assert len(cohort.flow["notes"]) == noted
    assert all(f"if it is in {unit}: correct cohort.time_unit" in n for n in cohort.flow["notes"])


@pytest.mark.parametrize("name", ["Age", "event", "patient_id"])
def test_a_type_for_a_column_that_is_not_read_is_refused(check, name):
    declared = dataclasses.replace(COLUMNS, declared={"age": "number", name: "category"})
    with pytest.raises(InputError, match=f"cohort.columns: {name} is none of .*: months, age;"):
        check(columns=declared)


def test_one_column_is_not_both_time_and_event(check):
    with pytest.raises(InputError, match="cohort.time and cohort.event name one column, event"):
        check(columns=Columns("event", "event", ()))


def test_spaces_around_ids_do_not_count(check):
    assert len(check(PHOTOS.replace(",007,", ", 007\u00a0,")).photos) == 4


def test_a_patient_may_be_called_na(check):
    cohort = check(PHOTOS.replace("009", "NA"), PATIENTS.replace("009", "NA"))
    assert list(cohort.patients.patient_id) == ["007", "008", "NA"]


def test_deaths_at_time_zero_are_counted_at_half_a_unit(check):
    cohort = check(PHOTOS + "e,010,e.jpg\n", PATIENTS + "010,0,1,40\n")
    assert list(cohort.patients.time) == [5, 7.5, 3, 0.05]
    first, second = cohort.flow["notes"]
    assert first == "1 of 3 deaths at months 0 are counted at 0.05, half its unit"
    assert second.startswith("months is rounded so coarsely that 33% of the deaths are at 0")
    whole = PATIENTS.replace("7.5", "7") + "".join(f"1{i:02d},{i},1,40\n" for i in range(30))
    cohort = check(PHOTOS + "e,100,e.jpg\n", whole)
    assert list(cohort.patients.time)[-1] == 0.5 and len(cohort.flow["notes"]) == 1


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([0, 5, 30], 1),
        ([0, 0.5, 12], 0.1),
        ([0, 0.25, 12], 0.01),
        (np.array([0, 3, 31, 32, 400]) / 365.25, 1 / 365.25),
    ],
)
def test_the_unit_that_times_were_rounded_to(times, unit):
    assert rounding(np.array(times, float)) == pytest.approx(unit)


NAMED = Columns("months", "event", ("age",), ("camera",), ("ward", "yaw"))


def test_the_photos_own_columns_are_read_once(check):
    rows = ["camera,ward", "03.11.2018,1", "04.11.2018,2", ",3", "05.11.2018,3"]
    photos = "\n".join(map(",".join, zip(PHOTOS.splitlines(), rows, strict=True)))
    named = check(photos, columns=dataclasses.replace(NAMED, declared={"ward": "category"})).named
    assert list(named) == ["photo_id", "path", "camera", "ward"]
    assert named.camera[:2].tolist() == [6881, 6882] and np.isnan(named.camera[4])
    assert named.ward.tolist() == ["ward 1", "ward 2", "ward 3", "ward 3"]
    with pytest.raises(InputError, match="no column camera; there are photo_id, patient_id, path"):
        check(columns=NAMED)
    with pytest.raises(InputError, match="path is an identifier"):
        check(columns=dataclasses.replace(NAMED, nuisance=("path",)))


def test_no_cell_of_a_table_is_a_formula(check, tmp_path):
    photos = PHOTOS.replace("a.jpg", "=a.jpg")
    patients = PATIENTS.replace(",60", ',"=HYPERLINK(""http://x"")"').replace(",50", ",@b")
    cohort = check(photos, patients.replace("0,\n", "0,-2+3\n"))
    for name in ("photos", "patients", "named", "columns"):
        getattr(cohort, name).to_csv(tmp_path / "t.csv", index=False)
        cells = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "-"))]
    assert cohort.photos.path.iloc[0] == "./=a.jpg"


def test_how_columns_were_read_is_shown(check):
    table = check().columns.set_index("column")
    assert table.loc["months", ["role", "kind", "holds"]].tolist() == ["time", "number", "3 to 7.5"]
    assert table.loc["age", ["role", "kind", "values", "missing"]].tolist() == [
        *("clinical", "number"),
        *(2, 1),
    ]


def run_script(folder, photos, patients, folds=2, inner_folds=1):
    (folder / "photos.csv").write_text(photos)
    (folder / "patients.csv").write_text(patients)
    names = {"time": "months", "event": "event", "clinical": ["age"]}
    outputs = {name: folder / f"{name}-out.csv" for name in ("photos", "patients", "named")}
    outputs |= {"columns": folder / "columns.csv", "flow": folder / "flow.json"}
    inputs = {"photos": folder / "photos.csv", "patients": folder / "patients.csv"}
    script.main(
        SimpleNamespace(
            input=SimpleNamespace(**inputs),
            output=SimpleNamespace(**outputs),
            params=SimpleNamespace(columns=names, folds=folds),
            config={"survival": {"inner_folds": inner_folds}},
        )
    )
    return read_table(outputs["patients"])


def test_too_few_deaths_for_the_folds_stop_before_anything_runs(tmp_path, capsys):
    ids = [f"1{i:02d}" for i in range(12)]
    photos = "photo_id,patient_id,path\n" + "".join(f"{i},{i},x\n" for i in ids)
    rows = [f"{i},{k + 1},{int(k < 2)},60\n" for k, i in enumerate(ids)]
    patients = "patient_id,months,event,age\n" + "".join(rows)
    assert run_script(tmp_path, photos, patients, folds=2).event.sum() == 2
    assert "age: number, 60 to 60; 0 missing" in capsys.readouterr().out
    with pytest.raises(InputError, match="2 deaths are too few for 3 folds, which need at least 3"):
        run_script(tmp_path, photos, patients, folds=3)
    # Of two deaths in two folds one trains, and cannot be in both inner folds.
    with pytest.raises(
        InputError, match="2 deaths are too few for 2 folds of 2 inner folds, which"
    ):
        run_script(tmp_path, photos, patients, folds=2, inner_folds=2)
    more = patients.replace(",0,60", ",1,60", 1)
    assert run_script(tmp_path, photos, more, folds=2, inner_folds=2).event.sum() == 3


@pytest.mark.parametrize("name", ["shoe_size", "quad_0"])
def test_a_column_that_nothing_holds_is_refused_before_anything_runs(name):
    cohort = SimpleNamespace(named=pd.DataFrame(columns=["photo_id", "path", "ward"]))
    known = Columns("months", "event", ("age",), explained=("age", "ward", "yaw"))
    script.refuse_unmeasured(known, cohort)
    with pytest.raises(InputError, match=f"explanation.columns: no column {name}: it is none"):
        script.refuse_unmeasured(dataclasses.replace(known, explained=("age", name)), cohort)


def german(sheet):
    """The demo's sheet as a spreadsheet in German would save its numbers."""
    head, *rows = sheet.splitlines()
    return "\n".join(
        [head.replace(",", ";"), *(r.replace(",", ";").replace(".", ",") for r in rows)]
    )


def test_a_decimal_comma_and_a_code_change_nothing_in_what_models_see(tmp_path):
    demo = Path(__file__).parents[2] / "config"
    photos = (demo / "photos.csv").read_text()
    plain = pd.read_csv(demo / "patients.csv", dtype=str, keep_default_na=False)
    plain = plain.rename(columns={"time_months": "months"})
    plain["age"] = [f"{age}.4" if age else "" for age in plain.age]
    clinical = run_script(tmp_path, photos, plain.to_csv(index=False))[["age"]]
    expected = ClinicalEncoder.learn(clinical, np.arange(400))(clinical)
    quoted = plain.assign(age=plain.age.str.replace(".", ","))
    for sheet in (quoted.to_csv(index=False), german(plain.to_csv(index=False))):
        found = run_script(tmp_path, photos, sheet)[["age"]]
        assert np.array_equal(ClinicalEncoder.learn(found, np.arange(400))(found), expected)
    with pytest.raises(InputError, match="age holds -999"):
        coded = plain.age.where(plain.index % 7 > 0, "-999")
        run_script(tmp_path, photos, plain.assign(age=coded).to_csv(index=False))


def test_missing_sheet(tmp_path):
    with pytest.raises(InputError, match="No such file or directory; name your sheet"):
        check_cohort(tmp_path / "photos.csv", tmp_path / "patients.csv", COLUMNS)
