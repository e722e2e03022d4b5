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

from facies.common.bounded import read_header, regular_size, strict_json
from facies.common.errors import InputError
from facies.generator.foreign import NO_CLASSES, read_foreign
from facies.generator.stylegan2 import Discriminator, Encoder, Generator


class Trunk(Discriminator):
    """A discriminator's blocks, in whose `features` projection measures, without its last one."""

    def __init__(self, **settings):
        super().__init__(**settings)
        del self.b4


KINDS = {
    "generator": Generator,
    "discriminator": Discriminator,
    "encoder": Encoder,
    "perception": Discriminator,
    "trunk": Trunk,
}
# Least and largest value of each setting, far beyond what was ever published: before anything is
# built, because a card costs nothing to write.
BOUNDS = {
    "z_dim": (1, 4096),
    "w_dim": (1, 4096),
    "img_resolution": (4, 1024),
    "channel_base": (1, 2**20),
    "channel_max": (1, 8192),
    "mapping_layers": (1, 16),
    "num_ws": (1, 32),
    "outputs": (1, 2**17),
    "mbstd": (False, True),
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


def load_networks(
    path: Path, *names: str, optional: Sequence[str] = (), label: int | None = None
) -> list:
    """Build the named networks, frozen and in evaluation mode; None for an optional one that is
    missing.

    `label` chooses the class of a class-conditional network. Raises InputError when the file is
    missing, damaged, of another architecture, or lacks one of the others.
    """
    try:
        settings, state = _read(path, label)
        if "trunk" in (*names, *optional):
            settings, state = _with_trunk(settings, state)
        if missing := [name for name in names if name not in settings]:
            raise InputError(f"holds no {' and no '.join(missing)}; name another checkpoint")
        found = [name if name in settings else None for name in [*names, *optional]]
        return [name and _build(name, settings[name], state) for name in found]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _read(path: Path, label) -> tuple[dict, dict[str, torch.Tensor]]:
    """Settings by network and tensors by full name, of any kind of file that is known."""
    try:
        regular_size(path)
        with open(path, "rb") as file:
            head = file.read(9)
        if head[8:] != b"{":  # where the header of a safetensors file begins
            return read_foreign(path, label)
        if label is not None:
            raise InputError(NO_CLASSES)
        settings = _settings(read_header(path).get("__metadata__"))
        with safe_open(path, framework="pt") as file:
            return settings, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise InputError(f"{error.strerror}; set generator.pretrained to a checkpoint") from None
    except (SafetensorError, ValueError) as error:
        raise InputError(f"not a whole safetensors file ({error!s:.200}); copy it again") from None


def _settings(metadata) -> dict[str, dict]:
    """Each network's settings, which are numbers or null."""
    try:
        settings = strict_json(metadata["card"])["settings"]
        if all(
            isinstance(v, int | float | None) for own in settings.values() for v in own.values()
        ):
            return settings
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        pass
    raise InputError("has no card that says what it holds; name a file that this workflow wrote")


def _with_trunk(settings: dict, state: dict) -> tuple[dict, dict]:
    """The same with a trunk: a checkpoint's discriminator has it, a bundle has nothing else."""
    if "trunk" in settings or "discriminator" not in settings:
        return settings, state
    blocks = {f"trunk.{k}": v for k, v in _part("discriminator", state).items() if k[:3] != "b4."}
    return settings | {"trunk": settings["discriminator"]}, state | blocks


def _build(name, settings, state):
    refuse_unbounded(name, settings)
    # Others store the fixed filter in more layers, or in none.
    own, expected = (
        {k: v for k, v in tensors.items() if not k.endswith("resample_filter")}
        for tensors in (_part(name, state), _shapes(name, settings))
    )
    for key in sorted(own.keys() | expected.keys()):
        if odd := _misfit(own.get(key), expected.get(key)):
            raise InputError(f"its {name} is no StyleGAN2 of ours: {key} {odd}")
    network = KINDS[name](**settings)
    network.load_state_dict(own, strict=False)
    return network.eval().requires_grad_(False)


def refuse_unbounded(name: str, settings: dict) -> None:
    """InputError for settings of a network that no StyleGAN2 has."""
    for key, (least, most) in BOUNDS.items():
        value = settings.get(key, least)
        if type(value) not in (int, bool) or not least <= value <= most:
            odd = f"{key} is {value!r:.20}, not a whole number of {least} to {most}"
            raise InputError(f"its {name} is no StyleGAN2 of ours: {odd}")
    if (size := settings.get("img_resolution", 4)).bit_count() > 1:
        raise InputError(f"its {name} is no StyleGAN2 of ours: {size} pixels, no power of two")
    clamp = settings.get("conv_clamp")
    if not (clamp is None or 0 < clamp < float("inf")):
        raise InputError(f"its {name} is no StyleGAN2 of ours: conv_clamp is {clamp}")


def _part(name, state) -> dict[str, torch.Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): v for key, v in state.items() if key.startswith(prefix)}


def _shapes(name, settings) -> dict[str, torch.Tensor]:
    """The tensors that a network of these settings has, without their numbers."""
    try:
        with torch.device("meta"):  # takes no memory, whatever sizes are claimed
            return KINDS[name](**settings).state_dict()
    except Exception as error:  # settings that make no sense
        raise InputError(f"its {name} is no StyleGAN2 of ours ({error})") from None


def _misfit(tensor, expected) -> str | None:
    """What is wrong with a tensor, if anything is."""
    if tensor is None or expected is None:
        return "is missing" if tensor is None else "is too many"
    if tensor.shape != expected.shape:
        return f"is of shape {tuple(tensor.shape)}, not {tuple(expected.shape)}"
    if not (tensor.is_floating_point() and tensor.float().isfinite().all()):
        return "holds what is no finite number; take a checkpoint from before training failed"
    return None


def best_device() -> str:
    """A GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
