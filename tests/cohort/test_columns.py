"""One type for a whole column: what is clear is read, what has two meanings is asked."""

import numpy as np
import pandas as pd
import pytest

from facies.cohort import columns
from facies.cohort.columns import decide, describe
from facies.cohort.missing import missing_codes
from facies.common.errors import InputError


def column(*cells, name="x"):
    return pd.Series(list(cells), index=range(2, len(cells) + 2), name=name, dtype=object)


def read(*cells, declared=None):
    cells = column(*cells)
    return decide("s.csv", cells, declared).values(cells).tolist()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["63.4", "70"], [63.4, 70]),
        (["63,4", "70"], [63.4, 70]),
        (["0.512", "1.234", "12.5"], [0.512, 1.234, 12.5]),
        (["0.512", "1.234", "0.100"], [0.512, 1.234, 0.1]),
        (["0,512", "1,234"], [0.512, 1.234]),
        (["300", "1.200,5"], [300, 1200.5]),
        (["1,200.5", "300"], [1200.5, 300]),
        (["1.200", "12,5"], [1200, 12.5]),
        (["1,234", "7.5"], [1234, 7.5]),
        (["1.234.567", "300"], [1234567, 300]),
        (["1 200", "300"], [1200, 300]),
        (["1\u00a0200", "1\u202f300"], [1200, 1300]),
        (["1'200", "1\u2019300,5"], [1200, 1300.5]),
        (["1234.567", "1.200"], [1234.567, 1.2]),
        (["\u22121.5", "+2", ".5", "1e-3"], [-1.5, 2, 0.5, 0.001]),
        (["1.5E+02", "2"], [150, 2]),
    ],
)
def test_numbers_are_read_in_the_one_notation_that_fits_all(cells, values):
    assert read(*cells) == values


@pytest.mark.parametrize("cells", [["300", "1.200"], ["300", "1,200"], ["1.234", "2.345"]])
def test_a_mark_with_two_meanings_is_asked_and_answered_once(cells):
    with pytest.raises(InputError, match=r"s\.csv: row \d: x has two .*cohort\.columns: \{x: \{"):
        read(*cells)
    whole = [float(cell.replace(".", "").replace(",", "")) for cell in cells]
    parts = [float(cell.replace(",", ".")) for cell in cells]
    mark = "." if "." in cells[-1] else ","
    assert read(*cells, declared={"decimal": mark}) == parts
    assert read(*cells, declared={"decimal": ",."[mark == ","]}) == whole


def test_two_notations_in_one_column_name_the_odd_row():
    with pytest.raises(InputError, match="row 4: x writes its number with other marks"):
        read("1.5", "2.5", "3,5")


@pytest.mark.parametrize("word", ["old", "inf", "1e999", "12 y", "1,20,000"])
def test_what_is_no_number_stops_with_its_row_and_not_its_value(word):
    with pytest.raises(InputError, match="row 5: x is no number, unlike most") as told:
        read("60", "61", "62", word)
    assert word not in str(told.value)
    with pytest.raises(InputError, match="row 5: x is not a number"):
        read("60", "61", "62", word, declared="number")


@pytest.mark.parametrize("word", ["", "NA", "n/a", "unknown", "k.A.", "Missing", "."])
def test_words_for_missing_are_missing_among_numbers_and_words(word):
    assert np.isnan(read("60", word, "70")[1])
    assert read("a", word, "b") == ["a", None, "b"]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([20, 35, 90, -999], [-999]),
        ([20, 35, 90, -9, -99], [-99, -9]),
        ([20, 35, 90, -1], [-1]),
        ([20, 35, 90, 999], [999]),
        ([20, 35, 90, 9999, 999], [9999, 999]),
        ([45, 60, 80, 99, 99, 99], [99]),
        ([0, 1, 2, 4, 9], [9]),
        ([1, 2, 8, 9], []),  # an ordinary scale
        ([-1, 0, 1], []),
        ([6, 7, 8, 9, 10], []),
        ([0, 1], []),
        ([77, 88, 95, 99], []),  # ages
        ([-2.5, 0.3, 1.7], []),
        ([300, 999, 2000], []),
        ([-1.5, 0.4, -999], [-999]),
        ([-1.5, 0.4, -99, -999], [-999, -99]),
        ([-8, -9, -3, 1], []),
        ([-9], []),
    ],
)
def test_numbers_that_look_like_codes(values, codes):
    assert missing_codes(np.array(values, float)) == codes


