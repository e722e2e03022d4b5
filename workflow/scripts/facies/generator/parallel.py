"""Several processes, one per GPU, that train as one.

Each holds the whole model, takes its share of every batch, and averages gradients with the others
through torch's collectives. Gradients are averaged in one flat piece after the backward pass rather
than by hooks on the forward one, because the regularisers differentiate twice. In a single process
everything here does nothing.
"""

import os
import socket
from collections.abc import Callable, Iterable

import torch
import torch.distributed as dist


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def processes() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def launch(function: Callable, count: int, *arguments) -> None:
    """Call function(*arguments) in `count` processes that know of each other."""
    if count == 1:
        function(*arguments)
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        torch.multiprocessing.spawn(_enter, (count, port, function, arguments), nprocs=count)


def _enter(number: int, count: int, port: int, function: Callable, arguments: tuple) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(number)
    dist.init_process_group("nccl" if gpu else "gloo", rank=number, world_size=count)
    try:
        function(*arguments)
    finally:
        dist.destroy_process_group()


def average(values: torch.Tensor) -> torch.Tensor:
    """The mean of a tensor over all processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(values)
        values /= processes()
    return values


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Give every process the mean of everybody's gradients."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = average(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def shares(n: int, count: int, group: int) -> list[torch.Tensor]:
    """Rows of a batch of n in `count` equal shares that keep whole groups of `minibatch_stddev`.

    A group holds the photos i, i + n/group, i + 2n/group ...; group * count must divide n.
    """
    return [part.flatten() for part in torch.arange(n).view(group, -1).chunk(count, dim=1)]
