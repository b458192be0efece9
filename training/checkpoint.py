"""Training states on disk, each with the fingerprint of the data and hyperparameters it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import torch

if TYPE_CHECKING:
    from pathlib import Path

NAME = "checkpoint.pt"


class State(TypedDict):
    """Where training stands after an epoch.

    `model`, `best` are weights, `optimizer`, `schedule` the state dicts of PyTorch's objects.
    """

    epoch: int
    best_auc: float
    best: dict[str, torch.Tensor]
    model: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]


def save(folder: Path, fingerprint: str, state: State) -> None:
    """Replace the folder's checkpoint in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{NAME}.new"
    torch.save({"fingerprint": fingerprint, "state": state}, scratch)
    scratch.replace(folder / NAME)


def load(folder: Path, fingerprint: str) -> State | None:
    """Read the folder's checkpoint; None without one, or when it is for something else."""
    path = folder / NAME
    if not path.is_file():
        return None
    found = torch.load(path, map_location="cpu", weights_only=True)
    if found["fingerprint"] != fingerprint:
        print(f"{path} is for other data or hyperparameters: ignored")
        return None
    state: State = found["state"]
    return state
