"""NVIDIA's network pickles, read without running anything that they carry.

The pickles of stylegan2-ada-pytorch and stylegan3 hold, beside the numbers, the source code of the
networks' classes, which a normal load executes. This reader admits the few globals that such a
pickle needs, puts inert records in their place, and takes only tensors, numbers and words out.
"""

import collections
import io
import pickle
from pathlib import Path

import torch

from facies.errors import InputError


class Record:
    """What stands where a pickle wanted an object: its attributes."""

    def __init__(self, meta=None):
        meta = meta if isinstance(meta, dict) else {}
        self.attributes = meta.get("state") or {}

    def __setstate__(self, state):
        """Numpy's dtypes bring a state; nobody asks for it."""

    def tensors(self, prefix="") -> dict[str, torch.Tensor]:
        """Parameters and buffers of a module and of the modules in it, by their full names."""
        found = {}
        for kind in ("_parameters", "_buffers"):
            for name, value in self.attributes.get(kind, {}).items():
                if isinstance(value, torch.Tensor):
                    found[prefix + name] = value
        for name, module in self.modules():
            found |= module.tensors(f"{prefix}{name}.")
        return found

    def modules(self) -> list[tuple[str, "Record"]]:
        children = self.attributes.get("_modules", {}).items()
        return [(name, child) for name, child in children if isinstance(child, Record)]


class _Names(dict):
    """EasyDict: a dict that the pickle fills."""


def _nothing(*_args):
    return Record()


def _storage(data: bytes):
    """A storage in torch's own stream, which is read by its restricted loader."""
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _tensor(storage, offset, size, stride, *_rest) -> torch.Tensor:
    """The part of a storage that the pickle describes, if the storage holds it."""
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    numbers = torch.tensor([], dtype=storage.dtype).set_(storage)
    if min([offset, *size, *stride, 0]) < 0 or (0 not in size and last >= len(numbers)):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return torch.as_strided(numbers, size, stride, offset)


ADMITTED = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Record,
    ("dnnlib.util", "EasyDict"): _Names,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_rest: tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("numpy", "dtype"): _nothing,
    ("numpy", "ndarray"): _nothing,
    ("numpy.core.multiarray", "scalar"): _nothing,
    ("numpy._core.multiarray", "scalar"): _nothing,
    # StyleGAN3's, so that it is refused for what it is.
    ("numpy.core.multiarray", "_reconstruct"): _nothing,
    ("numpy._core.multiarray", "_reconstruct"): _nothing,
}


def refused(name: str) -> InputError:
    """The error for a file that asks for a global which is not admitted."""
    return InputError(
        f"asks for {name}, which no StyleGAN2 needs; it was not run. "
        "Do not open this file with anything else unless you trust who made it"
    )


class _Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) in (("dnnlib.tflib.network", "Network"), ("tfutil", "Network")):
            raise InputError(
                "a network of the TensorFlow era; NVIDIA's legacy.py turns a StyleGAN2 into a file "
                "that can be read, but no StyleGAN and no ProGAN"
            )
        if (module, name) not in ADMITTED:
            raise refused(f"{module}.{name}")
        return ADMITTED[module, name]


def read_pickle(path: str | Path) -> dict[str, Record]:
    """The networks of a pickle by name (G, D, G_ema ...).

    Raises InputError, with nothing executed, when the pickle asks for what no StyleGAN2 needs, is
    cut short, or is no pickle of networks.
    """
    try:
        with open(path, "rb") as file:
            content = _Reader(file).load()
    except InputError:
        raise
    except Exception as error:  # a hostile or damaged stream may raise anything at all
        raise InputError(f"not a whole pickle of networks ({error}); copy it again") from None
    networks = content if isinstance(content, dict) else {}
    return {name: value for name, value in networks.items() if isinstance(value, Record)}
