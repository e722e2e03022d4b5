"""Pickles and torch's files, read without running anything that they carry.

NVIDIA's pickles hold, beside the numbers, the source code of the networks' classes, which a normal
load executes. Here a pickle is only a description: whatever object it asks for becomes an inert
`Record` of a name, arguments and a state. Names that no StyleGAN2 and no training arguments need
are refused. Tensors are read when they are asked for, from bytes that the file really holds.
"""

import io
import math
import mmap
import pickle
import pickletools
import re
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path

import torch

from facies.common.errors import InputError

# What is read costs no more than this, whatever a file claims; StyleGAN2 of 1024 pixels with its
# optimisers stays under a tenth of each.
MOST_OPERATIONS, MOST_TUPLES, MOST_LONGS = 1_000_000, 50_000, 10_000

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # with which torch's files without zip begin
MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
TENSOR, PARAMETER = "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"
NESTED, STORAGE = "torch.storage._load_from_bytes", "storage"
DTYPES = {
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    # Of counters and the like, to find what stands behind them.
    "torch.BoolStorage": torch.bool,
    "torch.ByteStorage": torch.uint8,
    "torch.CharStorage": torch.int8,
    "torch.ShortStorage": torch.int16,
    "torch.IntStorage": torch.int32,
    "torch.LongStorage": torch.int64,
    "torch.ComplexFloatStorage": torch.complex64,
    "torch.ComplexDoubleStorage": torch.complex128,
}
ADMITTED = re.compile(
    r"""torch_utils\.persistence\._reconstruct_persistent_obj | dnnlib\.util\.EasyDict
    | torch\._utils\._rebuild_\w+ | torch\.serialization\._get_layout
    | torch\.storage\.(_load_from_bytes|(Untyped|Typed)Storage)
    | torch\.(\w+Storage|device|Size|u?int\d+|b?float\d+(_\w+)?|bool|per_(tensor|channel)_\w+)
    # Arguments of the training.
    | argparse\.Namespace | types\.SimpleNamespace | easydict\.EasyDict
    | collections\.(OrderedDict|defaultdict|Counter|deque)
    | pathlib(\._local)?\.(Pure)?(Posix|Windows)?Path
    | numpy\.(dtype|ndarray|\w+\d+|bool_?) | numpy\._?core\.multiarray\.(scalar|_reconstruct)
    | numpy\._?core\.numeric\._frombuffer
    | datetime\.(datetime|date|time|timedelta) | _codecs\.encode | copy_?reg\._reconstructor
    | (builtins|__builtin__)\.(set|frozenset|list|tuple|dict|object|int|float|bool|str|bytes
        |complex|bytearray|slice|range)""",
    re.VERBOSE,
)


class Record(dict):
    """What stands where a pickle wanted an object: its items, and how it was to be made."""

    name = ""
    args: tuple = ()
    state = None

    def __new__(cls, *args, **_named):
        self = super().__new__(cls)
        self.args = args
        return self

    def __init__(self, *_args, **_named):
        pass

    def __setstate__(self, state):
        self.state = state

    def append(self, _item):
        """Of what is a list, nothing is kept."""


def refused(name: str) -> InputError:
    """The error for a file that asks for a global which is not admitted."""
    return InputError(
        f"asks for {name:.80}, which no StyleGAN2 needs; it was not run. "
        "Do not open this file with anything else unless you trust who made it"
    )


@cache
def _kind(name: str) -> type[Record]:
    """The records of one name. A class, because pickles demand one in places."""
    return type("Kind", (Record,), {"name": name})


class _Reader(pickle.Unpickler):
    def __init__(self, stream):
        super().__init__(stream)
        self.storages: dict[str, Record] = {}

    def find_class(self, module, name):
        if (module, name) in (("dnnlib.tflib.network", "Network"), ("tfutil", "Network")):
            raise InputError(
                "a network of the TensorFlow era; NVIDIA's legacy.py turns a StyleGAN2 into a file "
                "that can be read, but no StyleGAN and no ProGAN"
            )
        if not ADMITTED.fullmatch(f"{module}.{name}"):
            raise refused(f"{module}.{name}")
        return _kind(f"{module}.{name}")

    def persistent_load(self, pid):
        """A storage: its kind, key, device, number of numbers and, in old files, part of another
        storage that it is."""
        _, kind, key, _, _, *view = pid
        if view not in ([], [None]) or not isinstance(key, str):
            raise pickle.UnpicklingError("a storage within another")
        return self.storages.setdefault(key, _kind(STORAGE)(kind.name, key))


def _describe(stream) -> tuple[object, dict[str, Record]]:
    """What the next pickle of a stream describes, and the storages that it names."""
    start = stream.tell()
    _refuse_costly(stream)
    stream.seek(start)
    reader = _Reader(stream)
    return reader.load(), reader.storages


def _refuse_costly(stream) -> None:
    """UnpicklingError for a pickle whose reading takes more than its length suggests."""
    names = Counter()
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        names[opcode.name] += 1
        # Memory is taken for all places up to the highest number, and honest ones are consecutive.
        if number > MOST_OPERATIONS or ("PUT" in opcode.name and argument > number):
            raise pickle.UnpicklingError("more operations or objects than networks need")
    # As keys of tables, tuples within tuples exhaust the stack, and large numbers can collide.
    tuples = sum(count for name, count in names.items() if name.startswith("TUPLE"))
    if tuples > MOST_TUPLES or names["LONG"] + names["LONG1"] + names["LONG4"] > MOST_LONGS:
        raise pickle.UnpicklingError("more tuples or large numbers than networks need")


