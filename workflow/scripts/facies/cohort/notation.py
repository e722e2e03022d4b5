"""Numbers and dates as people write them.

The notation is that of a whole column: a single cell does not show whether 1.200 is 1.2 or 1200,
nor whether 3/11/2018 is in March or in November.
"""

import math
import re
import unicodedata
from datetime import datetime

import numpy as np

# Decimal and thousands mark; the first notation of several that give the same values is taken.
NOTATIONS = [(d, t) for t in ("", ".", ",", " ", "'") for d in (".", ",") if d != t]
PLAIN = NOTATIONS[0]
# No-break, thin and narrow spaces, the apostrophe, and the minus sign.
VARIANTS = str.maketrans("\u00a0\u2009\u202f\u2019\u2212", "   '-")
EPOCH = datetime(2000, 1, 1)


def plain_letters(word: str) -> str:
    """The word in lower case, without accents."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


# English, German, French, Spanish, Italian, Dutch and Portuguese.
MONTHS = """
january february march april may june july august september october november december
januar februar märz april mai juni juli august september oktober november dezember
jänner feber mrz april mai juni juli august sept oktober november dezember
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
"""
MONTHS = [
    (plain_letters(name), number)
    for line in MONTHS.split("\n")
    for number, name in enumerate(line.split(), 1)
]
CLOCK = r"(?:[T ,:]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)? ?([ap]m)? ?(?:Z|[+-]\d\d:?\d\d)?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.:]) ?(\d{{1,2}})\2 ?(\d{{1,2}})\.?{CLOCK}", re.IGNORECASE)
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.]) ?(\d{{1,2}})\2 ?(\d{{4}})\.?{CLOCK}", re.IGNORECASE)
DAY, MONTH = r"(0[1-9]|[12]\d|3[01])", r"(0[1-9]|1[0-2])"
COMPACT = re.compile(
    rf"((?:19|20)\d\d){MONTH}{DAY}(?:T?([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:[.,]\d+)?Z?)?"
)
# Days without marks and without a year of four digits in front: 03112018, 3112018, 181103, 031118.
UNMARKED = re.compile(
    rf"(?:0?[1-9]|[12]\d|3[01]){MONTH}(?:19|20)\d\d|(?:0?[1-9]|1[0-2]){DAY}(?:19|20)\d\d|"
    rf"{DAY}{MONTH}\d\d|{MONTH}{DAY}\d\d|\d\d{MONTH}{DAY}"
)
WORD = r"([^\W\d_]{3,10})\.?"
DAY_WORD = re.compile(
    rf"(\d{{1,2}})(?:\.|er|º)?[-/ ]*(?:de )?{WORD}[-/ ,]*(?:de )?(\d{{4}}){CLOCK}", re.IGNORECASE
)
WORD_DAY = re.compile(rf"{WORD} (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){CLOCK}", re.IGNORECASE)
SHORT_YEAR = re.compile(
    rf"\d{{1,2}}(?:([-/.]) ?\d{{1,2}}\1|[- .]*{WORD}[- .,]*) ?'?\d\d{CLOCK}", re.I
)


def _pattern(decimal, thousands):
    whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+|\d+)" if thousands else r"\d+"
    point = re.escape(decimal)
    return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")


PATTERNS = {notation: _pattern(*notation) for notation in NOTATIONS}


def read_number(cell: str, notation=PLAIN) -> float:
    """The finite number in a cell, by a notation; NaN if there is none."""
    cell = cell.translate(VARIANTS)
    if not PATTERNS[notation].fullmatch(cell):
        return math.nan
    decimal, thousands = notation
    number = float(cell.replace(thousands, "").replace(decimal, "."))
    return number if math.isfinite(number) else math.nan


def is_number(cell: str) -> bool:
    """Whether a cell is a number in some notation."""
    return any(not math.isnan(read_number(cell, notation)) for notation in NOTATIONS)


def is_shaped(cell: str) -> bool:
    """Whether a cell has the form of a number, even of an infinite one (1e999)."""
    cell = cell.translate(VARIANTS)
    return any(pattern.fullmatch(cell) for pattern in PATTERNS.values())


def number_notations(cells, decimal=None) -> dict[tuple[str, str], np.ndarray]:
    """Values of ``cells`` by each notation in which all are numbers, without notations that give
    the same values as another: one entry if the column is unambiguous."""
    values_by_notation = {}
    for notation in NOTATIONS:
        if decimal in (None, notation[0]):
            values = np.array([read_number(cell, notation) for cell in cells])
            repeated = any(np.array_equal(values, v) for v in values_by_notation.values())
            if not repeated and not np.isnan(values).any():
                values_by_notation[notation] = values
    return values_by_notation


def is_date(cell: str) -> bool:
    """Whether a cell has the form of a date, also of one that does not exist."""
    return _parts(cell, False) is not None


def read_date(cell: str, month_first: bool = False) -> float:
    """Days since 2000-01-01, the time of day as a fraction; NaN if there is no such day. With
    ``month_first``, 3/11/2018 is in March."""
    parts = _parts(cell, month_first)
    if parts is None:
        return math.nan
    *day, hour, minute, second, half = parts
    hour = int(hour or 0)
    if half:
        hour = hour % 12 + 12 * (half.lower() == "pm")
    try:
        date = datetime(*day, hour, int(minute or 0), int(second or 0))
    except ValueError:
        return math.nan
    return (date - EPOCH).total_seconds() / 86400


def _parts(cell, month_first):
    """Year, month and day as numbers, and the clock's hour, minute, second, am or pm as text."""
    cell = cell.translate(VARIANTS)
    if m := YEAR_FIRST.fullmatch(cell):
        return int(m[1]), int(m[3]), int(m[4]), *m.groups()[4:]
    if m := YEAR_LAST.fullmatch(cell):
        day, month = (m[3], m[1]) if month_first else (m[1], m[3])
        return int(m[4]), int(month), int(day), *m.groups()[4:]
    if m := COMPACT.fullmatch(cell):
        return int(m[1]), int(m[2]), int(m[3]), *m.groups()[3:], None
    for form, word in ((DAY_WORD, 2), (WORD_DAY, 1)):
        if (m := form.fullmatch(cell)) and (month := _month(m[word])):
            return int(m[3]), month, int(m[3 - word]), *m.groups()[3:]
    return None


def _month(word):
    """The number of the month whose name begins so; None if there is none or more than one."""
    start = plain_letters(word)
    months = {number for name, number in MONTHS if name.startswith(start)}
    return months.pop() if len(months) == 1 else None


def date_orders(cells) -> list[bool]:
    """Values of ``month_first`` for which all ``cells`` are days: one if the column is
    unambiguous, none if some cell is no day in either order."""
    values = {order: [read_date(cell, order) for cell in cells] for order in (False, True)}
    fits = [order for order, days in values.items() if not np.isnan(days).any()]
    if len(fits) == 2 and values[False] == values[True]:
        return fits[:1]
    dotted = [bool(m := YEAR_LAST.fullmatch(cell)) and m[2] == "." for cell in cells]
    # Between dots the day comes first everywhere.
    return [False] if False in fits and any(dotted) else fits
