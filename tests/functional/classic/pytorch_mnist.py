"""The shape of PyTorch scripts: hosts from SM_HOSTS, a group where there are several, model_fn."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch
import torch.distributed as dist


def model_fn(model_dir: str) -> torch.nn.Module:
    """Load the model."""
    model = torch.nn.Linear(2, 1)
    model.load_state_dict(torch.load(Path(model_dir) / "model.pth", weights_only=True))
    return model


def train(args: argparse.Namespace) -> None:
    """Train a little; hosts agree on the sum of what they have read."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    is_distributed = len(args.hosts) > 1 and args.backend is not None
    if is_distributed:
        os.environ["WORLD_SIZE"] = str(len(args.hosts))
        os.environ["RANK"] = str(args.hosts.index(args.current_host))
        dist.init_process_group(backend=args.backend)
    rows = torch.tensor(json.loads((Path(args.data_dir) / "rows.json").read_text()))
    total = rows.sum()
    if is_distributed:
        dist.all_reduce(total)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    for _ in range(args.epochs):
        optimizer.zero_grad()
        model(rows).square().mean().backward()
        optimizer.step()
    print(f"world={len(args.hosts)} total={total.item():.1f} gpus={args.num_gpus}")
    torch.save(model.cpu().state_dict(), Path(args.model_dir) / "model.pth")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10, metavar="N")
    parser.add_argument("--lr", type=float, default=0.01, metavar="LR")
    parser.add_argument("--momentum", type=float, default=0.5, metavar="M")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--backend", type=str, default=None)
    parser.add_argument("--hosts", type=list, default=json.loads(os.environ["SM_HOSTS"]))
    parser.add_argument("--current-host", type=str, default=os.environ["SM_CURRENT_HOST"])
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--data-dir", type=str, default=os.environ["SM_CHANNEL_TRAINING"])
    parser.add_argument("--num-gpus", type=int, default=os.environ["SM_NUM_GPUS"])
    train(parser.parse_args())
