"""What a column of a sheet holds: numbers, categories or dates, decided once for the whole column.

Tables of the workflow store the decision in their values: dates are days, numbers plain, and a
category that looks like a number gets the column's name as a prefix (ward 3), so that no reader of
the table takes it for one.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facies.cohort import notation
from facies.cohort.missing import CODE_DAYS, WORDS, missing_codes
from facies.cohort.notation import is_date, is_number, is_shaped, read_date, read_number
from facies.cohort.words import SEVERAL, looks, numbered, quantities
from facies.common.errors import InputError

FEW = 10  # patients, or numbers that stand for categories
SHARED = 5  # patients; smaller categories are not shown
YEARS = (1850, 2150)  # between which patients are born and seen
KEY = "cohort.columns"


@dataclass(frozen=True)
class ColumnType:
    """The ``kind`` of a column (number, category or date), how numbers are written (``notation``:
    decimal and thousands mark) or dates, and the codes that stand for missing values."""

    name: str
    kind: str
    notation: tuple[str, str] = notation.PLAIN
    month_first: bool = False
    missing: tuple[str, ...] = ()

    def is_missing(self, cells: pd.Series) -> pd.Series:
        """Whether each cell is empty, a word for missing, or a declared code."""
        return cells.map(lambda cell: not cell or cell.lower() in WORDS or self.is_code(cell))

    def is_code(self, cell: str) -> bool:
        """Whether a cell is a declared code, -999.0 and -999,0 like -999."""
        numbers = [read_number(cell, marks) for marks in notation.NOTATIONS[:2]]
        return any(
            cell.lower() == code.lower() or any(number == read_number(code) for number in numbers)
            for code in self.missing
        )

    def values(self, cells: pd.Series) -> pd.Series:
        """Numbers, days since 2000-01-01 or words; NaN or None where a cell is missing."""
        observed = ~self.is_missing(cells)
        if self.kind == "category":
            return cells.map(self._word).where(observed, None)
        read = read_date if self.kind == "date" else read_number
        how = self.month_first if self.kind == "date" else self.notation
        return cells.where(observed, "").map(lambda cell: read(cell, how)).astype(float)

    def _word(self, cell):
        """The category on one line, which no program takes for a number or a formula."""
        word = " ".join(cell.split())
        return f"{self.name} {word}" if _is_number(word) or is_formula(word) else word


def _is_number(word):
    try:
        float(word)
    except ValueError:
        return word.lower() in ("true", "false")
    return True


def is_formula(word: str) -> bool:
    """Whether a spreadsheet would evaluate the cell as a formula."""
    return word[:1] in ("=", "@") or (word[:1] in ("+", "-") and any(map(str.isalnum, word)))


def decide(path, cells: pd.Series, declared=None, time=False, key=KEY) -> ColumnType:
    """The type of a column of text, from what the config ``declared`` (a kind, or a dict of kind,
    missing, decimal and order) and from all its cells. Of a ``time``, words are allowed: their
    patients are excluded. The index of ``cells`` are rows of the file.

    Raises InputError if the column has two meanings, or none.
    """
    return _Decision(path, cells, declared, time, key).made()


class _Decision:
    """The type of one column; every message names file, row and remedy, but no patient's value."""

    def __init__(self, path, cells, declared, time, key):
        self.path, self.name, self.time, self.key = path, cells.name, time, key
        self.declared = {"kind": declared} if isinstance(declared, str) else dict(declared or {})
        self.codes = tuple(map(str, self.declared.get("missing") or ()))
        self.cells = cells[~ColumnType(self.name, "number", missing=self.codes).is_missing(cells)]

    def made(self):
        implied = {"decimal": "number", "order": "date"}
        kinds = {self.declared["kind"]} if "kind" in self.declared else set()
        kinds |= {kind for name, kind in implied.items() if name in self.declared}
        if self.time:
            kinds.add("number")
        if len(kinds) > 1:
            raise InputError(
                f"{self.key}: {self.name} cannot be a {' and a '.join(sorted(kinds))} at once"
                + ("; a time is a number" if self.time else "")
            )
        return getattr(self, kinds.pop() if kinds else self.kind())()

    def stop(self, words, row):
        raise InputError(f"{self.path}: row {row}: {self.name} {words}")

    def config(self, answer):
        return f"{self.key}: {{{self.name}: {answer}}}"

    def cells_that(self, test):
        return self.cells.map(lambda cell: bool(test(cell))).astype(bool)

    def kind(self):
        """What most of the cells are."""
        numbers, dates = self.cells_that(is_number), self.cells_that(is_date)
        short = self.cells_that(notation.SHORT_YEAR.fullmatch)
        if short.any() and (short | dates).mean() > 0.5:
            self.stop("holds dates; write years with four digits", self.cells.index[short][0])
        if dates.mean() > 0.5 and (dates.all() or not numbers.all()):
            return "date"
        if numbers.all():
            self.refuse_unmarked()
            return "number"
        if numbers.mean() > 0.5 or self.cells[numbers].nunique() > FEW:
            self.stop(
                "is no number, unlike most of its column; correct it or leave it empty; or set "
                f"{self.config('{missing: [the word]}')} if it stands for missing, "
                f"{self.config('category')} if the numbers stand for categories",
                self.cells.index[~numbers][0],
            )
        self.refuse_quantities()
        return "category"

    def refuse_unmarked(self):
        """Ask about numbers that could all be dates without separators."""
        days = self.cells_that(notation.UNMARKED.fullmatch)
        if days.all() and self.cells.nunique() >= SEVERAL:
            self.stop(
                "looks like dates without separators; write them as 2018-11-03, or set "
                f"{self.config('number')} if they are numbers",
                self.cells.index[0],
            )

    def refuse_quantities(self):
        """Ask about words that may be numbers or dates."""
        rows, what = quantities(self.cells), "holds numbers with a unit or a sign"
        if not len(rows):
            rows = numbered(self.cells)
            what = f"holds {self.cells[rows].nunique()} different words like numbers or dates"
        if len(rows):
            self.stop(
                f"{what}; write numbers alone and dates as 2018-11-03, or set "
                f"{self.config('category')} if they are names",
                rows[0],
            )

    def number(self):
        numbers = self.cells_that(is_number)
        if self.time:
            self.refuse_marked_times(numbers)
        few = self.time and numbers.mean() <= 0.5
        if few or not (numbers.all() or self.time):
            row = self.cells.index[~numbers][0]
            self.stop("is not a number; correct it, or leave it empty", row)
        numbers = self.cells[numbers]
        candidates = notation.number_notations(numbers, self.declared.get("decimal"))
        if not candidates:
            self.stop_at_odd_notation(numbers)
        if len(candidates) > 1:
            first, second = list(candidates.values())[:2]
            self.stop(
                "has two meanings: its mark may separate decimals or thousands; set "
                f"""{self.config('{decimal: "."}')} or {self.config('{decimal: ","}')}""",
                numbers.index[first != second][0],
            )
        ((marks, values),) = candidates.items()
        suspects = {value: f"{value:g}" for value in missing_codes(values, self.time)}
        self.refuse_codes(suspects, values, numbers.index)
        return ColumnType(self.name, "number", notation=marks, missing=self.codes)

    def refuse_marked_times(self, numbers):
        """Refuse times that must not be excluded as words: calendar dates, and numbers with a unit
        or a sign (> 60), which would exclude long survivors."""
        if self.cells_that(is_date).mean() > 0.5:
            self.stop(
                "holds dates; write the time from the start of follow-up to death or to its end",
                self.cells.index[0],
            )
        digits = self.cells_that(lambda cell: re.search(r"\d", cell) and not is_shaped(cell))
        if (digits & ~numbers).any():
            self.stop(
                "is not a number; write the number alone, or leave it empty",
                self.cells.index[digits & ~numbers][0],
            )

    def stop_at_odd_notation(self, numbers):
        """Name the first row that is written differently from most."""
        allowed = [d for d in (".", ",") if d == self.declared.get("decimal", d)]
        misfits = [
            numbers.index[[np.isnan(read_number(cell, marks)) for cell in numbers]]
            for marks in notation.NOTATIONS
            if marks[0] in allowed
        ]
        self.stop(
            "writes its number with other marks than other rows; write all with one decimal mark",
            min(misfits, key=len)[0],
        )

    def refuse_codes(self, suspects, values, rows):
        """Ask about possible codes ``suspects`` {value: as written}, unless none are declared."""
        if self.declared.get("missing") == [] or not suspects:
            return
        suspected = np.isin(values, list(suspects))
        codes = ", ".join(suspects.values())
        self.stop(
            f"holds {codes} ({suspected.sum()} times), which looks like a code for a missing "
            f"value; if it is one, set {self.config('{missing: [' + codes + ']}')}, and if it is "
            f"none, {self.config('{missing: []}')}",
            rows[suspected][0],
        )

    def date(self):
        dates = self.cells_that(is_date)
        if not dates.all():
            self.stop("is not a date; write it as 2018-11-03", self.cells.index[~dates][0])
        declared = {"day first": [False], "month first": [True]}.get(self.declared.get("order"))
        orders = notation.date_orders(self.cells)
        if len(declared or orders) > 1:
            self.stop(
                "has two meanings: the day may come first or the month; say which: "
                f"{self.config('{order: day first}')} or {self.config('{order: month first}')}",
                next(r for r, c in self.cells.items() if read_date(c) != read_date(c, True)),
            )
        month_first = (declared or orders or [False])[0]
        days = self.cells.map(lambda cell: read_date(cell, month_first))
        if days.isna().any():
            row = self.cells.index[days.isna()][0]
            self.stop("is no day; correct it, or leave it empty", row)
        suspects = {
            day: f'"{cell}"' for day, cell in zip(days, self.cells, strict=True) if day in CODE_DAYS
        }
        self.refuse_codes(suspects, days.to_numpy(), days.index)
        first, last = (read_date(f"{year}-01-01") for year in YEARS)
        if len(far := days.index[(days < first) | (days >= last)]):
            self.stop(
                f"is no day between {YEARS[0]} and {YEARS[1]}; correct it, or set "
                f"{self.config('{missing: [the day]}')} if it stands for missing",
                far[0],
            )
        return ColumnType(self.name, "date", month_first=month_first, missing=self.codes)

    def category(self):
        kind = ColumnType(self.name, "category", missing=self.codes)
        words = kind.values(self.cells)
        first = words.drop_duplicates()
        alike = first[first.map(looks).duplicated()]
        if len(alike):
            self.stop(
                "differs from another row's only in case, spaces, or letters that look alike; "
                "write both alike",
                alike.index[0],
            )
        return kind


