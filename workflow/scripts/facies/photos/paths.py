"""Where a photo of the sheet lies, also where another system wrote its name another way."""

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
    found = Path(folder)
    for part in Path(name).parts:
        found /= _names(found).get(unicodedata.normalize("NFC", part), part)
    return found


@cache
def _names(folder):
    """The names in a folder by their composed form."""
    try:
        return {unicodedata.normalize("NFC", name): name for name in sorted(os.listdir(folder))}
    except OSError:
        return {}