def test_a_code_is_asked_about_until_the_config_says_what_it_is():
    cells = ["60", "-999", "70", "20"]
    with pytest.raises(InputError, match=r"row 3: x holds -999 .*\{x: \{missing: \[-999\]\}\}"):
        read(*cells)
    with pytest.raises(InputError, match="holds -999"):
        read(*cells, declared="number")
    with pytest.raises(InputError, match="holds -999"):
        read(*cells, declared={"missing": [-99]})
    assert read(*cells, declared={"missing": []}) == [60, -999, 70, 20]
    known = read("60", "-999,0", "70,5", "none", declared={"missing": [-999, "None"]})
    assert known[::2] == [60, 70.5] and np.isnan(known[1::2]).all()


@pytest.mark.parametrize(
    "cells",
    [
        ["2018-11-03", "2000-02-29"],
        ["2018/11/3", "2000/2/29"],
        ["2018:11:03 00:00:00", "2000:02:29 00:00:00"],  # as cameras write
        ["20181103", "20000229"],
        ["03.11.2018", "29.02.2000"],
        ["3. 11. 2018", "29. 2. 2000"],
        ["3/11/2018", "29/2/2000"],
        ["11-3-2018", "2-29-2000"],
        ["03-Nov-2018", "29-Feb-2000"],
        ["3 November 2018", "29. Februar 2000"],
        ["Nov 3, 2018", "Feb. 29, 2000"],
        ["2018-11-03T00:00:00Z", "29.02.2000 00:00"],
        ["3/11/2018 12:00 AM", "29/2/2000"],
        ["03.11.2018.", "2000. 02. 29."],
        ["20181103T000000", "20000229000000"],
        ["03NOV2018:00:00:00", "29FEB2000"],
        ["3 novembre 2018", "29 févr. 2000"],
        ["3 de noviembre de 2018", "29-feb-2000"],
        ["3 novembre 2018", "29 FEBBRAIO 2000"],
        ["3 november 2018", "29 februari 2000"],
    ],
)
def test_dates_are_days_in_whatever_form(cells):
    assert decide("s.csv", column(*cells)).kind == "date"
    assert read(*cells) == [6881, 59]


def test_a_time_of_day_is_a_part_of_a_day():
    assert read("2000-01-02 06:00", "2.1.2000 6:00 pm") == [1.25, 1.75]


def test_days_and_months_that_could_change_places_are_asked():
    cells = ["5/5/2018", "3/11/2018"]
    with pytest.raises(InputError, match=r"row 3: x has two .*order: day first.*order: month fir"):
        read(*cells)
    assert read(*cells, declared={"order": "day first"})[1] == 6881
    assert read(*cells, declared={"order": "month first"})[1] == 6644
    with pytest.raises(InputError, match="row 3: x is no day"):
        read("13/1/2018", "1/13/2018")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2018-11-03", "2018-02-31"], "row 3: x is no day"),
        (["2018-11-03", "2018-11-04", "soon"], "row 4: x is not a date"),
        # juin or juillet: a start that two months share names none.
        (["3 juin 2018", "4 juil. 2018", "5 jui 2018"], "row 4: x is not a date"),
        (["03.11.18", "04.11.18"], "write years with four digits"),
        (["2018-11-03", "2018-11-04", "04.11.18"], "row 4: x holds dates; write years with four"),
        (["03-Nov-18", "4. Nov 18", ""], "row 2: x holds dates; write years with four digits"),
        (["2018-11-03", "0218-11-03"], "row 3: x is no day between 1850 and 2150; correct it"),
        (["2018-11-03", "2999-12-31"], "row 3: x is no day between 1850 and 2150; correct it"),
        (["2018-11-03", "1899-12-30"], r'row 3: x holds "1899-12-30" .*looks like a code'),
        (["1960-05-01", "1900-01-01"], r'row 3: x holds "1900-01-01" .*missing: \["1900-01-01"\]'),
    ],
)
def test_what_is_no_date_stops(cells, message):
    with pytest.raises(InputError, match=message):
        read(*cells)


