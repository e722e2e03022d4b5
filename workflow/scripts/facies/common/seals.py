"""Whether a result is still what its job wrote, and what it was made with: noted beside it.

A result that other hands changed would flow on into everything that is made from it. A result of
other settings, other code or other inputs would pass for one of today's where Snakemake's own notes
(.snakemake) were lost, or where the folder of results was copied or renamed: these travel with it.
"""

import json
import os
from functools import lru_cache
from pathlib import Path

from facies.common.store import digest, file_digest


def seal(path: str | Path, recipe: str) -> None:
    """Note what a finished result is, and the recipe of the job that wrote it."""
    _write(path, file_digest(path), recipe)


def is_broken(path: str | Path) -> bool:
    """Whether a sealed file has other bytes now; where size and time are as they were when it was
    last looked at, they are not read."""
    if not (made := _read(path)) or made["state"] == _state(path):
        return False  # no result, or as it was
    if file_digest(path) != made["digest"]:
        return True
    _write(path, made["digest"], made.get("recipe"))
    return False


def recipe_of(path: str | Path) -> str | None:
    """The recipe that the file was made by; None if nothing is known of it."""
    return _read(path).get("recipe")


def recipe(script: str | Path, params: dict, inputs: list[str], places: dict[str, str]) -> str:
    """Digest of all that decides a job's results: script, parameters, and what its inputs hold.

    ``places`` are folders by name: where results, store and workflow lie decides nothing.
    """

    def moved(value):
        if isinstance(value, dict):
            return {str(name): moved(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [moved(item) for item in value]
        if isinstance(value, str | os.PathLike):
            for name, place in places.items():
                if value == place or str(value).startswith(f"{place}/"):
                    return f"<{name}>{str(value)[len(place) :]}"
            return str(value)
        return value

    held = [[moved(path), _content(path)] for path in inputs]
    return digest(_file_content(script), moved(params), sorted(held, key=str))


def _content(path) -> str | None:
    """Digest of a file: that of its note where it has one, for results are large."""
    return _read(path).get("digest") or _file_content(path)


def _file_content(path):
    path = Path(path)
    return _digest_at(str(path), *_state(path)) if path.is_file() else None


@lru_cache(None)
def _digest_at(path, _size, _time):
    return file_digest(path)


def _state(path):
    found = Path(path).stat()
    return [found.st_size, found.st_mtime_ns]


def _note(path):
    path = Path(path)
    return path.with_name(f".{path.name}.seal")


def _read(path) -> dict:
    try:
        return json.loads(_note(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _write(path, content, recipe):
    """The note, whole or not at all: several jobs may look at one file."""
    beside = _note(path).with_suffix(f".{os.getpid()}")
    note = {"state": _state(path), "digest": content, "recipe": recipe}
    beside.write_text(json.dumps(note), encoding="utf-8")
    os.replace(beside, _note(path))
