"""Whether a result is still what its job wrote: size, time and digest are noted beside it.

A result that other hands changed would flow on into everything that is made from it.
"""

import json
import os
from pathlib import Path

from facies.store import file_digest


def seal(path: str | Path) -> None:
    """Note what a finished result is."""
    _write(path, file_digest(path))


def is_broken(path: str | Path) -> bool:
    """Whether a sealed file has other bytes now; where size and time are as they were when it was
    last looked at, they are not read."""
    try:
        made = json.loads(_note(path).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return False  # not a result
    if made["state"] == _state(path):
        return False
    if file_digest(path) != made["digest"]:
        return True
    _write(path, made["digest"])
    return False


def _state(path):
    found = Path(path).stat()
    return [found.st_size, found.st_mtime_ns]


def _note(path):
    path = Path(path)
    return path.with_name(f".{path.name}.seal")


def _write(path, digest):
    """The note, whole or not at all: several jobs may look at one file."""
    beside = _note(path).with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({"state": _state(path), "digest": digest}))
    os.replace(beside, _note(path))
