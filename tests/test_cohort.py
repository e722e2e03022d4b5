import pytest

from facies.cohort import Columns, check_cohort
from facies.errors import InputError

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
    assert list(cohort.patients.age) == ["60", "", "50"]
    assert cohort.flow == {"photos_in": 4, "patients_in": 3, "excluded": []}


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
        ("010,0,1,40", "months is not positive"),
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
    assert cohort.flow["excluded"][0]["reason"] == "the same row stands twice; one was kept"


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"patients": PATIENTS + "007,6,1,60\n"}, "rows 2, 5 have the same patient_id 007"),
        ({"photos": PHOTOS + "a,008,z.jpg\n"}, "rows 2, 6 have the same photo_id a"),
        ({"photos": PHOTOS + "x y,008,z.jpg\n"}, "row 6: photo_id 'x y' may hold only"),
        ({"photos": PHOTOS + "../e,008,z.jpg\n"}, "row 6: photo_id '../e' may hold only"),
        ({"patients": PATIENTS.replace("event", "died")}, "no column event; there are patient_id"),
        ({"patients": PATIENTS.replace("age", "Age")}, "no column age"),
        ({"patients": "patient_id,months,event,age\n"}, "the sheet is empty"),
        ({"patients": PATIENTS + "011,5\n"}, "row 5 has 2 cells, not 4"),
        ({"patients": PATIENTS + "010,4,2,40\n"}, "row 5: event is '2'; write 1 for a death"),
        ({"patients": PATIENTS + "010,4,1,old\n"}, "row 5: age is 'old' among numbers"),
        ({"patients": PATIENTS.replace("age", "event")}, "heading event stands twice"),
        ({"patients": PATIENTS.replace(",1,", ",0,").replace("yes", "no")}, "holds no event"),
        ({"photos": "photo_id,patient_id,path\na,1,a.jpg\n"}, "no patient has a photo"),
    ],
)
def test_what_stops_the_run_names_row_and_remedy(check, sheets, message):
    with pytest.raises(InputError, match=message):
        check(**sheets)


def test_a_clinical_column_that_tells_the_outcome_is_refused(check):
    with pytest.raises(InputError, match="cohort.clinical names event"):
        check(columns=Columns("months", "event", ("age", "event")))


def test_a_comma_that_separates_thousands_is_no_decimal_comma(check):
    cohort = check(PHOTOS + "e,010,e.jpg\n", PATIENTS + '010,"1,234",1,40\n')
    assert cohort.flow["excluded"][0] == {"patient_id": "010", "reason": "months is not a number"}


def test_words_for_missing_are_missing(check):
    cohort = check(patients=PATIENTS.replace("1,60", "1,NA"))
    assert list(cohort.patients.age) == ["", "", "50"]


def test_missing_sheet(tmp_path):
    with pytest.raises(InputError, match="no such file; name your sheet"):
        check_cohort(tmp_path / "photos.csv", tmp_path / "patients.csv", COLUMNS)
