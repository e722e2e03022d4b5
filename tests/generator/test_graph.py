"""Small graphs in OpenVINO's IR, their results by hand or by PyTorch's own operations."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from facies.common.errors import InputError
from facies.generator.graph import Graph

ELEMENTS = {np.dtype("float32"): "f32", np.dtype("int64"): "i64", np.dtype("int32"): "i32"}


def write(folder, steps):
    """The Graph of ``steps``, (name, operation, attributes, inputs). An input is "x", the graph's
    parameter, an array, or the name of a step, "name:1" being its second output."""
    layers, edges, constants = [], [], b""

    def add(name, kind, attributes, sources):
        words = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        ports = f"<input>{'<port/>' * len(sources)}</input><output><port/></output>"
        layers.append(f'<layer id="{name}" type="{kind}"><data {words}/>{ports}</layer>')
        for position, (source, port) in enumerate(sources):
            ends = f'from-layer="{source}" from-port="{port}" to-layer="{name}"'
            edges.append(f'<edge {ends} to-port="{position}"/>')

    counts = {"x": 0}
    add("x", "Parameter", {}, [])
    for name, kind, attributes, inputs in steps:
        sources = []
        for i, given in enumerate(inputs):
            if isinstance(given, np.ndarray):
                where = {"offset": len(constants), "size": given.nbytes}
                where |= {"shape": ",".join(map(str, given.shape))}
                add(f"{name}-{i}", "Const", where | {"element_type": ELEMENTS[given.dtype]}, [])
                constants += given.tobytes()
                sources.append((f"{name}-{i}", 0))
            else:
                source, _, output = given.partition(":")
                sources.append((source, counts[source] + int(output or 0)))
        add(name, kind, attributes, sources)
        counts[name] = len(sources)
    text = f"<net><layers>{''.join(layers)}</layers><edges>{''.join(edges)}</edges></net>"
    (folder / "g.xml").write_text(text)
    (folder / "g.bin").write_bytes(constants)
    return Graph(folder / "g.xml")


def whole(*numbers):
    return np.array(numbers, np.int64)


ONE = {"strides": "1, 1", "pads_begin": "1, 1", "pads_end": "1, 1"}
TWO = {"strides": "2, 2", "pads_begin": "0, 0", "pads_end": "0, 0"}


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "attributes", "constants", "expected"),
    [
        ("Add", {}, [numbers(1, 4, 1, 1)], lambda x, c: x + c[0]),
        ("Multiply", {}, [numbers(1, 4, 1, 1)], lambda x, c: x * c[0]),
        ("Power", {}, [np.float32(2).reshape(1)], lambda x, c: x**2),
        ("ReduceMean", {}, [whole(1)], lambda x, c: x.mean(1, keepdim=True)),
        ("PReLU", {}, [np.float32([0.2])], lambda x, c: F.leaky_relu(x, 0.2)),
        ("Convolution", ONE, [numbers(5, 4, 3, 3)], lambda x, c: F.conv2d(x, c[0], padding=1)),
        (
            "GroupConvolution",
            ONE,
            [numbers(4, 1, 1, 3, 3)],
            lambda x, c: F.conv2d(x, c[0].flatten(0, 1), padding=1, groups=4),
        ),
        (
            "GroupConvolutionBackpropData",
            TWO,
            [numbers(4, 1, 1, 2, 2)],
            lambda x, c: F.conv_transpose2d(x, c[0].flatten(0, 1), stride=2, groups=4),
        ),
        ("Reshape", {}, [whole(0, 2, -1)], lambda x, c: x.reshape(3, 2, -1)),
        ("Unsqueeze", {}, [whole(1)], lambda x, c: x[:, None]),
        ("Tile", {}, [whole(1, 2, 1, 1)], lambda x, c: x.repeat(1, 2, 1, 1)),
        ("Gather", {}, [whole(2, 0), whole(1).reshape(())], lambda x, c: x[:, [2, 0]]),
    ],
)
def test_an_operation(tmp_path, kind, attributes, constants, expected):
    graph = write(
        tmp_path, [("a", kind, attributes, ["x", *constants]), ("r", "Result", {}, ["a"])]
    )
    x = torch.from_numpy(numbers(3, 4, 6, 6, seed=1))
    torch.testing.assert_close(graph(x), expected(x, list(map(torch.from_numpy, constants))))


def test_parts_of_a_split_come_by_their_ports(tmp_path):
    steps = [
        ("parts", "VariadicSplit", {}, ["x", whole(1).reshape(()), whole(1, 3)]),
        ("back", "Concat", {"axis": 1}, ["parts:1", "parts:0"]),
        ("r", "Result", {}, ["back"]),
    ]
    x = torch.from_numpy(numbers(2, 4))
    assert torch.equal(write(tmp_path, steps)(x), x[:, [1, 2, 3, 0]])


def test_an_unknown_operation_is_named(tmp_path):
    with pytest.raises(InputError, match=r"g.xml: operation Softmax is not one of Add, "):
        write(tmp_path, [("a", "Softmax", {}, ["x"])])
