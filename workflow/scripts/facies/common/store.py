"""A content-addressed store of per-photo work.

An item's key is the digest of all that decided it: the photo's bytes, the settings, what came
before, the code. An item is there whole or not at all, and never changes. So a job may be killed,
a setting changed and changed back, a shard re-cut or `results/` deleted, and nothing is done twice.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from facies.common.bounded import regular_size
from facies.common.errors import InputError


def digest(*parts) -> str:
    """SHA-256 of bytes and JSON-able parts, each preceded by its length."""
    total = hashlib.sha256()
    for part in parts:
        if not isinstance(part, bytes):
            part = json.dumps(part, sort_keys=True).encode()
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def file_digest(path: str | Path) -> str:
    """SHA-256 of a regular file's bytes, read in pieces; OSError if it is none."""
    regular_size(path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shard_of(photo_id: str, shards: int) -> int:
    """The photo's bucket: stable, whatever else the cohort holds.

    Not by the bare hash of the id, by which cohorts are split as well: half of the shards of such
    a half would be empty.
    """
    return int(hashlib.sha256(f"shard {photo_id}".encode()).hexdigest(), 16) % shards


def read_manifests(paths) -> dict[str, dict]:
    """What the jobs of all shards say of their photos, by photo_id."""
    items = {}
    for path in paths:
        items |= json.loads(Path(path).read_text(encoding="utf-8"))["items"]
    return items


def write_manifest(path: str | Path, items: dict) -> None:
    """What a shard's job says of its photos: {photo_id: ...}."""
    Path(path).write_text(json.dumps({"items": items}, indent=1, sort_keys=True), encoding="utf-8")


class Store:
    """Items of arrays, filed by kind and key; folders are closed to other users."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / f"{key}.npz"

    def has(self, kind: str, key: str) -> bool:
        """Whether the item is there and readable; a damaged one counts as missing."""
        try:
            with zipfile.ZipFile(self.path(kind, key)) as file:
                return file.testzip() is None
        except (OSError, zipfile.BadZipFile):
            return False

    def load(self, kind: str, key: str, *names: str) -> dict[str, np.ndarray]:
        """An item's arrays, or those with ``names`` alone.

        InputError when the store was emptied or damaged behind the results' back.
        """
        try:
            with np.load(self.path(kind, key), allow_pickle=False) as file:
                return {name: file[name] for name in names or file.files}
        except (FileNotFoundError, zipfile.BadZipFile, EOFError, ValueError):
            raise InputError(
                f"the store lacks {kind} photos that the results count on, or they are damaged: "
                "delete the results, and run again; what the store holds whole is not made anew"
            ) from None

    def save(self, kind: str, key: str, **arrays) -> None:
        """Write under a temporary name, then rename: a kill leaves no half item."""
        path = self.path(kind, key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(packed.getbuffer())
        os.replace(file.name, path)
