"""What words of a sheet are besides names of groups: numbers with units, or one word twice."""

import re
import unicodedata

import pandas as pd

SEVERAL = 5  # different numbers with one unit
FEW = 10  # names of groups that look like a number or a date
DATED = re.compile(r"^\W*\d|(?<!\w)(?:19|20)\d\d(?!\w)|^[^\W\d]{3}-\d\d$")  # Nov-18: Excel's own
# A number and what stands around it: a comparison or currency before, a unit behind (< 5, EUR 20,
# 63 y, 45 %, 7/10). A word before is none (ward 3, T2), nor is a sign behind (3+).
QUANTITY = re.compile(
    r"([<>≤≥~≈]? ?(?:[A-Z]{3} |[^\w\s+-])?)[+-]?(\d(?:[\d.,' ]*\d)?) ?([^\d\s.,+-].{0,14})?"
)
SYMBOLS = set("<>≤≥~≈%‰°€$£¥")
CYRILLIC = str.maketrans("авекмнорстхуі", "abekmhopctxyi")  # letters that look like Latin ones
DASHES = str.maketrans("‐‑‒–—−", "------")


def quantities(cells: pd.Series) -> pd.Index:
    """Rows of numbers with one unit or mark, if these are most of the cells and too many different
    ones to be names."""
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
    """Rows of words that begin with a number or hold a year, if these are most of the cells, and
    more than names of groups are. Names with a number behind (C34.1, iPhone 12) are not meant."""
    dated = cells.str.contains(DATED)
    return cells.index[dated & (dated.mean() > 0.5) & (cells[dated].nunique() > FEW)]


def looks(word: str) -> str:
    """What a reader takes a word for, whatever its case, spaces, dashes and alphabet."""
    seen = unicodedata.normalize("NFKC", word).casefold().translate(DASHES).translate(CYRILLIC)
    return "".join(letter for letter in seen if unicodedata.category(letter) not in ("Cf", "Zs"))
