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
from functools import cache
from pathlib import Path

import torch

from facies.errors import InputError

# What is read costs no more than this, whatever a file claims; StyleGAN2 of 1024 pixels with its
# optimisers stays under a tenth of each.
MOST = {"": 1_000_000, "TUPLE": 50_000, "LONG": 10_000}  # operations whose name begins so

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # with which torch's files without zip begin
MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
TENSOR, PARAMETER = "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"
NESTED, STORAGE = "torch.storage._load_from_bytes", "storage"
DTYPES = {
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
}
ADMITTED = re.compile(
    r"""torch_utils\.persistence\._reconstruct_persistent_obj | dnnlib\.util\.EasyDict
    | torch\._utils\._rebuild_\w+ | torch\.serialization\._get_layout | torch\.storage\._load_from_bytes
    | torch\.(\w+Storage|device|Size|u?int\d+|b?float\d+|bool)
    # Arguments of the training.
    | argparse\.Namespace | types\.SimpleNamespace | easydict\.EasyDict
    | collections\.(OrderedDict|defaultdict|Counter)
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
    counts = dict.fromkeys(MOST, 0)
    for opcode, argument, _ in pickletools.genops(stream):
        for name in counts:
            counts[name] += opcode.name.startswith(name)
            if counts[name] > MOST[name]:
                raise pickle.UnpicklingError(f"more than {MOST[name]} {name or 'operations'}")
        # Memory is taken for all places up to the highest number, and honest ones are consecutive.
        if "PUT" in opcode.name and argument > counts[""]:
            raise pickle.UnpicklingError("memo numbers out of order")
    stream.seek(start)
    reader = _Reader(stream)
    return reader.load(), reader.storages


class Source:
    """A file's `content`, described, and the numbers behind the tensors in it."""

    def __init__(self, content, size: int, storages: dict[str, bytes | memoryview] | None = None):
        self.content, self.left, self.storages = content, size, storages or {}

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
        dtype, numbers = self._numbers(storage)
        if (
            type(size) is not tuple
            or len(size) > 8
            or (any(type(n) is not int or n < 0 for n in (offset, *size, *stride)))
        ):
            raise pickle.UnpicklingError("a tensor of impossible shape")
        if 0 in size:
            return torch.empty(size)
        first, step = offset * dtype.itemsize, dtype.itemsize
        count = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if first + count * step > len(numbers):
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        self.left -= count * step
        if self.left < 0 or math.prod(size) > count:  # a stride can be 0
            raise InputError("holds a tensor of other than plain floating numbers")
        part = torch.frombuffer(bytearray(numbers[first : first + count * step]), dtype=dtype)
        return torch.empty(size).copy_(part.as_strided(size, stride))

    def _numbers(self, storage: Record) -> tuple[torch.dtype, bytes | memoryview]:
        """Type and bytes of a storage, or of the one in the stream that stands for it."""
        storages = self.storages
        if storage.name == NESTED:
            storage, storages = _stream(io.BytesIO(storage.args[0]))
        kind, key = storage.args
        if kind not in DTYPES:
            raise InputError("holds a tensor of other than plain floating numbers")
        return DTYPES[kind], storages[key]


def _stream(stream) -> tuple[object, dict[str, memoryview]]:
    """What torch wrote without zip: three pickles of itself, the object, its storages' keys, and
    for each of these the number of its numbers (int64) and the numbers."""
    head = [_describe(stream)[0] for _ in range(3)]
    if head[:2] != [MAGIC, PROTOCOL] or head[2].get("little_endian") is not True:
        raise pickle.UnpicklingError("no stream of torch")
    content, named = _describe(stream)
    keys = _describe(stream)[0]
    whole = memoryview(stream.getbuffer() if isinstance(stream, io.BytesIO) else stream)
    place, storages = stream.tell(), {}
    for key in keys:
        count = int.from_bytes(whole[place : place + 8], "little")
        step = _item_size(named[key])
        storages[key] = whole[place + 8 : place + 8 + count * step]
        place += 8 + count * step
    if place > len(whole):
        raise EOFError("the numbers are cut short")
    return content, storages


def _item_size(storage: Record) -> int:
    """Bytes of one number of a storage, also of those that are not read."""
    kind = storage.args[0].removeprefix("torch.").removesuffix("Storage")
    sizes = {"Byte": 1, "Char": 1, "Bool": 1, "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4}
    return sizes.get(kind, 4 if kind == "Float" else 16 if kind == "ComplexDouble" else 8)


def _zip(path) -> Source:
    """What torch wrote as a zip, of which it compresses nothing."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        size = Path(path).stat().st_size
        if any(p.compress_type != zipfile.ZIP_STORED for p in parts) or (
            sum(p.file_size for p in parts) > size
        ):
            raise InputError(
                "a zip of compressed parts, as torch never writes; save it again with torch.save"
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
        content, storages = _stream(stream := _mapped(path))
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
        raise InputError(
            f"not a whole pickle of networks ({error!s:.200}); copy it again"
        ) from None


def _mapped(path) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
