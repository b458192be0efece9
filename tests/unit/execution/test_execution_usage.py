"""The line about usage: read as it is written, and no part of what a job itself wrote."""

from __future__ import annotations

import json

import pytest

from pipelines.execution.failure import excerpt
from pipelines.execution.usage import GpuUsage, HostUsage, usage_in
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


def test_a_line_is_read_as_the_runtime_writes_it() -> None:
    """All members, and those alone that each host has."""
    assert usage_in(TAG + json.dumps(WHOLE)) == HostUsage(
        "algo-2", 12.5, 30.0, 4, 2, 512.0, 16384.0, 100.0, 0.25, GpuUsage(1, 71.5, 900.0, 24576.0)
    )
    least = {"host": "algo-1", "wall_s": 1, "cpu_s": 0, "cpus": 1}
    assert usage_in(TAG + json.dumps(least)) == HostUsage("algo-1", 1.0, 0.0, 1)


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
