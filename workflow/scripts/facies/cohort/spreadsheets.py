"""Read a sheet of text strictly, with every row numbered by the line of the file it begins on.

What a lenient reader would guess (a quote mark that is never closed, a row of another length) can
lose patients: it is refused, and the message names the row.
"""

import csv
import io
import re
import unicodedata
from pathlib import Path

import pandas as pd

from facies.common.bounded import regular_size
from facies.common.errors import InputError

IDS = ["photo_id", "patient_id", "path"]  # their names are fixed
SEPARATORS = ",;\t"
LONGEST = 131_072  # characters of a cell: csv's own limit, which some libraries lift
TOO_LONG = f"a cell of more than {LONGEST:,} characters; shorten it, or close its quote"
HINT = re.compile(r'"?sep=(.)"?\1* *\n', re.IGNORECASE)  # Excel's first line, for itself
FORM = "save it as CSV UTF-8, separated by comma, semicolon or tab"


def read_sheet(path: str | Path, columns: list[str], optional=()) -> pd.DataFrame:
    """Text of the named columns of a sheet, separated by comma, semicolon or tab; of those named
    ``optional``, the ones that are there. Cells lose surrounding spaces, and rows without any text
    are left out. The index is the line of the file.

    Raises InputError for what cannot be read, and for a missing or duplicate column.
    """
    text = _text(path)
    hint = HINT.match(text)
    first = text.count("\n", 0, hint.end()) if hint else 0
    body = text[hint.end() :] if hint else text
    separator = hint[1] if hint else _separator(body, columns)
    rows = list(_rows(path, body, separator, first))
    names = _names(path, rows, columns)
    if len(rows) < 2:
        raise InputError(f"{path}: the sheet is empty; it needs a heading and a row")
    extra = [name for name in optional if name not in columns and _heading(name) in names]
    headings = {name: _heading(name) for name in [*columns, *extra]}
    if repeated := [name for name, heading in headings.items() if names.count(heading) > 1]:
        raise InputError(f"{path}: the heading {repeated[0]} stands twice; rename one of them")
    if missing := [name for name, heading in headings.items() if heading not in names]:
        where = "in the sheet" if missing[0] in IDS else "in the sheet or in the config"
        raise InputError(
            f"{path}: no column {missing[0]}; there are {', '.join(filter(None, names)):.500}: "
            f"rename it {where}"
        )
    cells = [_fitted(path, number, row, names, separator) for number, row in rows[1:]]
    table = pd.DataFrame(cells, index=[number for number, _ in rows[1:]], dtype=object)
    positions = [names.index(heading) for heading in headings.values()]
    return table[positions].set_axis(list(headings), axis=1)


def _text(path):
    try:
        regular_size(path)
        text = Path(path).read_text(encoding="utf-8-sig").lstrip("\ufeff")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; {FORM}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name your sheet in the config") from None
    if "\0" in text:  # UTF-16 that does not say so
        raise InputError(f"{path}: not UTF-8 text; {FORM}")
    # One form for each letter: a Mac may write "ä" as two characters where others write one.
    return unicodedata.normalize("NFC", text)


def _separator(text, columns):
    """The separator by which the heading has most of ``columns``, then most cells."""
    text = text.lstrip(f"{SEPARATORS} \n")  # of empty rows

    def columns_and_cells(separator):
        try:
            cells = next(csv.reader(io.StringIO(text), delimiter=separator, strict=True), [])
        except csv.Error:
            return 0, 0
        return len({*map(_heading, columns)} & {*map(_heading, cells)}), len(cells)

    return max(SEPARATORS, key=columns_and_cells)


def _heading(name):
    """A column's name as it is compared: on one line, without invisible characters (byte order
    mark, zero-width space), in one Unicode form."""
    name = unicodedata.normalize("NFC", name)
    return " ".join("".join(c for c in name if unicodedata.category(c) != "Cf").split())


def _names(path, rows, columns):
    """Names in the heading. A first row without any of ``columns`` is not a heading and is not
    shown: it may be a patient's."""
    names = [_heading(cell) for cell in rows[0][1]] if rows else []
    if rows and columns and not {*map(_heading, columns)} & {*names}:
        raise InputError(
            f"{path}: row {rows[0][0]} is no heading: it names none of the columns "
            f"{', '.join(columns):.200}; write them there, or {FORM}"
        )
    return names


def _rows(path, text, separator, first):
    """Each row that has text, with its first line."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    while True:
        line = first + reader.line_num + 1
        try:
            row = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            if "limit" in str(error):
                raise InputError(f"{path}: row {line}: {TOO_LONG}") from None
            raise InputError(
                f"{path}: row {line}: a quote mark opens a cell and does not end it; take it out, "
                "or double it"
            ) from None
        if max(map(len, row), default=0) > LONGEST:
            raise InputError(f"{path}: row {line}: {TOO_LONG}")
        if any(row):
            yield line, row


def _fitted(path, number, row, names, separator):
    """The cells of the row, one for each name."""
    while len(row) > len(names) and not row[-1]:
        row.pop()
    if len(row) != len(names):
        raise InputError(f"{path}: row {number} has {len(row)} cells, not {len(names)}")
    for cell in row:
        lines, marks = cell.count("\n"), cell.count(separator)
        # Two stray quote marks in one column swallow exactly whole rows.
        if lines and marks == lines * (len(names) - 1):
            raise InputError(
                f"{path}: row {number}: a quote mark swallows the row below it; take it out, or "
                "write the cell in one line"
            )
    return row
