"""Networks in OpenVINO's IR, a graph of operations in XML beside a file of constants, in PyTorch.

There are the operations (opset 1 to 7) that MobileStyleGAN needs.
"""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from facies.common.errors import InputError

TYPES = {"f32": np.float32, "i64": np.int64, "i32": np.int32}


class Graph(nn.Module):
    """The network of an .xml file and the .bin file of the same name: one tensor to one tensor.

    The files decide which operations run on which numbers and nothing else; InputError for an
    operation that is not there.
    """

    def __init__(self, path: str | Path):
        super().__init__()
        root = ElementTree.parse(path).getroot()
        constants = Path(path).with_suffix(".bin").read_bytes()
        self.steps = []  # (name, operation, attributes, names of the inputs), in an order that runs
        steps, sources = {}, {}
        for edge in root.find("edges"):
            start = (edge.get("from-layer"), int(edge.get("from-port")))
            sources.setdefault(edge.get("to-layer"), {})[int(edge.get("to-port"))] = start
        inputs = {
            layer.get("id"): len(layer.findall("input/port")) for layer in root.find("layers")
        }
        for layer in root.find("layers"):
            name, kind, data = layer.get("id"), layer.get("type"), layer.find("data")
            attributes = {} if data is None else dict(data.attrib)
            # Ports are numbered from the first input to the last output.
            given = [
                (source, port - inputs[source])
                for _, (source, port) in sorted(sources.get(name, {}).items())
            ]
            if kind == "Const":
                self.register_buffer(name, _constant(attributes, constants), persistent=False)
            elif kind not in OPERATIONS and kind not in ("Parameter", "Result"):
                raise InputError(f"{path}: operation {kind} is not one of {', '.join(OPERATIONS)}")
            else:
                steps[name] = (kind, attributes, given)
        ready = set(self._buffers)
        while steps:
            name = next(
                n for n, (_, _, given) in steps.items() if ready.issuperset(s for s, _ in given)
            )
            self.steps.append((name, *steps.pop(name)))
            ready.add(name)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {name: (value,) for name, value in self._buffers.items()}
        uses = Counter(source for *_, given in self.steps for source, _ in given)
        for name, kind, attributes, given in self.steps:
            arguments = [values[source][output] for source, output in given]
            for source, _ in given:  # at 1024 pixels memory matters
                uses[source] -= 1
                if not uses[source]:
                    del values[source]
            if kind == "Result":
                return arguments[0]
            result = x if kind == "Parameter" else OPERATIONS[kind](attributes, *arguments)
            values[name] = result if isinstance(result, tuple) else (result,)
        raise AssertionError("a graph without a result")


def _constant(attributes, constants) -> torch.Tensor:
    start, size = int(attributes["offset"]), int(attributes["size"])
    shape = [int(n) for n in attributes["shape"].split(",") if n.strip()]
    numbers = np.frombuffer(constants[start : start + size], TYPES[attributes["element_type"]])
    return torch.from_numpy(numbers.reshape(shape).copy())


def _pair(text):
    return tuple(int(n) for n in text.split(","))


def _gather(_, x, indices, axis):
    axis = int(axis)
    picked = x.index_select(axis, indices.flatten())
    return picked.reshape([*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]])


def _unsqueeze(_, x, axes):
    for axis in sorted(axes.flatten().tolist()):
        x = x.unsqueeze(axis)
    return x


def _reshape(_, x, shape):
    return x.reshape([n or x.shape[i] for i, n in enumerate(shape.tolist())])


def _broadcast(_, x, shape):
    return x.broadcast_to(torch.broadcast_shapes(x.shape, tuple(shape.tolist())))


def _convolution(attributes, x, weight):
    return F.conv2d(
        x, weight, stride=_pair(attributes["strides"]), padding=_pair(attributes["pads_begin"])
    )


def _grouped(attributes, x, weight):
    """``weight`` (groups, out, in, height, width) by group."""
    stride, padding = _pair(attributes["strides"]), _pair(attributes["pads_begin"])
    return F.conv2d(x, weight.flatten(0, 1), stride=stride, padding=padding, groups=len(weight))


def _transposed(attributes, x, weight):
    """``weight`` (groups, in, out, height, width) by group."""
    stride, padding = _pair(attributes["strides"]), _pair(attributes["pads_begin"])
    return F.conv_transpose2d(
        x, weight.flatten(0, 1), stride=stride, padding=padding, groups=len(weight)
    )


OPERATIONS = {
    "Add": lambda _, x, y: x + y,
    "Multiply": lambda _, x, y: x * y,
    "Power": lambda _, x, y: x**y,
    "MatMul": lambda _, x, y: x @ y.mT,  # transpose_b in all of them
    "ReduceMean": lambda _, x, axes: x.mean(axes.tolist(), keepdim=True),
    "PReLU": lambda _, x, slope: F.prelu(x, slope.flatten()),
    "Convolution": _convolution,
    "GroupConvolution": _grouped,
    "GroupConvolutionBackpropData": _transposed,
    "ShapeOf": lambda _, x: torch.tensor(x.shape, device=x.device),
    "Gather": _gather,
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda _, x, axes: x.squeeze(tuple(axes.flatten().tolist())),
    "Reshape": _reshape,
    "Concat": lambda attributes, *parts: torch.cat(parts, int(attributes["axis"])),
    "Broadcast": _broadcast,
    "Tile": lambda _, x, repeats: x.tile(repeats.tolist()),
    "VariadicSplit": lambda _, x, axis, lengths: x.split(lengths.tolist(), int(axis)),
}
