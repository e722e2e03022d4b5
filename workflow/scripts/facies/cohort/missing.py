"""Words and numbers that people write for missing values."""

import numpy as np

from facies.cohort.notation import read_date

WORDS = {"na", "n/a", "n.a.", "nan", "null", "#n/a", ".", "?", "missing", "not available"}
WORDS |= {
    "unknown",
    "unk",
    "<na>",
    "nat",
    "not known",
    "unbekannt",
    "k.a.",
    "k. a.",
    "keine angabe",
    "fehlt",
}
CODES = {float(digit * length) for digit in "789" for length in range(1, 6)}
# The first four are day zero of common programs.
CODE_DAYS = ["1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"]
CODE_DAYS += ["1111-11-11", "9999-09-09", "9999-12-31"]
CODE_DAYS = {read_date(day) for day in CODE_DAYS}


def missing_codes(values, time=False) -> list[float]:
    """Numbers such as -999, 99 and 9999 that lie far from all others: probably codes for missing
    values. Of a ``time`` only positive ones: patients with negative times are excluded anyway."""
    left, counts = np.unique(values, return_counts=True)
    low = 0 if time else _low_codes(left)
    codes = left[:low].tolist()
    left, counts = left[low:], counts[low:]
    while len(left) > 1 and _is_high_code(left[-1], left[:-1], counts[-1], codes):
        codes.append(left[-1].item())
        left, counts = left[:-1], counts[:-1]
    return codes


def _low_codes(values):
    """How many of the smallest of the sorted ``values`` are codes."""
    negative = int(np.sum(values < 0))
    codes = np.isin(-values, [1.0, *CODES])
    if 0 < negative < len(values) and codes[:negative].all():  # nothing else is negative
        return negative if values[0] <= -7 or np.ptp(values[negative:]) >= 10 else 0
    number = 0
    while number + 1 < len(values) and codes[number]:
        others = values[number + 1 :]
        if others[0] - values[number] <= np.ptp(others):
            break
        number += 1
    return number


def _is_high_code(value, others, count, higher_codes):
    gap, wide = value - others[-1], np.ptp(others)
    if value not in CODES or (value < 9 and not higher_codes):  # 7 and 8 are codes beside 9
        return False
    far = gap > wide and (wide > 0 or value > 9)
    # Several patients aged 99 and none a few years younger are a code, not an age.
    return far or (set(f"{value:g}") == {"9"} and value > 9 and count >= 3 and gap > 0.05 * wide)
