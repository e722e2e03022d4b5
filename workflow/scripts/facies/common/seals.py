"""Seals: a hidden file beside each result with its digest and the recipe that made it.

The digest shows whether a result was changed after its job. The recipe shows whether settings, code
or inputs are still the same, also where Snakemake's metadata (.snakemake) were lost or the folder
of results was copied or renamed.
"""

import json
import os
from functools import lru_cache
from pathlib import Path

from facies.common.store import digest, file_digest


def seal(path: str | Path, recipe: str) -> None:
    """Write the digest of a finished result and the recipe of its job."""
    _write(path, file_digest(path), recipe)


def is_broken(path: str | Path) -> bool:
    """Whether a sealed file was changed; it is read only if its size or time did."""
    if not (note := _read(path)) or note["state"] == _state(path):
        return False  # no seal, or unchanged
    if file_digest(path) != note["digest"]:
        return True
    _write(path, note["digest"], note.get("recipe"))
    return False


def recipe_of(path: str | Path) -> str | None:
    """The recipe that made the file; None without a seal."""
    return _read(path).get("recipe")


def recipe(script: str | Path, params: dict, inputs: list[str], folders: dict[str, str]) -> str:
    """Digest of all that determines a job's results: script, parameters, and contents of inputs.

    Paths below one of ``folders`` {name: path} count relative to it.
    """

    def relative(value):
        if isinstance(value, dict):
            return {str(name): relative(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [relative(item) for item in value]
        if isinstance(value, str | os.PathLike):
            for name, folder in folders.items():
                if value == folder or str(value).startswith(f"{folder}/"):
                    return f"<{name}>{str(value)[len(folder) :]}"
            return str(value)
        return value

    contents = [[relative(path), _content(path)] for path in inputs]
    return digest(_file_content(script), relative(params), sorted(contents, key=str))


def _content(path) -> str | None:
    """Digest of a file, from its seal if it has one, as results are large."""
    return _read(path).get("digest") or _file_content(path)


def _file_content(path):
    path = Path(path)
    return _digest_at(str(path), *_state(path)) if path.is_file() else None


@lru_cache(None)
def _digest_at(path, _size, _time):
    return file_digest(path)


def _state(path):
    status = Path(path).stat()
    return [status.st_size, status.st_mtime_ns]


def _note(path):
    path = Path(path)
    return path.with_name(f".{path.name}.seal")


def _read(path) -> dict:
    try:
        return json.loads(_note(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _write(path, content, recipe):
    """Write the seal atomically, as several jobs may check one file."""
    beside = _note(path).with_suffix(f".{os.getpid()}")
    note = {"state": _state(path), "digest": content, "recipe": recipe}
    beside.write_text(json.dumps(note), encoding="utf-8")
    os.replace(beside, _note(path))