def test_a_far_day_may_stand_for_missing():
    days = read("2018-11-03", "2999-12-31", "NaT", "<NA>", declared={"missing": ["2999-12-31"]})
    assert days[0] == 6881 and np.isnan(days[1:]).all()


@pytest.mark.parametrize(
    "cells",
    [
        [f"{day:02d}112018" for day in range(1, 13)],
        [f"{day}112018" for day in range(1, 13)],
        [f"1811{day:02d}" for day in range(1, 13)],
        [f"{day:02d}1118" for day in range(1, 13)],
    ],
)
def test_days_without_marks_are_asked(cells):
    with pytest.raises(
        InputError, match=r"row 2: x looks like dates without separators.*\{x: number\}"
    ):
        read(*cells)
    assert read(*cells, declared="number") == [float(cell) for cell in cells]
    assert decide("s.csv", column("110000", "151000", "99000", "201112", "310")).kind == "number"


@pytest.mark.parametrize(
    "cells",
    [
        [f"{age} y" for age in range(40, 90)] * 2,
        [f"{age:03d}Y" for age in range(40, 90)] * 2,
        ["45 %", "50,5 %", "", "33%"],
        ["$45.10", "$50.00"],
        ["EUR 1.200", "EUR 300", "EUR 15", "EUR 16", "EUR 17"],
        ["<5", "<10", "<50", "12"],
        [f"{pain}/10" for pain in range(11)],
        [*(f"{weight} kg" for weight in range(50, 60)), "60", "61"],
    ],
)
def test_numbers_with_units_are_no_names(cells):
    with pytest.raises(InputError, match=r"row 2: x holds numbers with a unit.*\{x: category\}"):
        read(*cells)
    assert decide("s.csv", column(*cells), "category").kind == "category"


@pytest.mark.parametrize(
    "form", ["{:02d}/2018", "2018-W{:02d}", "Q{} 2018", "{0}d {0}h", "Nov-{:02d}"]
)
def test_many_words_with_digits_are_asked(form):
    cells = [form.format(number) for number in range(1, 13)] * 4
    with pytest.raises(InputError, match=r"x holds .*write .*or set .*\{x: category\} if they are"):
        read(*cells)
    assert read(*cells, declared="category") == cells


@pytest.mark.parametrize(
    "cells",
    [
        ["I", "IIA1", "IIA2", "IIB", "IIIA", "IIIB", "IVA"] * 3,
        ["T1a", "T1b", "T1c", "T2", "T3", "T4a", "T4b"] * 3,
        ["1a", "1b", "2a", "2b", "3a", "3b", "4"] * 3,
        ["0", "1+", "2+", "3+"] * 3,
        ["40-49", "50-59", "60-69", "70-79", "80-89"] * 3,
        [f"ward {number}" for number in range(1, 10)] * 3,
        [f"iPhone {number}" for number in range(30)] * 3,
        [f"C{number}.1" for number in range(10, 40)] * 3,
        [f"T{t}{a} N{n} M0" for t in range(1, 5) for a in "ab" for n in range(3)] * 3,
        [f"hospital {letter}" for letter in "abcdefghijklmnopqrst"] * 3,
    ],
)
def test_stages_groups_and_names_stay_categories(cells):
    assert decide("s.csv", column(*cells)).kind == "category"


@pytest.mark.parametrize(
    "pair",
    [("M", "\u041c"), ("II", "\u2161"), ("T1-2", "T1\u20132"), ("III", "II\u200bI"), ("a b", "ab")],
)
def test_categories_that_nobody_can_tell_apart_are_refused(pair):
    with pytest.raises(InputError, match="row 3: x differs from another row's only in"):
        read(*pair)


