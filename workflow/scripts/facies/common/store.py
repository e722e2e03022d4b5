"""A content-addressed store of results per photo.

The key of an item is the digest of all that determines it: the photo's bytes, settings, earlier
items and code. Items are written atomically and never change. So nothing is computed twice after a
job was killed, a setting changed and changed back, shards renumbered or `results/` deleted.
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
    """The photo's shard, independent of the rest of the cohort.

    Not the plain hash of the id, by which cohorts may have been split: some shards would be empty.
    """
    return int(hashlib.sha256(f"shard {photo_id}".encode()).hexdigest(), 16) % shards


def read_manifests(paths) -> dict[str, dict]:
    """The items of all shards, by photo_id."""
    items = {}
    for path in paths:
        items |= json.loads(Path(path).read_text(encoding="utf-8"))["items"]
    return items


def write_manifest(path: str | Path, items: dict) -> None:
    """Write the items {photo_id: ...} of one shard."""
    Path(path).write_text(json.dumps({"items": items}, indent=1, sort_keys=True), encoding="utf-8")


class Store:
    """Arrays by kind and key, in folders that no other user may read."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / f"{key}.npz"

    def has(self, kind: str, key: str) -> bool:
        """Whether the item exists and is intact."""
        try:
            with zipfile.ZipFile(self.path(kind, key)) as file:
                return file.testzip() is None
        except (OSError, zipfile.BadZipFile):
            return False

    def load(self, kind: str, key: str, *names: str) -> dict[str, np.ndarray]:
        """The arrays of an item, or those with ``names`` alone; InputError if it is missing or
        corrupt.
        """
        try:
            with np.load(self.path(kind, key), allow_pickle=False) as file:
                return {name: file[name] for name in names or file.files}
        except (FileNotFoundError, zipfile.BadZipFile, EOFError, ValueError):
            raise InputError(
                f"cache entries of {kind} photos are missing or corrupt: delete the results, and "
                "run again; intact entries are kept"
            ) from None

    def save(self, kind: str, key: str, **arrays) -> None:
        """Write an item atomically: under a temporary name, then renamed."""
        path = self.path(kind, key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(packed.getbuffer())
        os.replace(file.name, path)
