"""Ids of patients and photos: text, each once, and alike in both sheets.

Patients whose id is written otherwise in the other sheet would lose their photos, and nobody would
see it.
"""

import re

import pandas as pd

from facies.common.errors import InputError

ID = re.compile(r"[A-Za-z0-9_-]+")


def check_ids(path, table, *names):
    for name in names:
        bad = table[~table[name].map(lambda value: bool(ID.fullmatch(value)))]
        if len(bad):
            raise InputError(
                f"{path}: row {bad.index[0]}: {name} may hold only letters from A to Z, digits, - "
                "and _, and must not be empty; rename it"
            )


def refuse_duplicates(path, table, name):
    twice = table[table.duplicated(name, keep=False)]
    if len(twice):
        rows = ", ".join(map(str, twice.index[twice[name] == twice[name].iloc[0]]))
        raise InputError(f"{path}: rows {rows} have the same {name}; keep one of them")


def refuse_lookalikes(sheets: dict[str, pd.Series]) -> None:
    """Refuse ids (by path of their sheet) that differ only in leading zeros or case: a spreadsheet
    that takes ids for numbers drops the zeros, and patients would lose their photos."""
    _refuse_pairs(sheets, _without_zeros, "leading zeros or case")


def refuse_near_misses(sheets: dict[str, pd.Series]) -> None:
    """Refuse ids that only one of two sheets has, alike but for marks, or a letter for a digit.
    Within one sheet such ids may be two patients'."""
    first, second = sheets.values()
    marks = r"(?<!\d)[-_]+|[-_]+(?!\d)"  # between digits they tell 1-11 from 11-1

    def key(ids):
        alike = ids.str.replace(marks, "", regex=True).str.lower()
        return _without_zeros(alike.str.translate(str.maketrans("oil_", "011-")))

    alone = {path: ids[~(ids.isin(first) & ids.isin(second))] for path, ids in sheets.items()}
    alone = {path: ids.drop_duplicates() for path, ids in alone.items()}
    alone = {path: ids[~key(ids).duplicated(keep=False)] for path, ids in alone.items()}
    _refuse_pairs(alone, key, "hyphens, zeros, or letters for digits (O for 0)")


def _without_zeros(ids):
    return ids.str.lower().str.replace(r"(?<!\d)0+(?=\d)", "", regex=True)


def _refuse_pairs(sheets, key, what, shown=3):
    """Refuse ids of which ``key`` makes the same."""
    ids = pd.concat(
        [pd.DataFrame({"id": own, "place": f"{path} row "}) for path, own in sheets.items()]
    )
    ids["place"] += ids.index.astype(str)
    ids = ids.drop_duplicates("id")
    groups = ids.place.groupby(key(ids.id), sort=False)
    pairs = [" and ".join(own[:2]) for _, own in groups if len(own) > 1]
    if pairs:
        name = next(iter(sheets.values())).name
        raise InputError(
            f"{'; '.join(pairs[:shown])} ({len(pairs)} in all): {name} differs only in {what}; "
            "if both are the same id, write them alike, else rename one; format the column as text "
            "in your spreadsheet"
        )
