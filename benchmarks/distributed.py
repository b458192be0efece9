"""Two processes of a training job against one, and our launcher against torchrun itself.

    python -m benchmarks.distributed [PAIRS]

Every process computes with one thread, and the global batch is the same, so that two processes on
two cores have the same work to do as one. The script averages its gradients as most do, with
DistributedDataParallel. Rows per second are those of the script, its start apart; the launcher is
measured by the wall time of whole processes.

What is exchanged in a step is as large as the network, 5.3 MB over gloo's TCP, whatever the batch.
So a second global batch, a quarter of the first, is shown beside it, and so is what torchrun alone
makes of the same script: nothing is promised of how well gloo scales.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.pairs import Command, Figure, Run, main, pairs, pipelines, ratio, run

PROCESSES, _STEPS = 2, 10
BATCH, SMALL = 4096, 1024
_FASTER, _LATER, _OF_TORCHRUN = 1.6, 0.5, 0.95

_SCRIPT = """\
import argparse
import time
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

FEATURES, WIDTH = 256, 1024

parser = argparse.ArgumentParser()
parser.add_argument("--rates", type=Path)
parser.add_argument("--steps", type=int)
parser.add_argument("--batches")
options = parser.parse_args()

distributed.init_process_group("gloo")
rank, world = distributed.get_rank(), distributed.get_world_size()
torch.manual_seed(0)
layers = (
    nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)
)
network = DistributedDataParallel(nn.Sequential(*layers), gradient_as_bucket_view=True)
optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)


def train(rows, steps):
    distributed.barrier()
    began = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        network(rows).square().mean().backward()
        optimizer.step()
    distributed.barrier()
    return time.perf_counter() - began


measured = []
for batch in map(int, options.batches.split(",")):
    rows = torch.randn(batch, FEATURES)[rank::world]
    train(rows, 2)
    measured.append(batch * options.steps / train(rows, options.steps))
if rank == 0:
    with options.rates.open("a") as file:
        print(*measured, file=file)
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
    hyperparameters: {{rates: {rates}, steps: {steps}, batches: "{batches}"}}
"""


def ours(folder: Path, processes: int, steps: int) -> Command:
    """Write the project of one step with so many processes; return the command that runs it."""
    folder.mkdir()
    (folder / "train.py").write_text(_SCRIPT)
    batches = f"{BATCH},{SMALL}"
    spec = _SPEC.format(processes=processes, rates=folder / "rates", steps=steps, batches=batches)
    (folder / "pipeline.yaml").write_text(spec)
    return pipelines("run", "--no-cache", folder=folder)


def theirs(folder: Path, steps: int) -> Command:
    """Return the command that starts the same script in a project by torchrun alone."""
    words = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}")
    options = {"rates": folder / "torchrun", "steps": steps, "batches": f"{BATCH},{SMALL}"}
    script = ("train.py", *(f"--{name}={value}" for name, value in options.items()))
    return Command("torchrun", (sys.executable, *words, *script), folder, {"OMP_NUM_THREADS": "1"})


def rates(file: Path, batch: int) -> list[float]:
    """Return the rows per second of each run with a global batch, the warm-up apart."""
    column = (BATCH, SMALL).index(batch)
    return [float(line.split()[column]) for line in file.read_text().splitlines()][1:]


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure two processes, one, and torchrun's two in turn; then the two launchers in turn."""
    one, two, launched = scratch / "one", scratch / "two", scratch / "launched"
    commands = (ours(two, PROCESSES, _STEPS), ours(one, 1, _STEPS), theirs(two, _STEPS))
    for _ in range(count + 1):
        for command in commands:
            run(command)
    many, single, alone = two / "rates", one / "rates", two / "torchrun"
    mine = ours(launched, PROCESSES, 1)
    return [
        _scaling(many, single, BATCH, _FASTER),
        _scaling(many, single, SMALL, None),
        _to_torchrun(many, alone),
        _launcher(pairs(mine, theirs(launched, 1), count)),
    ]


def _scaling(many: Path, single: Path, batch: int, least: float | None) -> Figure:
    values = list(zip(rates(many, batch), rates(single, batch), strict=True))
    what = f"rows/s of {PROCESSES} processes on as many cores, to one process, batch {batch}"
    promise = f"at least {least:g}x" if least else "shown only"
    mine, theirs, times = ratio(values)
    return Figure(what, promise, mine, theirs, times, times >= (least or 0))


def _to_torchrun(many: Path, alone: Path) -> Figure:
    mine, torchrun, times = ratio(list(zip(rates(many, BATCH), rates(alone, BATCH), strict=True)))
    what = f"rows/s of {PROCESSES} processes, to torchrun alone, batch {BATCH}"
    return Figure(what, f"at least {_OF_TORCHRUN:g}x", mine, torchrun, times, times >= _OF_TORCHRUN)


def _launcher(runs: list[tuple[Run, Run]]) -> Figure:
    mine, torchrun, times = ratio([(a.wall, b.wall) for a, b in runs])
    later = statistics.median(a.wall - b.wall for a, b in runs)
    what = f"a job of {PROCESSES} processes, wall s, to torchrun alone ({later:+.2f} s)"
    return Figure(what, f"within {_LATER:g} s", mine, torchrun, times, later <= _LATER)


if __name__ == "__main__":
    main("distributed", 5, figures)
