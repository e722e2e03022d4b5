"""Arrays with a row for every photo of a cohort, in one uncompressed .npz as np.savez writes it.

They are written row by row and mapped from disk when read, so that memory does not grow with the
cohort.
"""

import itertools
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
    whole = np.broadcast_to(first, (count, *first.shape))
    npy.write_array_header_1_0(member, npy.header_data_from_array_1_0(whole))
    for _, row in zip(range(count), itertools.chain([first], rows), strict=True):
        if (row.shape, row.dtype) != (first.shape, first.dtype):
            raise ValueError(f"a row {row.shape} {row.dtype} among {first.shape} {first.dtype}")
        member.write(row.tobytes())


class Rows:
    """An array of an uncompressed .npz that stays on disk: ``rows[index]`` with a slice, numbers or
    a mask reads those rows into an array. With ``chosen`` (k,) it has those rows alone.

    ValueError for a compressed file, and for one that was cut short.
    """

    def __init__(self, path: str | Path, name: str, chosen: np.ndarray | None = None):
        with (
            open(path, "rb") as file,
            zipfile.ZipFile(file) as archive,
            archive.open(f"{name}.npy"),  # leaves the file where the member's bytes begin
        ):
            npy.read_magic(file)
            shape, fortran, self.dtype = npy.read_array_header_1_0(file)
            self._map = {"filename": path, "offset": file.tell(), "shape": shape}
            self._map |= {"dtype": self.dtype, "order": "F" if fortran else "C"}
        self.numbers = np.arange(shape[0]) if chosen is None else np.arange(shape[0])[chosen]
        self.shape = (len(self.numbers), *shape[1:])

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index) -> np.ndarray:
        # Mapped anew each time: the pages of a map count as memory as long as it is open.
        return np.memmap(mode="r", **self._map)[self.numbers[index]]


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