def refuse_many(path, column: ColumnType, cells: pd.Series) -> None:
    """Refuse more than half as many categories as rows: free text, or misread numbers."""
    words = column.values(cells).dropna()
    if column.kind == "category" and len(words) > FEW and words.nunique() > len(words) / 2:
        raise InputError(
            f"{path}: {column.name} holds {words.nunique()} different words in {len(words)} rows, "
            "too many for a category; write it as a number or a date, group it, or take it out of "
            "the config"
        )


def describe(column: ColumnType, cells: pd.Series, role: str, unit="") -> dict:
    """How a column was read, a row of columns.csv; rare categories are only counted."""
    values, missing = column.values(cells), column.is_missing(cells)
    observed = values.dropna()
    codes = cells[cells.map(lambda cell: bool(cell) and column.is_code(cell))].value_counts()
    row = {"column": column.name, "role": role, "kind": column.kind, "unit": unit}
    row |= {"values": len(observed), "missing": int(missing.sum())}
    row |= {"missing_codes": ", ".join(f"{code} ({n})" for code, n in codes.items())}
    if column.kind == "category":
        counts = observed.value_counts()
        shown = [f"{level} ({n})" for level, n in counts.items() if n >= SHARED]
        rare = [f"{len(counts) - len(shown)} rarer"] if len(counts) > len(shown) else []
        return row | {"holds": ", ".join(shown + rare), "first": "", "written": ""}
    if column.kind == "date":
        days = pd.to_datetime(observed.round(), unit="D", origin="2000-01-01", errors="coerce").dt
        row |= {"unit": "days since 2000-01-01", "first": ", ".join(days.strftime("%Y-%m-%d")[:3])}
        ends = (days.year.min(), days.year.max()) if len(observed) else ()
        written = "month first" if column.month_first else ""
    else:
        ends = (observed.min(), observed.max()) if len(observed) else ()
        row |= {"first": ", ".join(f"{value:g}" for value in observed[:3])}
        decimal, thousands = column.notation
        written = "decimal comma" if decimal == "," else ""
        written += f", thousands by '{thousands}'" if thousands else ""
    return row | {"holds": " to ".join(f"{end:g}" for end in ends), "written": written}


def per_patient(table: pd.DataFrame, photos: pd.DataFrame, patient_ids) -> pd.DataFrame:
    """Columns for ``patient_ids`` from a ``table`` of photos (photo_id): the mean of numbers, the
    first of words; ``photos`` has the patient of each photo. Empty columns are dropped."""
    by_photo = table.merge(photos[["photo_id", "patient_id"]]).drop(columns="photo_id")
    groups = by_photo.groupby("patient_id")
    columns = {
        name: groups[name].mean()
        if pd.api.types.is_numeric_dtype(by_photo[name])
        else groups[name].first()
        for name in by_photo.columns.drop("patient_id")
    }
    return pd.DataFrame(columns).reindex(patient_ids).dropna(axis=1, how="all")
