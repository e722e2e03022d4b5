"""Read a sheet of text strictly, with every row numbered by the line of the file it begins on.

What a lenient reader would guess (a quote mark that is never closed, a row of another length) can
swallow patients: it is refused with its row.
"""

import csv
import io
import re
import unicodedata
from pathlib import Path

import pandas as pd

from facies.errors import InputError

SEPARATORS = ",;\t"
LONGEST = 131_072  # characters of a cell: csv's own limit, which some libraries lift
TOO_LONG = f"a cell of more than {LONGEST:,} characters; shorten it, or close its quote"
HINT = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)  # Excel's first line, for itself


def read_sheet(path: str | Path, columns: list[str], optional=()) -> pd.DataFrame:
    """Text of the named columns of a sheet, separated by comma, semicolon or tab; of those named
    ``optional``, the ones that are there. Cells lose surrounding spaces, and rows without any text
    are left out. The index is the line of the file.

    Raises InputError for what cannot be read, and for a column that is missing or stands twice.
    """
    text = _text(path)
    hint = HINT.match(text)
    first = text.count("\n", 0, hint.end()) if hint else 0
    body = text[hint.end() :] if hint else text
    separator = hint[1] if hint else _separator(body)
    rows = list(_rows(path, body, separator, first))
    if len(rows) < 2:
        raise InputError(f"{path}: the sheet is empty; it needs a heading and a row")
    names = rows[0][1]
    wanted = [*columns, *(name for name in optional if name in names and name not in columns)]
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise InputError(f"{path}: the heading {twice[0]} stands twice; rename one of them")
    if missing := [name for name in wanted if name not in names]:
        raise InputError(
            f"{path}: no column {missing[0]}; there are {', '.join(filter(None, names))}: "
            "rename it in the sheet or in the config"
        )
    cells = [_fitted(path, number, row, names, separator) for number, row in rows[1:]]
    table = pd.DataFrame(cells, index=[number for number, _ in rows[1:]], dtype=object)
    return table[[names.index(name) for name in wanted]].set_axis(wanted, axis=1)


def _text(path):
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise InputError(f"{path}: not a file; name your sheet in the config")
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; name your sheet in the config") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the sheet as CSV UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name your sheet in the config") from None
    # One form for each letter: a Mac may write "ä" as two characters where others write one.
    return unicodedata.normalize("NFC", text)


def _separator(text):
    """The separator that parts the heading into most cells, those in quotes left whole."""

    def cells(separator):
        try:
            return len(next(csv.reader(io.StringIO(text), delimiter=separator, strict=True), []))
        except csv.Error:
            return 0

    return max(SEPARATORS, key=cells)


def _rows(path, text, separator, first):
    """Each row that holds text, with the line that it begins on."""
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
    """The row's cells, one for each name."""
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
