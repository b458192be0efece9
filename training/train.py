"""Train the network on one or many processes and export the best epoch as ONNX.

    python training/train.py --epochs 4                         one process
    torchrun --nproc_per_node 2 training/train.py --epochs 4    two processes

(run in the project's folder with PYTHONPATH=. and the SM_* variables below set).

Channels `train`, `validation`, `encoders` in SM_CHANNEL_*; the model goes to SM_MODEL_DIR. The
batch size is that of all processes together: however many share the work, a step sees as many
rows and an epoch has as many steps, so the learning rate needs no scaling.

Each epoch logs `train loss=…`, `validation loss=…` and `validation auc=…`, over all processes.
"""

from __future__ import annotations

import argparse
import copy
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from training import checkpoint
from training.data import (
    Rows,
    batches,
    count_rows,
    fingerprint,
    read_encoders,
    read_rank,
    steps_per_epoch,
)
from training.distributed import Process, from_first, gather, process_group
from training.export import export
from training.metrics import FloatArray, area_under_curve, log_loss
from training.model import DelayModel

if TYPE_CHECKING:
    from collections.abc import Sequence

SCORING_BATCH = 65536


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What decides the trained model, beside the data.

    Args:
        epochs: passes over train.
        batch_size: rows of a step, of all processes together.
        learning_rate: the highest of the one-cycle schedule.
        weight_decay: AdamW's.
        hidden: widths of the hidden layers.
        dropout: share of hidden outputs left out.
        unknown_rate: share of the codes replaced by 0, so that unknown categories are learnt.
        seed: of weights, order and dropout.
    """

    epochs: int = 4
    batch_size: int = 2048
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.3
    unknown_rate: float = 0.01
    seed: int = 7


class Trainer:
    """A model in training on this process, in step with the other processes.

    Args:
        process: this process.
        model: the model, already on the process's device.
        rows: this process's part of train, on the same device.
        steps: optimiser steps of an epoch, equal on all processes.
        settings: the hyperparameters.
    """

    def __init__(
        self,
        process: Process,
        model: DelayModel,
        rows: Rows,
        steps: int,
        settings: Hyperparameters,
    ) -> None:
        self.process = process
        self.model = model
        self.rows = rows
        self.steps = steps
        self.settings = settings
        self.network: nn.Module = model
        if process.world_size > 1:
            self.network = DistributedDataParallel(model)
        self.optimizer = AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.schedule = OneCycleLR(
            self.optimizer,
            max_lr=settings.learning_rate,
            total_steps=steps * settings.epochs,
        )

    def train_epoch(self, epoch: int) -> float:
        """Make one pass over train and give the mean loss over all processes, in nats."""
        rank, seed = self.process.rank, self.settings.seed
        rng = np.random.default_rng([seed, epoch, rank])
        torch.manual_seed(seed + 1_000 * epoch + rank)
        self.network.train()
        total = torch.zeros((), device=self.process.device)
        for chosen in batches(len(self.rows), self.steps, rng):
            total += self._step(torch.from_numpy(chosen).to(self.process.device))
        mean = (total / self.steps).cpu().numpy().astype("float32").reshape(1)
        return float(gather(self.process, mean).mean())

    def _step(self, chosen: torch.Tensor) -> torch.Tensor:
        codes = self.rows.codes[chosen]
        forgotten = torch.rand(codes.shape, device=codes.device) < self.settings.unknown_rate
        logits = self.network(codes.masked_fill(forgotten, 0), self.rows.numbers[chosen])
        loss = nn.functional.binary_cross_entropy_with_logits(logits, self.rows.target[chosen])
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        return loss.detach()

    def state(self, epoch: int, best_auc: float, best: dict[str, torch.Tensor]) -> checkpoint.State:
        """Describe where training stands after `epoch`."""
        return {
            "epoch": epoch,
            "best_auc": best_auc,
            "best": best,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: checkpoint.State) -> None:
        """Go back to where a checkpoint stood."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def score(model: DelayModel, rows: Rows) -> FloatArray:
    """Give the logits of rows, float32 [n]."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(rows.codes[i : i + SCORING_BATCH], rows.numbers[i : i + SCORING_BATCH])
            for i in range(0, len(rows), SCORING_BATCH)
        ]
    logits: FloatArray = (
        torch.cat([*parts, torch.zeros(0, device=rows.target.device)]).cpu().numpy()
    )
    return logits


def validate(process: Process, model: DelayModel, rows: Rows) -> tuple[float, float]:
    """Give loss and AUC over the validation rows of all processes."""
    logits = gather(process, score(model, rows))
    target = gather(process, rows.target.cpu().numpy())
    return log_loss(target, logits), area_under_curve(target, logits)


def fit(trainer: Trainer, validation: Rows, folder: Path | None, mark: str) -> DelayModel:
    """Train all epochs and leave the best one's weights in the model.

    Args:
        trainer: the model in training.
        validation: this process's part of the validation set.
        folder: where checkpoints are kept; None for none.
        mark: fingerprint of data and hyperparameters.
    """
    process, model = trainer.process, trainer.model
    found = checkpoint.load(folder, mark) if folder is not None and process.is_first else None
    state = from_first(process, found)
    first, best_auc, best = 1, 0.0, model.state_dict()
    if state is not None:
        trainer.restore(state)
        first, best_auc, best = state["epoch"] + 1, state["best_auc"], state["best"]
    for epoch in range(first, trainer.settings.epochs + 1):
        train_loss = trainer.train_epoch(epoch)
        loss, auc = validate(process, model, validation)
        if auc > best_auc:
            best_auc, best = auc, copy.deepcopy(model.state_dict())
        if process.is_first:
            print(f"epoch={epoch} of={trainer.settings.epochs}")
            print(f"train loss={train_loss:.4f}")
            print(f"validation loss={loss:.4f}")
            print(f"validation auc={auc:.4f}", flush=True)
            if folder is not None:
                checkpoint.save(folder, mark, trainer.state(epoch, best_auc, best))
    model.load_state_dict(best)
    return model


def run(process: Process, settings: Hyperparameters, checkpoints: Path | None) -> None:
    """Read this process's rows, train, and export on rank 0."""
    folder = Path(os.environ["SM_CHANNEL_TRAIN"])
    encoders = read_encoders(Path(os.environ["SM_CHANNEL_ENCODERS"]))
    share = (process.rank, process.world_size)
    train = read_rank(folder, encoders, *share)
    validation = read_rank(Path(os.environ["SM_CHANNEL_VALIDATION"]), encoders, *share)
    print(f"rank={process.rank} of={process.world_size} train rows={len(train)}", flush=True)

    torch.manual_seed(settings.seed)
    model = DelayModel(encoders, settings.hidden, settings.dropout).to(process.device)
    steps = steps_per_epoch(count_rows(folder), settings.batch_size, process.world_size)
    trainer = Trainer(process, model, to_device(train, process.device), steps, settings)
    mark = fingerprint(folder, encoders, {**asdict(settings), "world_size": process.world_size})
    fit(trainer, to_device(validation, process.device), checkpoints, mark)
    if process.is_first:
        export(model.cpu(), encoders, Path(os.environ["SM_MODEL_DIR"]))


def to_device(rows: Rows, device: torch.device) -> Rows:
    """Move rows to where they are computed with."""
    return Rows(rows.codes.to(device), rows.numbers.to(device), rows.target.to(device))


def parse(argv: Sequence[str] | None) -> tuple[Hyperparameters, Path | None]:
    """Read hyperparameters and the checkpoint folder from `--key value` words."""
    parser = argparse.ArgumentParser(description="Train the delay model.")
    for name, default in asdict(Hyperparameters()).items():
        if name == "hidden":
            text = ",".join(map(str, default))
            parser.add_argument("--hidden", type=widths, default=default, help=f"as {text}")
        else:
            parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--checkpoint_dir", type=Path, help="keep checkpoints here and resume")
    values = vars(parser.parse_args(argv))
    checkpoints: Path | None = values.pop("checkpoint_dir")
    return Hyperparameters(**values), checkpoints


def widths(text: str) -> tuple[int, ...]:
    """Read `128,64`."""
    return tuple(int(width) for width in text.split(","))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step."""
    settings, checkpoints = parse(argv)
    with process_group() as process:
        run(process, settings, checkpoints)


if __name__ == "__main__":
    main()
