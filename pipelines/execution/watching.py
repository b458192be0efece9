"""An execution of this process → what its jobs write, reported from a thread beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pipelines.execution import executions
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.events import Observer
from pipelines.execution.schedule import ScheduledStep, read_schedule
from pipelines.frozen import frozen


@frozen
class Watched:
    """A running execution, and how often it is looked at.

    Args:
        caller: where it runs: a local SageMaker in this process.
        arn: its ARN.
        pace: seconds between two looks; the first comes after a pause.
    """

    caller: Caller
    arn: str
    pace: float


@contextmanager
def watching(watched: Watched, observer: Observer) -> Iterator[None]:
    """Report what the jobs of an execution write, for as long as the block runs."""
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(watched, observer, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(watched: Watched, observer: Observer, ended: threading.Event) -> None:
    activity = None
    while not ended.wait(watched.pace):
        from pipelines.execution.activity import Activity  # noqa: PLC0415 - a short run needs none

        with suppress(OSError, CallRefusedError):  # a log may be removed while it is read
            activity = activity or Activity(watched.caller, _nodes(watched), observer)
            activity.look(executions.steps(watched.caller, watched.arn))


def _nodes(watched: Watched) -> Mapping[str, ScheduledStep]:
    """Read the steps of the definition, for the metrics that they define."""
    request = {"PipelineExecutionArn": watched.arn}
    operation = "describe_pipeline_definition_for_execution"
    answer = watched.caller.call("sagemaker", operation, **request)
    return read_schedule(str(answer["PipelineDefinition"])).steps
