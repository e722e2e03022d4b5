"""Ids of patients and photos: text, unique, and written alike in both sheets.

Otherwise patients would lose their photos without notice.
"""

import re

import pandas as pd

from facies.common.errors import InputError

ID = re.compile(r"[A-Za-z0-9_-]+")
SHOWN = 3  # pairs of ids in a message


def check_ids(path, table, *names) -> None:
    """Refuse ids with other characters than letters, digits, - and _."""
    for name in names:
        bad = table[~table[name].map(lambda value: bool(ID.fullmatch(value)))]
        if len(bad):
            raise InputError(
                f"{path}: row {bad.index[0]}: {name} may hold only letters from A to Z, digits, - "
                "and _, and must not be empty; rename it"
            )


def refuse_duplicates(path, table, name) -> None:
    """Refuse an id in several rows."""
    repeated = table[table.duplicated(name, keep=False)]
    if len(repeated):
        rows = ", ".join(map(str, repeated.index[repeated[name] == repeated[name].iloc[0]]))
        raise InputError(f"{path}: rows {rows} have the same {name}; keep one of them")


def refuse_lookalikes(sheets: dict[str, pd.Series]) -> None:
    """Refuse ids (by path of their sheet) that differ only in leading zeros, which spreadsheets
    drop, or case."""
    _refuse_pairs(sheets, _without_zeros, "leading zeros or case")


def refuse_near_misses(sheets: dict[str, pd.Series]) -> None:
    """Refuse ids of only one of two sheets that differ only in hyphens or a letter for a digit.
    Within one sheet, such ids may belong to two patients."""
    first, second = sheets.values()
    marks = r"(?<!\d)[-_]+|[-_]+(?!\d)"  # between digits they distinguish 1-11 from 11-1

    def key(ids):
        plain = ids.str.replace(marks, "", regex=True).str.lower()
        return _without_zeros(plain.str.translate(str.maketrans("oil_", "011-")))

    unmatched = {path: ids[~(ids.isin(first) & ids.isin(second))] for path, ids in sheets.items()}
    unmatched = {path: ids.drop_duplicates() for path, ids in unmatched.items()}
    unmatched = {path: ids[~key(ids).duplicated(keep=False)] for path, ids in unmatched.items()}
    _refuse_pairs(unmatched, key, "hyphens, zeros, or letters for digits (O for 0)")


def _without_zeros(ids):
    return ids.str.lower().str.replace(r"(?<!\d)0+(?=\d)", "", regex=True)


def _refuse_pairs(sheets, key, what):
    """Refuse different ids with the same ``key``."""
    ids = pd.concat(
        [pd.DataFrame({"id": column, "row": f"{path} row "}) for path, column in sheets.items()]
    )
    ids["row"] += ids.index.astype(str)
    ids = ids.drop_duplicates("id")
    groups = ids.row.groupby(key(ids.id), sort=False)
    pairs = [" and ".join(rows[:2]) for _, rows in groups if len(rows) > 1]
    if pairs:
        name = next(iter(sheets.values())).name
        raise InputError(
            f"{'; '.join(pairs[:SHOWN])} ({len(pairs)} in all): {name} differs only in {what}; "
            "if both are the same id, write them alike, else rename one; format the column as text "
            "in your spreadsheet"
        )
