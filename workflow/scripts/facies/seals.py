"""Whether a result is still what its job wrote: size, time and digest are noted beside it.

A result that other hands changed would flow on into everything that is made from it.
"""

import json
from pathlib import Path

from facies.store import file_digest


def seal(path: str | Path) -> None:
    """Note what a finished result is."""
    place, state = _note(path), Path(path).stat()
    made = {"size": state.st_size, "time": state.st_mtime_ns, "digest": file_digest(path)}
    place.write_text(json.dumps(made))


def is_broken(path: str | Path) -> bool:
    """Whether a sealed file has other bytes now; they are read where size or time are others."""
    try:
        made = json.loads(_note(path).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return False  # not a result
    state = Path(path).stat()
    if (state.st_size, state.st_mtime_ns) == (made["size"], made["time"]):
        return False
    return file_digest(path) != made["digest"]


def _note(path):
    path = Path(path)
    return path.with_name(f".{path.name}.seal")
