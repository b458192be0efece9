"""Advice on ranks that differ: each reason around its threshold, and what is no reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.advice.job import ObservedJob
from pipelines.execution.usage import RankUsage
from tests.unit.advice.observed import GPUS, HOST, TWO, job, told

LATE = RankUsage("algo-1", 600.0, 600.0, 4, 2, memory=1.0, read=900.0)


def uneven(**last: Any) -> ObservedJob:
    """Return a job on two hosts of two ranks each that differ in the last one."""
    alike = RankUsage("algo-1", 600.0, 600.0, 4, 2, memory=1.0, read=900.0)
    ranks = [alike, replace(alike, rank=1, cpu=560.0)]
    others = [replace(one, host="algo-2", rank=one.rank + 2) for one in ranks]
    others[1] = replace(others[1], **last)
    return job(replace(TWO, ranks=tuple(ranks)), replace(TWO, ranks=tuple(others)))


def of_gpu(percent: float) -> RankUsage:
    """Return a rank with a GPU of its own."""
    gpus = replace(GPUS, busy_percent=percent)
    return RankUsage("algo-1", 600.0, 300.0, 4, 2, gpus=gpus, rank=int(percent))


@pytest.mark.parametrize(
    ("beyond", "within", "words"),
    [
        (
            uneven(read=2048.0),
            uneven(read=1700.0),
            "the data: rank 3 (algo-2) read 2.0 GB, half of the others at most 900 MB",
        ),
        (
            uneven(wall=470.0),
            uneven(wall=490.0),
            "the work: rank 3 (algo-2) ended after 8 min, rank 1 (algo-1) after 10 min",
        ),
        (
            uneven(cpu=1201.0),
            uneven(cpu=1199.0),
            "rank 3 (algo-2) took 20 min of CPUs, half of the others at most 10 min",
        ),
        (
            job(replace(TWO, ranks=(of_gpu(80.0), of_gpu(40.0)))),
            job(replace(TWO, ranks=(of_gpu(80.0), of_gpu(41.0)))),
            "the work: the GPU of rank 40 (algo-1) was 40% busy, the other one 80%",
        ),
    ],
)
def test_ranks_that_differ_by_far_are_told_to_share(
    beyond: ObservedJob, within: ObservedJob, words: str
) -> None:
    """Data first, which explains the rest; each with its numbers, on whichever machine it ran."""
    (text,) = told(beyond)
    assert text.startswith("give each rank an equal share of ")
    assert words in text
    assert told(replace(beyond, is_local=True)) == [text]
    assert told(within) == []


@pytest.mark.parametrize(
    "observed",
    [
        job(replace(TWO, ranks=(LATE, replace(LATE, rank=1, wall=300.0)))),
        replace(
            uneven(wall=470.0),
            described={**uneven().described, "TrainingJobStatus": "Failed"},
        ),
        replace(
            uneven(cpu=1201.0, read=9000.0),
            described={"ResourceConfig": {"InstanceGroups": [{}, {}]}},
        ),
        uneven(read=5000.0, called=900.0),
        job(
            replace(HOST, ranks=(replace(LATE, launcher="tensorflow"),)),
            replace(HOST, ranks=(replace(LATE, launcher="tensorflow", rank=1, cpu=9e3, wall=9.0),)),
        ),
        job(replace(HOST, processes=4, memory=8192.0, cpu=1800.0)),
    ],
    ids=["the first saves", "failed", "groups", "mapped files", "servers", "shared memory"],
)
def test_ranks_that_differ_for_a_reason_are_told_nothing(observed: ObservedJob) -> None:
    """Of a file that all have mapped, as of libraries, the disk gives the first one everything."""
    assert told(observed) == []
