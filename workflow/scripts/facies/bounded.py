"""Files that others wrote, read within bounds: of what kind, how large, and with what in them.

Each function raises InputError, or ValueError where the caller knows better what to advise.
"""

import json
import math
import os
import resource
import stat
import struct
from contextlib import contextmanager
from pathlib import Path

from facies.errors import InputError

LARGEST_HEADER = 10**7  # bytes of JSON before the numbers of a safetensors file


def refuse_irregular(path: str | Path) -> None:
    """Only a regular file has a size and an end: a pipe waits, a device goes on without one."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise InputError("no regular file but a folder, pipe or device; name a file")


def strict_json(text: str | bytes):
    """JSON in which every number is finite and no key occurs twice; ValueError otherwise."""

    def number(word: str) -> float:
        if not math.isfinite(value := float(word)):
            raise ValueError(f"{word} is no finite number")
        return value

    def unique(pairs):
        if len(table := dict(pairs)) < len(pairs):
            raise ValueError("a key occurs twice")
        return table

    return json.loads(text, parse_float=number, parse_constant=number, object_pairs_hook=unique)


def read_header(path: str | Path) -> dict:
    """The header of a safetensors file: its tensors' dtype, shape and place, and its metadata.

    OSError where the file cannot be read, ValueError where it is none or its header is too large.
    """
    refuse_irregular(path)
    with open(path, "rb") as file:
        start = file.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 1 < size <= min(LARGEST_HEADER, os.fstat(file.fileno()).st_size):
            raise ValueError(f"a header of {size} bytes")
        try:
            header = strict_json(file.read(size))
        except RecursionError:
            raise ValueError("a header of too many levels") from None
    if not isinstance(header, dict):
        raise ValueError("a header that is no table")
    return header


@contextmanager
def limited_memory(more: int):
    """Let allocations fail that would take the process `more` bytes beyond what it has mapped."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more
    bound = limit if before[1] == resource.RLIM_INFINITY else min(limit, before[1])
    resource.setrlimit(resource.RLIMIT_AS, (bound, before[1]))
    try:
        yield
    except MemoryError:
        raise InputError(f"needs more than {more / 1e9:.0f} GB of memory, as no StyleGAN2 does")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
