"""Words in a sheet that are not categories: numbers with units, or spellings of one word."""

import re
import unicodedata

import pandas as pd

SEVERAL = 5  # different numbers with one unit
FEW = 10  # categories that look like a number or a date
DATED = re.compile(r"^\W*\d|(?<!\w)(?:19|20)\d\d(?!\w)|^[^\W\d]{3}-\d\d$")  # Nov-18: Excel's own
# A number with a comparison or currency before it, or a unit after it (< 5, EUR 20, 63 y, 45 %,
# 7/10); not a word before it (ward 3, T2) or a sign after it (3+).
QUANTITY = re.compile(
    r"([<>≤≥~≈]? ?(?:[A-Z]{3} |[^\w\s+-])?)[+-]?(\d(?:[\d.,' ]*\d)?) ?([^\d\s.,+-].{0,14})?"
)
SYMBOLS = set("<>≤≥~≈%‰°€$£¥")
CYRILLIC = str.maketrans("авекмнорстхуі", "abekmhopctxyi")  # letters that look like Latin ones
DASHES = str.maketrans("‐‑‒–—−", "------")


def quantities(cells: pd.Series) -> pd.Index:
    """Rows of numbers with the same unit or sign, if they are most of the cells and too many
    different ones to be categories."""
    parts = cells.str.extract(f"^{QUANTITY.pattern}$")
    around = parts[0].fillna("").str.strip() + parts[2].fillna("").str.strip()
    around = around[parts[1].notna() & (around != "")]
    if not len(around):
        return around.index
    unit = around.mode().iloc[0]
    rows = around.index[around == unit]
    names = not set(unit) <= SYMBOLS and parts[1][rows].nunique() < SEVERAL
    return rows[:0] if names or 2 * len(rows) <= len(cells) else rows


def numbered(cells: pd.Series) -> pd.Index:
    """Rows of words that begin with a number or contain a year, if they are most of the cells and
    too many to be categories; not names that end in a number (C34.1, iPhone 12)."""
    dated = cells.str.contains(DATED)
    return cells.index[dated & (dated.mean() > 0.5) & (cells[dated].nunique() > FEW)]


def looks(word: str) -> str:
    """A word as it looks, without regard to case, spaces, dashes and alphabet."""
    word = unicodedata.normalize("NFKC", word).casefold().translate(DASHES).translate(CYRILLIC)
    return "".join(letter for letter in word if unicodedata.category(letter) not in ("Cf", "Zs"))
