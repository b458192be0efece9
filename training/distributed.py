"""The process group of a training job: as torchrun says, or a single process."""

from __future__ import annotations

import os
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
import torch.distributed.nn  # before there is a group: see process_group
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.metrics import FloatArray

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Process:
    """This process: its rank among `world_size`, and where it computes."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes the model."""
        return self.rank == 0


@contextmanager
def process_group() -> Iterator[Process]:
    """Join the group that torchrun has laid out (gloo on CPUs, nccl on GPUs), then leave it.

    Without WORLD_SIZE there is one process and no group.

    Leaving ends the group's threads only if nothing else holds the group; a gloo thread that lets
    go of a tensor while the interpreter shuts down aborts the process. So networks in
    DistributedDataParallel belong into a function that has returned by then. And
    `torch.distributed.nn`, which they load, takes the group of its import time as a default
    argument, for ever: hence its import on top, ahead of any group.
    """
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else None
    if "WORLD_SIZE" not in os.environ:
        yield Process(0, 1, device or torch.device("cpu"))
        return
    if device is not None:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Process(
            distributed.get_rank(), distributed.get_world_size(), device or torch.device("cpu")
        )
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold the network, which holds the group
        raise
    finally:
        distributed.destroy_process_group()


def gather(process: Process, values: FloatArray) -> FloatArray:
    """Put the ranks' arrays together in rank order, on every rank."""
    if process.world_size == 1:
        return values
    parts: list[FloatArray] = [values] * process.world_size
    distributed.all_gather_object(parts, values)
    return np.concatenate(parts)


def from_first(process: Process, value: Value) -> Value:
    """Give every rank the value of rank 0."""
    if process.world_size == 1:
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]
