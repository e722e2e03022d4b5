"""The file of a photo in the sheet, also if its name has another Unicode form."""

import os
import unicodedata
from functools import cache
from pathlib import Path


def photo_file(folder: str | Path, name: str) -> Path:
    """The file ``name`` under ``folder``; where there is none, one whose name differs only in the
    form of its letters, as a Mac writes "ä" as two characters. May not exist."""
    path = Path(folder, name)
    if os.path.lexists(path):
        return path
    path = Path(folder)
    for part in Path(name).parts:
        path /= _names(path).get(unicodedata.normalize("NFC", part), part)
    return path


@cache
def _names(folder):
    """The names in a folder by their composed form."""
    try:
        return {unicodedata.normalize("NFC", name): name for name in sorted(os.listdir(folder))}
    except OSError:
        return {}
