"""Networks on disk: safetensors files, which hold numbers and a few words and can execute nothing."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from facies.errors import InputError
from facies.stylegan2 import Discriminator, Encoder, Generator

KINDS = {kind.__name__: kind for kind in (Generator, Discriminator, Encoder)}


def save_network(path: Path, network: torch.nn.Module, **card: str) -> None:
    """Write a network's weights with its kind, its settings and whatever else its card says."""
    metadata = {"kind": type(network).__name__, "settings": json.dumps(network.settings), **card}
    tensors = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, path, metadata=metadata)


def load_network(path: Path, kind: type[torch.nn.Module]) -> torch.nn.Module:
    """Rebuild a network of the given kind, in evaluation mode and frozen.

    Raises InputError when the file is missing, damaged, or holds another kind of network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            card = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; set generator.pretrained to a checkpoint") from None
    except SafetensorError as error:
        raise InputError(f"{path}: not a whole safetensors file ({error}); copy it again") from None
    if KINDS.get(card.get("kind")) is not kind:
        raise InputError(f"{path}: holds a {card.get('kind')}, but a {kind.__name__} is wanted")
    network = kind(**json.loads(card["settings"]))
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def load_generator(path: Path) -> Generator:
    """A frozen generator, ready for synthesis."""
    return load_network(path, Generator)