@pytest.mark.parametrize(
    "declared",
    [{"kind": "category", "decimal": ","}, {"order": "day first", "decimal": ","}],
)
def test_a_column_is_of_one_kind(declared):
    with pytest.raises(InputError, match=r"cohort\.columns: x cannot be a .* at once"):
        read("1", "2", declared=declared)
    for kind in ("category", "date"):
        with pytest.raises(InputError, match="x cannot be a .* at once; a time is a number"):
            decide("s.csv", column("1", "2"), kind, time=True)


@pytest.mark.parametrize("cell", ["> 60", "60+", "14 months", "3 1/2", "1,20,000", "2018-11-03"])
def test_a_time_with_a_mark_is_not_left_out_silently(cell):
    with pytest.raises(InputError, match="row 6: x is not a number; write the number alone"):
        decide("s.csv", column("1", "2", "3", "lost", cell), time=True)
    assert decide("s.csv", column("1", "2", "3", "lost", "1e999"), time=True).kind == "number"


@pytest.mark.parametrize("form", ["2018-11-{:02d}", "{:02d}.11.2018", "201811{:02d}"])
def test_days_of_a_calendar_are_no_times(form):
    cells = [form.format(day) for day in range(1, 29)]
    with pytest.raises(InputError, match="row 2: x holds dates; write the time from the start"):
        decide("s.csv", column(*cells), time=True)


def test_a_declared_category_keeps_its_numbers_apart_from_numbers(tmp_path):
    cells = column("1", "02", "True", "A\x0bB", "1", name="ward")
    words = decide("s.csv", cells, "category").values(cells)
    assert words.tolist() == ["ward 1", "ward 02", "ward True", "A B", "ward 1"]
    pd.DataFrame({"ward": words[:3]}).to_csv(tmp_path / "t.csv", index=False)
    again = pd.read_csv(tmp_path / "t.csv").ward
    assert again.tolist() == words[:3].tolist() and not pd.api.types.is_numeric_dtype(again)


@pytest.mark.parametrize("formula", ['=HYPERLINK("x")', "@SUM(A1)", "+1+cmd|' /C calc'!A0", "-2+3"])
def test_no_category_is_a_formula(formula):
    assert read("a", formula, "+", "-") == ["a", f"x {formula}", "+", "-"]


def test_words_beside_many_numbers_are_no_category():
    cells = [str(age) for age in range(40, 60)] + ["old", "young"] * 15
    with pytest.raises(InputError, match="row 22: x is no number, unlike most"):
        read(*cells)
    assert read("0", "I", "II", "III") == ["x 0", "I", "II", "III"]


def test_categories_that_differ_in_case_are_refused():
    with pytest.raises(InputError, match="row 4: x differs from another row's only in case"):
        read("F", "M", "f")


def test_a_category_with_as_many_levels_as_rows_is_refused():
    free = column(*(f"text {'abcdefghijklm'[i]}" for i in range(12)))
    made = decide("s.csv", free)
    with pytest.raises(InputError, match="s.csv: x holds 12 different words in 12 rows, too many"):
        columns.refuse_many("s.csv", made, free)
    shared = column(*"abcdefaaabbb")
    columns.refuse_many("s.csv", decide("s.csv", shared), shared)


def test_how_a_column_was_read_is_shown_without_what_few_share():
    cells = column("1.200", "12,5", "", "-9", declared := "unknown", name="days")
    made = decide("s.csv", cells, {"missing": [-9]})
    row = describe(made, cells, "time", "days")
    assert declared and row == {
        "column": "days",
        "role": "time",
        "kind": "number",
        "unit": "days",
        "values": 2,
        "missing": 3,
        "missing_codes": "-9 (1)",
        "holds": "12.5 to 1200",
        "first": "1200, 12.5",
        "written": "decimal comma, thousands by '.'",
    }
    cells = column(*"FFFFFMMMMMMx")
    assert describe(decide("s.csv", cells), cells, "clinical")["holds"] == "M (6), F (5), 1 rarer"
    cells = column("03.11.2018", "29.02.2000")
    row = describe(decide("s.csv", cells), cells, "clinical")
    assert row["holds"] == "2000 to 2018" and row["first"] == "2018-11-03, 2000-02-29"
    assert row["unit"] == "days since 2000-01-01"


def test_a_column_without_values_is_one_of_numbers():
    assert np.isnan(read("", "NA")).all()
