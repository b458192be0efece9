"""Two processes of a training job against one, and our launcher against torchrun itself.

    python -m benchmarks.distributed [PAIRS]

Every process computes with one thread, and the global batch is the same, so that two processes on
two cores have the same work to do as one. Rows per second are those of the script, its start apart;
the launcher is measured by the wall time of whole processes.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.pairs import Command, Figure, Run, main, pairs, pipelines, ratio

PROCESSES, _STEPS = 2, 12
_FASTER, _LATER = 1.6, 0.5

_SCRIPT = """\
import argparse
import time
from pathlib import Path

import torch
from torch import distributed, nn

BATCH, FEATURES, WIDTH = 1024, 256, 1024

parser = argparse.ArgumentParser()
parser.add_argument("--rates", type=Path)
parser.add_argument("--steps", type=int)
options = parser.parse_args()

distributed.init_process_group("gloo")
rank, world = distributed.get_rank(), distributed.get_world_size()
torch.manual_seed(0)
network = nn.Sequential(
    nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)
)
optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
rows = torch.randn(BATCH, FEATURES)[rank::world]


def step():
    optimizer.zero_grad()
    network(rows).square().mean().backward()
    flat = torch.cat([p.grad.flatten() for p in network.parameters()])
    distributed.all_reduce(flat)
    flat /= world
    start = 0
    for parameter in network.parameters():
        parameter.grad.copy_(flat[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()
    optimizer.step()


for _ in range(2):
    step()
distributed.barrier()
began = time.perf_counter()
for _ in range(options.steps):
    step()
distributed.barrier()
if rank == 0:
    with options.rates.open("a") as file:
        print(BATCH * options.steps / (time.perf_counter() - began), file=file)
distributed.destroy_process_group()
"""
_SPEC = """\
spec: 1
pipeline: distributed
aws:
  role: arn:aws:iam::111122223333:role/flight-delays
  bucket: flight-delays-ml
steps:
  train:
    kind: training
    image: pytorch-2.13-cpu
    script: train.py
    instance_type: ml.m5.xlarge
    distribution: {{launcher: torchrun, processes_per_host: {processes}}}
    environment: {{OMP_NUM_THREADS: "1"}}
    hyperparameters: {{rates: {rates}, steps: {steps}}}
"""


def ours(folder: Path, processes: int, steps: int) -> Command:
    """Write the project of one step with so many processes; return the command that runs it."""
    folder.mkdir()
    (folder / "train.py").write_text(_SCRIPT)
    spec = _SPEC.format(processes=processes, rates=folder / "rates", steps=steps)
    (folder / "pipeline.yaml").write_text(spec)
    return pipelines("run", "--no-cache", folder=folder)


def theirs(folder: Path) -> Command:
    """Return the command that starts the same script in a project by torchrun alone."""
    words = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}")
    script = ("train.py", "--rates", str(folder / "torchrun-rates"), "--steps", "1")
    return Command("torchrun", (sys.executable, *words, *script), folder, {"OMP_NUM_THREADS": "1"})


def rates(folder: Path) -> list[float]:
    """Return the rows per second of each run of a project, the warm-up apart."""
    return [float(line) for line in (folder / "rates").read_text().split()][1:]


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure two processes and one in turn, then the launcher and torchrun in turn."""
    one, two, launched = scratch / "one", scratch / "two", scratch / "launched"
    pairs(ours(two, PROCESSES, _STEPS), ours(one, 1, _STEPS), count)
    many, single, times = ratio(list(zip(rates(two), rates(one), strict=True)))
    mine = ours(launched, PROCESSES, 1)
    runs = pairs(mine, theirs(launched), count)
    return [
        Figure(
            f"rows/s of {PROCESSES} processes on as many cores, to one process",
            f"at least {_FASTER:g}x", many, single, times, times >= _FASTER,
        ),
        _launcher(runs),
    ]  # fmt: skip


def _launcher(runs: list[tuple[Run, Run]]) -> Figure:
    mine, torchrun, times = ratio([(a.wall, b.wall) for a, b in runs])
    later = statistics.median(a.wall - b.wall for a, b in runs)
    what = f"a job of {PROCESSES} processes, wall s, to torchrun alone ({later:+.2f} s)"
    return Figure(what, f"within {_LATER:g} s", mine, torchrun, times, later <= _LATER)


if __name__ == "__main__":
    main("distributed", 5, figures)