class Source:
    """A file's `content`, described, and the numbers behind the tensors in it."""

    def __init__(self, content, size: int, storages: dict[str, bytes | memoryview] | None = None):
        self.content, self.left, self.storages = content, size, storages or {}
        self.streams: dict[int, tuple] = {}

    def tensor(self, record) -> torch.Tensor:
        """A copy in single precision of what a record describes.

        Raises UnpicklingError where it reaches beyond its storage, and InputError where it is no
        tensor of floating numbers, or where tensors together claim more than the file holds.
        """
        while isinstance(record, Record) and record.name == PARAMETER:
            record = record.args[0]
        if not isinstance(record, Record) or record.name != TENSOR:
            raise InputError("holds a tensor of other than plain floating numbers")
        storage, offset, size, stride = record.args[:4]
        numbers, dtype = self._numbers(storage)
        whole = all(type(n) is int and n >= 0 for n in (offset, *size, *stride))
        if type(size) is not tuple or len(size) > 8 or not whole:
            raise pickle.UnpicklingError("a tensor of impossible shape")
        if 0 in size:
            return torch.empty(size)
        count = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        part = numbers[offset * dtype.itemsize : (offset + count) * dtype.itemsize]
        if len(part) < count * dtype.itemsize:
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        self.left -= len(part)
        if self.left < 0 or math.prod(size) > count:  # a stride can be 0
            raise InputError("holds a tensor of other than plain floating numbers")
        part = torch.frombuffer(bytearray(part), dtype=dtype)
        return torch.empty(size).copy_(part.as_strided(size, stride))

    def _numbers(self, storage: Record) -> tuple[bytes | memoryview, torch.dtype]:
        """Bytes and type of a storage, or of the one in the stream that stands for it."""
        storages = self.storages
        if storage.name == NESTED:
            data = storage.args[0]
            if id(data) not in self.streams:
                self.streams[id(data)] = _stream(io.BytesIO(data), memoryview(data))
            storage, storages = self.streams[id(data)]
        kind, key = storage.args
        if not DTYPES[kind].is_floating_point:
            raise InputError("holds a tensor of other than plain floating numbers")
        return storages[key], DTYPES[kind]


def _stream(stream, whole: memoryview) -> tuple[object, dict[str, memoryview]]:
    """What torch wrote without zip: three pickles of itself, the object, its storages' keys, and
    for each of these how many numbers it has (int64) and the numbers. `whole` is all of it."""
    head = [_describe(stream)[0] for _ in range(3)]
    if head[:2] != [MAGIC, PROTOCOL] or head[2].get("little_endian") is not True:
        raise pickle.UnpicklingError("no stream of torch")
    content, named = _describe(stream)
    keys, _ = _describe(stream)
    place, storages = stream.tell(), {}
    for key in keys:
        kind, _ = named[key].args
        size = int.from_bytes(whole[place : place + 8], "little") * DTYPES[kind].itemsize
        storages[key] = whole[place + 8 : place + 8 + size]
        place += 8 + size
    if place > len(whole):
        raise EOFError("the numbers are cut short")
    return content, storages


def _zip(path) -> Source:
    """What torch wrote as a zip, of which it compresses nothing."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        size = Path(path).stat().st_size
        if any(p.compress_type != zipfile.ZIP_STORED for p in parts) or (
            sum(p.file_size for p in parts) > size
        ):
            raise InputError(
                "a zip of compressed parts, which no such checkpoint is; write it by torch.save"
            )
        (name,) = (p.filename for p in parts if re.fullmatch(r"[^/]+/data\.pkl", p.filename))
        folder = name.partition("/")[0]
        if f"{folder}/byteorder" in archive.namelist() and (
            archive.read(f"{folder}/byteorder") != b"little"
        ):
            raise pickle.UnpicklingError("numbers of another byte order")
        content, named = _describe(io.BytesIO(archive.read(name)))
        return Source(content, size, {key: archive.read(f"{folder}/data/{key}") for key in named})


def read_torch(path: str | Path) -> Source:
    """A checkpoint that torch wrote, as a zip or, before 1.6, as a stream.

    Raises InputError, with nothing executed, for a file that is damaged or hostile.
    """
    try:
        if zipfile.is_zipfile(path):
            return _zip(path)
        stream = _mapped(path)
        content, storages = _stream(stream, memoryview(stream))
        return Source(content, len(stream), storages)
    except InputError:
        raise
    except Exception:  # a hostile or damaged stream may raise anything at all
        raise InputError("not a whole checkpoint of torch; copy it again") from None


def read_pickle(path: str | Path) -> Source:
    """A plain pickle. Raises InputError, with nothing executed, for one damaged or hostile."""
    try:
        stream = _mapped(path)
        return Source(_describe(stream)[0], len(stream))
    except InputError:
        raise
    except Exception as error:
        reason = f"{error!s:.200}"
        raise InputError(f"not a whole pickle of networks ({reason}); copy it again") from None


def _mapped(path) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
