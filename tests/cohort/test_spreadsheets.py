"""Sheets as people save them: every row is read with its line, or refused with it."""

import pytest

from facies.cohort.spreadsheets import read_sheet
from facies.common.errors import InputError

COLUMNS = ["id", "age", "note"]


@pytest.fixture
def read(tmp_path):
    def run(text, columns=COLUMNS, **options):
        (tmp_path / "sheet.csv").write_bytes(text.encode())
        return read_sheet(tmp_path / "sheet.csv", columns, **options)

    return run


@pytest.mark.parametrize(
    "text",
    [
        "id,age,note\n1,60,x\n2,61,y\n",
        "\ufeffid;age;note\r\n1;60;x\r\n2;61;y\r\n",
        "id\tage\tnote\n1\t60\tx\n2\t61\ty",
        "sep=;\r\nid;age;note\r\n1;60;x\r\n2;61;y\r\n",
        '"sep=,"\nid,age,note\n1,60,x\n2,61,y\n',
        '"id",age,"note"\n"1",60,x\n 2 ,61,"y"\n',
        "id;age;note;;\n1;60;x;;\n2;61;y;;\n;;;;\n",  # Excel's empty columns and rows
        "other,note,age,id\n,x,60,1\n,,,\n,y,61,2,\n",
        '"a, b, c";id;age;note\n;1;60;x\n;2;61;y\n',  # commas in a quoted heading
        "one, of, five, parts, here;id;age;note\n;1;60;x\n;2;61;y\n",
        ";;;\n\nid;age;note\n1;60;x\n2;61;y\n",
        "sep=;;; \nid;age;note;\n1;60;x;\n2;61;y;\n",
        '\ufeff\ufeffid,"age\n",no\u00adte\u200b\n1,60,x\n2,61,y\n',  # what nobody sees
    ],
)
def test_a_sheet_reads_the_same_however_it_was_saved(read, text):
    table = read(text)
    assert table.to_dict("list") == {"id": ["1", "2"], "age": ["60", "61"], "note": ["x", "y"]}


def test_rows_are_lines_of_the_file_also_below_cells_of_several_lines(read):
    table = read('sep=,\nid,age,note\n1,60,"two\nlines, and more"\n\n,,\n2,61,y\n')
    assert table.index.tolist() == [3, 7]
    with pytest.raises(InputError, match=r"sheet\.csv: row 5 has 2 cells, not 3"):
        read('id,age,note\n1,60,"two\nlines"\n\n2,61\n'.replace("\n\n", "\n,,\n"))


def test_only_line_ends_end_a_row(read):
    table = read("id,age,note\n1,60,a\u2028b\x0bc\x0cd\x85e\n2,61,y\n")
    assert table.note.tolist() == ["a\u2028b\x0bc\x0cd\x85e", "y"]


def test_na_is_a_name_like_any_other(read):
    assert read("id,age,note\nNA,60,nan\n").iloc[0].tolist() == ["NA", "60", "nan"]


def test_composed_and_decomposed_headings_are_one(read):
    for sheet, config in (("gro\u0308ße", "größe"), ("größe", "gro\u0308ße")):
        assert read(f"{sheet}\n180\n", [config])[config].tolist() == ["180"]


@pytest.mark.parametrize(
    "text",
    [
        "1,60,Miller\n2,61,Smith\n",
        "Export of May\nid,age,note\n1,60,x\n",
        "id|age|note\n1|60|x\n",
        "sep=;\nid,age,note\n1,60,x\n",
        "<html><table><tr><td>Miller</td></tr></table></html>",
        '<?xml version="1.0"?>\n<Workbook/>\n',
    ],
)
def test_a_first_row_that_is_no_heading_is_told_and_not_shown(read, text):
    with pytest.raises(InputError, match=r"is no heading: .* id, age, note; .*separated") as told:
        read(text)
    assert "Miller" not in str(told.value) and "60" not in str(told.value)


def test_a_column_is_optional_or_must_be_there(read):
    text = "id,age,note\n1,60,x\n"
    assert list(read(text, ["id"], optional=["note", "ward", "id"])) == ["id", "note"]
    with pytest.raises(InputError, match="no column ward; there are id, age, note: rename it"):
        read(text, ["id", "ward"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id,age,note\n1,60,x\n2,61,"y\n3,62,z\n', "row 3: a quote mark opens a cell"),
        ('id,age,note\n1,60,"a" b\n2,61,y\n', "row 2: a quote mark opens a cell"),
        ('id,age,note\n1,60,"x\n2,61,"y\n3,62,z\n', "row 2: a quote mark opens a cell"),
        ('id,age,note\n1,60,"x\n2,61,y"\n3,62,z\n', "row 2: a quote mark swallows the row below"),
        ('id,age,note\n1,"60,x\n2,61",y\n3,62,z\n', "row 2: a quote mark swallows the row below"),
        ("id,age,note\n1,60,x\n2,61," + "y" * 140_000 + "\n", "row 3: a cell of more than 131,072"),
        ("id,age,note\n1,60,x\n2,61,y,z\n", "row 3 has 4 cells, not 3"),
        ("id,age,age,note\n1,60,60,x\n", "the heading age stands twice"),
        ("id,age,note\n,,\n", "the sheet is empty"),
        ("", "the sheet is empty"),
    ],
)
def test_what_a_lenient_reader_would_guess_is_refused_with_its_row(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_what_is_no_text_file_is_told(tmp_path):
    (tmp_path / "sheet.csv").write_bytes("id\nü\n".encode("latin-1"))
    (tmp_path / "wide.csv").write_bytes("id\n1\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="wide.csv: not UTF-8 text; save it as CSV UTF-8"):
        read_sheet(tmp_path / "wide.csv", ["id"])
    cases = (("sheet.csv", "not UTF-8"), ("", "not a regular file"), ("x", "No such file"))
    for name, message in cases:
        with pytest.raises(InputError, match=message):
            read_sheet(tmp_path / name, ["id"])
