"""Checkpoints of other StyleGAN2 code: NVIDIA's .pkl and rosinality's .pt.

Each becomes what our own files hold: per network its settings and its tensors by NVIDIA's names.
The settings are read off the tensors' shapes, so that a file cannot claim another network than it
holds.
"""

import re
from pathlib import Path

import numpy as np
import torch

from facies.common.errors import InputError
from facies.generator.pickles import MODULE, Record, Source, read_pickle
from facies.generator.rosinality import read_rosinality
from facies.generator.stylegan2 import MappingNetwork

TORCH = re.compile(  # a zip, or the number that older files begin with, in whatever protocol
    rb"PK|\x80.(\x95.{8})?\x8a\nl\xfc\x9cF\xf9", re.DOTALL
)
PICKLE = b"\x80"
LONGEST_NAME = 200  # of a tensor
NO_CLASSES = "a network without classes; set generator.label to null"


@torch.no_grad()
def read_foreign(
    path: str | Path, label: int | None = None
) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings by network and tensors by full name (`generator.mapping.w_avg` ...).

    `label` chooses the class of a class-conditional network. Raises InputError for a file that is
    damaged, hostile or of another architecture, and for a label that does not fit.
    """
    settings, tensors = {}, {}
    try:
        for name, (state, clamp) in _reader(path)(path).items():
            state = _one_class(name, state, label)
            if name == "generator":
                state = _noise(state) | state
                if "mapping.w_avg" not in state:
                    state["mapping.w_avg"] = _mean_code(state)
            describe = _generator if name == "generator" else _discriminator
            settings[name] = describe(state, clamp)
            tensors |= {f"{name}.{key}": value for key, value in state.items()}
    except InputError:
        raise
    except KeyError as missing:
        raise InputError(
            f"holds no {missing.args[0]}, so it is not a StyleGAN2 with a skip generator "
            "and a residual discriminator"
        ) from None
    except Exception as error:  # tensors of odd shapes, or none where there should be some
        raise InputError(f"not a StyleGAN2 that is known ({error!s:.200})") from None
    return settings, tensors


def _noise(state: dict) -> dict[str, torch.Tensor]:
    """What files lack that were written without noise maps, or by training without noise.

    Maps are those that a new network would have; without strengths they change no image.
    """
    layers = _numbered(r"synthesis\.b(\d+)\.conv1\.weight", state)
    names = [f"synthesis.b{size}.conv{i}" for size in sorted(layers) for i in (0, 1)][1:]
    random, made = torch.Generator().manual_seed(0), {}
    if not any(f"{name}.noise_const" in state for name in names):
        for name, size in zip(names, np.repeat(sorted(layers), 2)[1:].tolist(), strict=True):
            made[f"{name}.noise_const"] = torch.randn(size, size, generator=random)
    if not any(f"{name}.noise_strength" in state for name in names):
        made |= {f"{name}.noise_strength": torch.zeros([]) for name in names}
    return made


def _reader(path):
    """The reader for a file's first bytes: suffixes are often wrong."""
    with open(path, "rb") as file:
        head = file.read(32)
    if TORCH.match(head):
        return read_rosinality
    if head.startswith(PICKLE):
        return _read_nvidia
    raise InputError(
        "no checkpoint that is known: name a .safetensors of ours, a .pkl of NVIDIA or a .pt of "
        "rosinality, and copy it whole"
    )


def _read_nvidia(path) -> dict[str, tuple[dict, float | None]]:
    """NVIDIA's averaged generator and its discriminator: tensors and bound on activations."""
    source = read_pickle(path)
    networks = {}
    for name, key in (("generator", "G_ema"), ("discriminator", "D")):
        content = source.content if isinstance(source.content, dict) else {}
        if not isinstance(content.get(key), Record):
            raise InputError(
                f"holds no network {key}; name a pickle with G_ema and D, as training writes it"
            )
        modules = _modules(content[key])
        _refuse_other_architectures(modules)
        networks[name] = _tensors(source, modules), _conv_clamp(modules)
    return networks


def _modules(network: Record) -> dict[str, dict]:
    """The attributes of a network and of the modules in it, by their full names and a dot."""
    found, waiting, seen = {}, [("", network)], set()
    while waiting:
        prefix, module = waiting.pop()
        if id(module) in seen or len(prefix) > LONGEST_NAME or module.name != MODULE:
            raise InputError("not a whole pickle of networks: modules that no StyleGAN2 has")
        seen.add(id(module))
        found[prefix] = attributes = module.args[0].get("state") or {}
        children = attributes.get("_modules", {}).items()
        waiting += [(f"{prefix}{n}.", child) for n, child in children if isinstance(child, Record)]
    return found


def _tensors(source: Source, modules: dict[str, dict]) -> dict[str, torch.Tensor]:
    """Parameters and buffers of all modules by their full names."""
    return {
        f"{prefix}{name:.{LONGEST_NAME}}": source.tensor(value)
        for prefix, attributes in modules.items()
        for kind in ("_parameters", "_buffers")
        for name, value in attributes.get(kind, {}).items()
        if value is not None
    }


def _refuse_other_architectures(modules: dict[str, dict]) -> None:
    if any(re.match(r"(synthesis\.)?L\d+_\d+_\d+", name) for name in modules):
        raise InputError("a StyleGAN3 network; only StyleGAN2 can be used")
    for attributes in modules.values():
        architecture = attributes.get("architecture")
        if isinstance(architecture, str) and architecture not in ("skip", "resnet"):
            raise InputError(f"architecture {architecture:.20}; only skip and resnet are known")


