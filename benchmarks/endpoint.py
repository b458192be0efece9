"""An endpoint under `serve` against the model called in-process, MLServer and BentoML.

    python -m benchmarks.endpoint [ROUNDS]

One ONNX model (24 numbers in, one out), JSON with one row, one worker and two. The load comes from
a separate process: one connection for the latency, eight for the throughput. The servers, their
workers and the load share the machine's processors, so the processor time that a server spends on
a request is measured, too. That two workers use two processors is measured with a model that
computes for some milliseconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Load, measure
from benchmarks.model_servers import (
    Served,
    bentoml,
    create_endpoint,
    mlserver,
    mlserver_alone,
    ours,
    serving,
    write_model,
)
from benchmarks.pairs import Figure, main, ratio
from benchmarks.processes import cpu_seconds

WORKERS, CONNECTIONS, SECONDS = (1, 2), 8, 3.0
_ALONE = "MLServer without a worker process"
_SERVERS: dict[str, Callable[[Path, int], Served]] = {
    "ours": ours,
    "MLServer": mlserver,
    "BentoML": bentoml,
}
_IN_PROCESS = """\
import statistics, sys, time
sys.path.insert(0, ".")
from inference import model_fn, transform_fn
model, body, times = model_fn("."), open("ours.json").read(), []
for _ in range(3000):
    began = time.perf_counter()
    transform_fn(model, body, "application/json", "application/json")
    times.append(time.perf_counter() - began)
print(statistics.median(times) * 1000)
"""
_COMPUTING = """\
import sys, time
seconds, count, began = float(sys.argv[1]), 0, time.perf_counter()
while time.perf_counter() - began < seconds:
    sum(range(200_000))
    count += 1
print(count / (time.perf_counter() - began))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One server in one round.

    Args:
        p50: median milliseconds at one connection.
        rate: requests per second at eight connections.
        cpu: milliseconds of processor time per request at eight connections, in all processes of
            the server.
    """

    p50: float
    rate: float
    cpu: float


def in_process(folder: Path) -> float:
    """Call the same transform_fn without a server and return the median in milliseconds."""
    done = subprocess.run(
        (sys.executable, "-c", _IN_PROCESS), cwd=folder, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def round_of(server: Served, folder: Path) -> Measured:
    """Start a server, measure it, stop it."""
    with serving(server, folder) as process:
        if server.name == "pipelines serve":
            create_endpoint(server.ready, folder, server.workers)
        measure(Load(server.url, server.body, 1, 1.0))  # warm
        alone = measure(Load(server.url, server.body, 1, SECONDS))
        before = cpu_seconds(process)
        together = measure(Load(server.url, server.body, CONNECTIONS, SECONDS))
        spent = cpu_seconds(process) - before
    return Measured(alone.p50, together.rate, 1000 * spent / together.count)


def compared(workers: int, count: int, scratch: Path) -> list[Figure]:
    """Measure the servers with so many workers in turn, round by round."""
    servers = _SERVERS if workers > 1 else {**_SERVERS, _ALONE: mlserver_alone}
    found: dict[str, list[Measured]] = {name: [] for name in servers}
    calls = []
    for number in range(count):
        for place, (name, make) in enumerate(servers.items()):
            folder = scratch / f"{workers}-{number}-{place}"
            folder.mkdir()
            write_model(folder)
            found[name].append(round_of(make(folder, workers), folder))
            if name == "ours":
                calls.append(in_process(folder))
    figures = [] if workers > 1 else [_to_call(found["ours"], calls)]
    size = f"{workers} worker{'s' if workers > 1 else ''}"
    for name in ("MLServer", "BentoML"):
        figures += _to_peer(found, name, size)
    if _ALONE in found:  # another set-up: the worker cannot be killed, nor a second one added
        shown = [(a.rate, b.rate) for a, b in zip(found["ours"], found[_ALONE], strict=True)]
        what = f"endpoint requests/s, {CONNECTIONS} connections, {size}, to {_ALONE}"
        figures.append(Figure(what, "shown only", *ratio(shown), holds=True))
    return figures


def _to_call(mine: list[Measured], calls: list[float]) -> Figure:
    gap = statistics.median(one.p50 - call for one, call in zip(mine, calls, strict=True))
    what = "endpoint p50, ms, to the call in-process"
    p50, call = statistics.median(one.p50 for one in mine), statistics.median(calls)
    return Figure(what, "within 1 ms", p50, call, gap, gap < 1)


def _to_peer(found: dict[str, list[Measured]], name: str, size: str) -> list[Figure]:
    both = list(zip(found["ours"], found[name], strict=True))
    rates = ratio([(a.rate, b.rate) for a, b in both])
    times = ratio([(a.p50, b.p50) for a, b in both])
    spent = ratio([(a.cpu, b.cpu) for a, b in both])
    load = f"{CONNECTIONS} connections, {size}"
    return [
        Figure(f"endpoint requests/s, {load}, to {name}", "2x", *rates, rates[2] >= 2),
        Figure(f"endpoint p50, ms, {size}, to {name}", "less", *times, times[2] < 1),
        Figure(f"endpoint CPU ms per request, {load}, to {name}", "less", *spent, spent[2] < 1),
    ]


def scaled(count: int, scratch: Path) -> list[Figure]:
    """Compare two workers of a model that computes for some milliseconds with one.

    What two processes that only compute make of the machine is the most that two workers can.
    """
    rates, plain = [], []
    for number in range(count):
        rate = dict[int, float]()
        for workers in WORKERS:
            folder = scratch / f"long-{workers}-{number}"
            folder.mkdir()
            write_model(folder, takes_long=True)
            rate[workers] = round_of(ours(folder, workers), folder).rate
        rates.append((rate[2], rate[1]))
        plain.append((computed(2), computed(1)))
    found = ratio(rates)
    what = "endpoint requests/s of a model that computes, two workers to one"
    machine = "the same computation a second, two plain processes to one"
    return [
        Figure(what, "1.7x", *found, found[2] >= 1.7),
        Figure(machine, "shown only", *ratio(plain), holds=True),
    ]


def computed(count: int) -> float:
    """Return how often a second so many processes compute what the slow model computes."""
    words = (sys.executable, "-c", _COMPUTING, str(SECONDS))
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return sum(float(process.communicate()[0]) for process in running)


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure all of it."""
    return [
        *(figure for workers in WORKERS for figure in compared(workers, count, scratch)),
        *scaled(count, scratch),
    ]


if __name__ == "__main__":
    main("endpoint", 3, figures)
