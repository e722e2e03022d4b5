"""Read files from elsewhere safely: their kind, size and content are checked.

OSError and ValueError say what is wrong; the caller adds the remedy.
"""

import errno
import json
import math
import os
import resource
import stat
import struct
from contextlib import contextmanager
from pathlib import Path

from facies.common.errors import InputError

LARGEST_HEADER = 10**7  # bytes of JSON before the numbers of a safetensors file


def regular_size(path: str | Path) -> int:
    """Bytes of a regular file; OSError for anything else, as pipes and devices may never end."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file but a folder, pipe or device", str(path))
    return status.st_size


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
    """The header of a safetensors file: dtype, shape and offsets of its tensors, and metadata.

    OSError if the file cannot be read, ValueError if its header is invalid or too large.
    """
    most = min(LARGEST_HEADER, regular_size(path))
    with open(path, "rb") as file:
        start = file.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 1 < size <= most:
            raise ValueError(f"a header of {size} bytes, where {most} are the most")
        try:
            header = strict_json(file.read(size))
        except RecursionError:
            raise ValueError("a header of too many levels") from None
    if not isinstance(header, dict):
        raise ValueError("a header that is no table")
    return header


@contextmanager
def limited_memory(more: float):
    """Limit the memory of the process to ``more`` bytes beyond what it has mapped; InputError when
    that is exceeded. No limit on other systems than Linux."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    except OSError:
        yield
        return
    limits = [pages * resource.getpagesize() + int(more), soft, hard]
    limit = min(n for n in limits if n != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    except MemoryError:
        reason = f"takes more than {more / 1e9:.0f} GB of memory to read, as no StyleGAN2 does"
        raise InputError(reason) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
