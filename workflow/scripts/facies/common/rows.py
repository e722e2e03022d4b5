"""Arrays with a row for every photo of a cohort, in one uncompressed .npz as np.savez writes it.

They are written as their rows come and read as rows are asked for, so that memory need not hold
what a disk holds.
"""

import itertools
import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

BLOCK = 64  # rows at once


def save_rows(path: str | Path, count: int, **columns) -> None:
    """Write what np.savez would; a column is an array, or an iterator of its ``count`` rows."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, column in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                if isinstance(column, np.ndarray):
                    npy.write_array(member, column, allow_pickle=False)
                else:
                    _write_rows(member, count, map(np.asarray, column))


def _write_rows(member, count, rows):
    first = next(rows)
    shape, kind = (count, *first.shape), npy.dtype_to_descr(first.dtype)
    npy.write_array_header_1_0(member, {"descr": kind, "fortran_order": False, "shape": shape})
    for _, row in zip(range(count), itertools.chain([first], rows), strict=True):
        if (row.shape, row.dtype) != (first.shape, first.dtype):
            raise ValueError(f"a row {row.shape} {row.dtype} among {first.shape} {first.dtype}")
        member.write(row.tobytes())


class Rows:
    """An array of an .npz that stays on disk until rows of it are asked for: ``rows[wanted]`` with
    a slice, numbers or a mask gives them as an array. Files by save_rows or np.savez. With
    ``chosen`` (k,) of its rows it is an array of those alone."""

    def __init__(self, path: str | Path, name: str, chosen: np.ndarray | None = None):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            place = archive.getinfo(f"{name}.npy").header_offset
        with open(path, "rb") as file:
            # A member stands behind its name and extra field, whose lengths are at byte 26.
            file.seek(place + 26)
            lengths = struct.unpack("<HH", file.read(4))
            file.seek(place + 30 + sum(lengths))
            npy.read_magic(file)
            (count, *row), _, self.dtype = npy.read_array_header_1_0(file)
            self.start = file.tell()
        self.numbers = np.arange(count) if chosen is None else np.arange(count)[chosen]
        self.shape = (len(self.numbers), *row)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, wanted) -> np.ndarray:
        numbers = self.numbers[wanted]
        found = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        size = self.dtype.itemsize * int(np.prod(self.shape[1:]))
        with open(self.path, "rb") as file:
            for row, number in zip(found, numbers, strict=True):
                file.seek(self.start + int(number) * size)
                file.readinto(row)
        return found


def mean_picture(rows, chosen=slice(None)) -> np.ndarray:
    """The mean uint8 (r, r, 3) of the ``chosen`` pictures uint8 (n, r, r, 3), read by blocks."""
    count = len(np.arange(len(rows))[chosen])
    total = sum(block.sum(axis=0, dtype=float) for block in blocks(rows, chosen))
    return (total / count).astype(np.uint8)


def blocks(rows, chosen=slice(None)):
    """The ``chosen`` rows of an array or of Rows, in order, ``BLOCK`` at a time."""
    numbers = np.arange(len(rows))[chosen]
    for first in range(0, len(numbers), BLOCK):
        yield rows[numbers[first : first + BLOCK]]
