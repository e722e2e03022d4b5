"""Small graphs in OpenVINO's IR, their results by hand or by PyTorch's own operations."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from facies.common.errors import InputError
from facies.generator.graph import Graph
from facies.generator.teacher import Teacher, student_mapping

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
        ("MatMul", {}, [numbers(5, 6)], lambda x, c: F.linear(x, c[0])),
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


def teacher(mapping, synthesis):
    """A teacher of other networks."""
    made = Teacher.__new__(Teacher)
    nn.Module.__init__(made)
    made.register_buffer("place", torch.zeros(1))
    made.mapping, made.synthesis = mapping, synthesis
    return made


def test_codes_are_moved_towards_their_mean_by_a_truncation_of_their_own():
    codes = teacher(lambda z: z + 3, None).codes(200, seed=5)
    random = torch.Generator().manual_seed(6)
    plain = torch.randn(200, 512, generator=random)
    truncation = (codes - 3).norm(dim=1) / plain.norm(dim=1)
    assert torch.allclose((codes - 3) / truncation[:, None], plain, atol=0.1)
    assert 0.49 < truncation.min() < 0.55 and 0.95 < truncation.max() < 1.01


def test_faces_are_averaged_down_batch_by_batch():
    drawn = teacher(None, lambda w: w[:, :, None, None].expand(-1, 3, 4, 4)).faces
    faces = np.stack(list(drawn(torch.linspace(-1, 1, 9)[:, None].expand(-1, 3), side=2)))
    assert faces.shape == (9, 2, 2, 3)
    assert faces[:, 0, 0, 0].tolist() == [0, 32, 64, 96, 128, 159, 191, 223, 255]


def test_student_takes_over_the_mapping_network():
    given, z = nn.Module(), torch.from_numpy(numbers(5, 6))
    expected = z / z.square().mean(dim=1, keepdim=True).sqrt()
    for i, (outputs, inputs) in enumerate([(8, 6), (8, 8)]):
        weight, bias = (
            torch.from_numpy(numbers(*s, seed=i)) for s in ((outputs, inputs), (outputs,))
        )
        given.register_buffer(f"w{i}", weight)
        given.register_buffer(f"b{i}", bias)
        expected = 2**0.5 * F.leaky_relu(F.linear(expected, weight, bias), 0.2)
    ws = student_mapping(teacher(given, None), num_ws=3)(z)
    torch.testing.assert_close(ws, expected[:, None].expand(-1, 3, -1), rtol=1e-4, atol=1e-4)
