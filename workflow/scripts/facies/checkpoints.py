"""Networks on disk: one safetensors file, which holds numbers and words and can execute nothing.

NVIDIA's `.pkl` and rosinality's `.pt` are read as well, see `foreign`.

A checkpoint's tensors are named `generator.*`, `discriminator.*`, `encoder.*` ...; its metadata
hold each network's settings as JSON and whatever the card of its making says.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from facies.errors import InputError
from facies.foreign import read_foreign
from facies.stylegan2 import Discriminator, Encoder, Generator

KINDS = {
    "generator": Generator,
    "discriminator": Discriminator,
    "encoder": Encoder,
    "perception": Discriminator,
}


def save_networks(path: Path, networks: dict[str, torch.nn.Module], half=False, **card) -> None:
    """Write networks, named as in `KINDS`, with the words of their card.

    `half` keeps sixteen bits of each number, which is plenty for a start of fine-tuning.
    """
    kept = torch.float16 if half else torch.float32
    settings = {name: network.settings for name, network in networks.items()}
    tensors = {
        f"{name}.{key}": value.detach().to(kept).contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    # One entry, because the library writes several in any order: same networks, same bytes.
    card = json.dumps({"settings": settings, **card}, sort_keys=True)
    save_file(tensors, path, metadata={"card": card})


def load_networks(path: Path, *names: str, optional: Sequence[str] = ()) -> list:
    """Rebuild the named networks, frozen and in evaluation mode; None for an optional one's lack.

    Raises InputError when the file is missing, damaged, or lacks one of the others.
    """
    settings, state = _read(path)
    if missing := [name for name in names if name not in settings]:
        raise InputError(f"{path}: holds no {' and no '.join(missing)}; name another checkpoint")
    found = [name if name in settings else None for name in [*names, *optional]]
    return [name and _rebuild(path, name, settings[name], state) for name in found]


def _read(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings by network and tensors by full name, of any kind of file that is known."""
    try:
        if Path(path).suffix in (".pkl", ".pt"):
            return read_foreign(path)
        with safe_open(path, framework="pt") as file:
            card = json.loads((file.metadata() or {}).get("card", "{}"))
            return card.get("settings", {}), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; set generator.pretrained to a checkpoint"
        ) from None
    except SafetensorError as error:
        raise InputError(f"{path}: not a whole safetensors file ({error}); copy it again") from None


def _rebuild(path, name, settings, state):
    network = KINDS[name](**settings)
    prefix = f"{name}."
    own = {key.removeprefix(prefix): v for key, v in state.items() if key.startswith(prefix)}
    missing, unexpected = network.load_state_dict(own, strict=False)
    # Others store the fixed filter in more layers, or in none.
    if odd := [key for key in missing + unexpected if not key.endswith("resample_filter")]:
        raise InputError(f"{path}: its {name} is no StyleGAN2 of ours: {odd[0]} does not fit")
    return network.eval().requires_grad_(False)


def load_generator(path: Path) -> Generator:
    """A frozen generator, ready for synthesis."""
    return load_networks(path, "generator")[0]


def best_device() -> str:
    """A GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