def _conv_clamp(modules: dict[str, dict]) -> float | None:
    """The bound on activations: networks trained in half precision rely on it."""
    clamps = (attributes.get("conv_clamp") for attributes in modules.values())
    return next((float(clamp) for clamp in clamps if isinstance(clamp, int | float)), None)


def _one_class(name: str, state: dict, label: int | None) -> dict[str, torch.Tensor]:
    """A class-conditional network's tensors for one class alone, where it is an ordinary network.

    The embedding of a label is a constant then, which goes into other weights and biases.
    """
    if "mapping.embed.weight" not in state:
        if label is not None:
            raise InputError(NO_CLASSES)
        return state
    weight, bias = state["mapping.embed.weight"], state["mapping.embed.bias"]
    classes = weight.shape[1]
    if label not in range(classes):
        raise InputError(
            f"a network of {classes} classes; set generator.label to one of 0 to {classes - 1}"
        )
    embedded = weight[:, label] / np.sqrt(classes) + bias
    rest = {k: v for k, v in state.items() if not k.startswith("mapping.embed.")}
    return (_fold_into_mapping if name == "generator" else _fold_into_logit)(rest, embedded)


def _fold_into_mapping(state: dict, embedded: torch.Tensor) -> dict[str, torch.Tensor]:
    """The first layer sees z and the label, each normalised; the label's share is a bias."""
    weight = state["mapping.fc0.weight"]  # (w_dim, z_dim + embedding)
    inputs = weight.shape[1]
    z_dim = inputs - len(embedded)
    label = embedded * (embedded.square().mean() + 1e-8).rsqrt()
    # A layer divides its weights by the root of its number of inputs, which is z_dim from now on.
    state["mapping.fc0.weight"] = weight[:, :z_dim] * np.sqrt(z_dim / inputs)
    state["mapping.fc0.bias"] += weight[:, z_dim:] @ label / np.sqrt(inputs)
    del state["mapping.w_avg"]  # the mean over all classes
    return state


def _fold_into_logit(state: dict, embedded: torch.Tensor) -> dict[str, torch.Tensor]:
    """Outputs weighted by the mapped label (Miyato & Koyama 2018, arXiv 1802.05637) are one."""
    label = _mapping_network(state)(embedded[None])[0, 0]
    label = label / np.sqrt(len(label))
    folded = {
        "b4.out.weight": label[None] @ state["b4.out.weight"],
        "b4.out.bias": label[None] @ state["b4.out.bias"],
    }
    return {k: v for k, v in state.items() if not k.startswith("mapping.")} | folded


def _generator(state: dict, clamp: float | None) -> dict:
    """Arguments of `Generator` that give networks of these shapes."""
    channels = {
        4: state["synthesis.b4.const"],
        **_numbered(r"synthesis\.b(\d+)\.conv0\.weight", state),
    }
    z_dim, w_dim, layers = _mapping(state)
    return {
        "z_dim": z_dim,
        "w_dim": w_dim,
        **_shape(channels),
        "mapping_layers": layers,
        "conv_clamp": clamp,
    }


def _discriminator(state: dict, _clamp) -> dict:
    """Arguments of `Discriminator` that give a network of these shapes."""
    return _shape({4: state["b4.fc.weight"], **_numbered(r"b(\d+)\.conv0\.weight", state)})


def _numbered(pattern: str, state: dict) -> dict[int, torch.Tensor]:
    """Tensors whose names match, by the number in the name."""
    matches = ((re.fullmatch(pattern, key), value) for key, value in state.items())
    return {int(match[1]): value for match, value in matches if match}


def _mapping(state: dict) -> tuple[int, int, int]:
    """Sizes of z and w, and the number of layers between them."""
    w_dim, z_dim = state["mapping.fc0.weight"].shape
    return z_dim, w_dim, len(_numbered(r"mapping\.fc(\d+)\.weight", state))


def _shape(layers: dict[int, torch.Tensor]) -> dict:
    """Resolution, channel base and bound of channels, as the reference names them."""
    channels = {resolution: len(weight) for resolution, weight in layers.items()}
    size, bound = max(channels), max(channels.values())
    base = channels[size] * size
    wanted = {r: min(base // r, bound) for r in channels}
    if channels != wanted:
        raise KeyError(f"layer widths of the usual form (there are {channels!s:.200})")
    return {"img_resolution": size, "channel_base": base, "channel_max": bound}


def _mapping_network(state: dict) -> MappingNetwork:
    z_dim, w_dim, layers = _mapping(state)
    mapping = MappingNetwork(z_dim, w_dim, 1, layers)
    own = {k.removeprefix("mapping."): v for k, v in state.items() if k.startswith("mapping.")}
    mapping.load_state_dict(own | {"w_avg": torch.zeros(w_dim)})
    return mapping


def _mean_code(state: dict) -> torch.Tensor:
    """The mean of 10,000 mapped z, where a file lacks it or has it for other classes too."""
    mapping = _mapping_network(state)
    z = torch.randn(10_000, mapping.z_dim, generator=torch.Generator().manual_seed(0))
    return mapping(z).mean(dim=[0, 1])
