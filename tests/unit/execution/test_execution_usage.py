"""The line about usage: read as it is written, and no part of what a job itself wrote."""

from __future__ import annotations

import json

import pytest

from pipelines.execution.failure import excerpt
from pipelines.execution.usage import GpuUsage, HostUsage, RankUsage, host_in, usage_in
from pipelines.runtime.usage import TAG

WHOLE = {
    "host": "algo-2",
    "rank": 1,
    "wall_s": 12.5,
    "cpu_s": 30.0,
    "cpus": 4,
    "processes": 2,
    "memory_mb": 512,
    "memory_of_mb": 16384,
    "read_mb": 100,
    "step_s": 0.25,
    "gpus": {"count": 1, "busy_percent": 71.5, "memory_mb": 900, "memory_of_mb": 24576},
}


GPU = GpuUsage(1, 71.5, 900.0, 24576.0)
RANK = RankUsage("algo-2", 12.5, 30.0, 4, 2, 512.0, 16384.0, 100.0, 0.25, GPU, rank=1)


def test_a_line_is_read_as_the_runtime_writes_it() -> None:
    """All members, and those alone that each rank has; of one that was killed not even those."""
    assert usage_in(TAG + json.dumps({**WHOLE, "local_rank": 0})) == RANK
    killed = {"host": "algo-1", "rank": 0, "local_rank": 0, "wall_s": 1, "cpus": 1}
    assert usage_in(TAG + json.dumps(killed)) == RankUsage("algo-1", 1.0, None, 1)


def test_a_host_used_what_its_ranks_used() -> None:
    """The sum, or the greatest; the last line of each rank counts, and nothing but the lines."""
    gpus = {"count": 1, "busy_percent": 28.5, "memory_mb": 950, "memory_of_mb": 24576}
    other = {"rank": 2, "wall_s": 13.5, "cpu_s": 10.0, "memory_mb": 256, "gpus": gpus}
    lines = [{**WHOLE, "local_rank": 0}, {**WHOLE, "local_rank": 1, **other}]
    log = ["epoch 1", *(TAG + json.dumps(one) for one in lines[1:] + lines), "the job failed"]
    host = host_in(log)
    assert host is not None
    assert (host.wall, host.cpu, host.memory, host.read) == (13.5, 40.0, 512.0, 200.0)
    assert (host.peak, host.step, host.processes) == (768.0, 0.25, 2)
    assert host.gpus == GpuUsage(2, 50.0, 950.0, 24576.0)
    assert [one.rank for one in host.ranks] == [1, 2]
    assert host_in(log[:2]) is None, "a rank is missing"
    assert host_in(["x"]) is None


def test_a_line_of_an_older_bundle_is_read_as_it_was_written() -> None:
    """It counts all processes of its host; all members, and those alone that each host has."""
    assert usage_in(TAG + json.dumps(WHOLE)) == HostUsage(
        "algo-2", 12.5, 30.0, 4, 2, 512.0, 16384.0, 100.0, 0.25, GpuUsage(1, 71.5, 900.0, 24576.0)
    )
    least = {"host": "algo-1", "wall_s": 1, "cpu_s": 0, "cpus": 1}
    assert usage_in(TAG + json.dumps(least)) == HostUsage("algo-1", 1.0, 0.0, 1)
    assert host_in([TAG + json.dumps(least)]) == HostUsage("algo-1", 1.0, 0.0, 1)
    assert host_in([TAG + json.dumps(WHOLE)]).peak == 1024.0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    [
        "pipelines: waiting for the host algo-1",
        TAG,
        TAG + "[]",
        TAG + '{"host": "algo-1"}',
        TAG + json.dumps({**WHOLE, "wall_s": "12"}),
        TAG + json.dumps({**WHOLE, "cpus": True}),
        TAG + json.dumps({**WHOLE, "cpu_s": float("inf")}),
        TAG + json.dumps({**WHOLE, "gpus": [1]}),
        TAG + "[" * 100_000,
        TAG + json.dumps({**WHOLE, "memory_mb": 10**400}),
    ],
)
def test_another_line_is_none(line: str) -> None:
    """Also one that looks like it: anybody may print the tag."""
    assert usage_in(line) is None


def test_the_excerpt_of_a_failed_log_leaves_it_out() -> None:
    """It ends with what the job wrote."""
    log = ["epoch 1", "out of data", TAG + json.dumps(WHOLE)]
    assert excerpt(log, "AlgorithmError: exit code 3, exit code: 3") == ("epoch 1", "out of data")


def test_what_a_rank_has_read_itself_is_what_it_called_for_where_the_disk_gave_more() -> None:
    """Lines of earlier bundles do not say it, nor ranks that mapped nothing."""
    line = {"host": "algo-1", "rank": 0, "local_rank": 0, "wall_s": 9, "cpu_s": 1, "cpus": 2}
    for called, alone in ({"called_mb": 40}, 40.0), ({}, 900.0):
        used = usage_in(TAG + json.dumps({**line, "read_mb": 900, **called}))
        assert isinstance(used, RankUsage)
        assert (used.read, used.read_alone) == (900.0, alone)
