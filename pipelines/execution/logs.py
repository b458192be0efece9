"""What the jobs of a step wrote, read from CloudWatch Logs.

A job writes one stream per host, `<job name>/algo-1-…`, into the group of its sort.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.failure import excerpt, failed_host
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes import find_listed

_MADE = re.compile(r"(?P<stem>pipelines-[a-z0-9]+-.+)-[A-Za-z0-9]+-\d+")
"""The names that the service gives jobs (FACTS 11.7)."""

_READ_LINES = 400
"""How many lines at the end of a failed step's log are searched for what explains it."""


@frozen
class LogStream:
    """The log of one host of one job: its group, its name, when it was last written to (ms)."""

    group: str
    name: str
    written: int = 0

    @property
    def job(self) -> str:
        """The name of the job."""
        return self.name.partition("/")[0]

    @property
    def is_first_host(self) -> bool:
        """Whether it is that of the host where rank 0 runs."""
        return f"{self.name}-".startswith(f"{self.job}/algo-1-")


@frozen
class LogLine:
    """A line of a stream: its text, the token that follows its page, when it was written (ms).

    The local SageMaker knows of a line only when its stream was last written to.
    """

    text: str
    token: str
    written: int = 0


def streams(caller: Caller, step: JsonObject) -> list[LogStream]:
    """Find the logs of a step, every host and every attempt, the oldest first.

    Args:
        caller: where.
        step: the step as ListPipelineExecutionSteps gives it.
    """
    job = _job(step)
    if job is None:
        return []
    group, name = job
    made = _MADE.fullmatch(name)
    if made is None or int(step.get("AttemptCount") or 1) < 2:
        return _listed(caller, group, name)
    attempt = re.compile(rf"{re.escape(made['stem'])}-[A-Za-z0-9]+-\d+/.*")
    return [s for s in _listed(caller, group, f"{made['stem']}-") if attempt.fullmatch(s.name)]


def lines(caller: Caller, stream: LogStream, token: str | None = None) -> Iterator[LogLine]:
    """Yield what a stream holds from a token on.

    Args:
        caller: where.
        stream: what to read.
        token: None from the beginning.
    """
    while True:
        request = {"logGroupName": stream.group, "logStreamName": stream.name}
        place = {"startFromHead": True, **({"nextToken": token} if token else {})}
        answer = caller.call("logs", "get_log_events", **request, **place)
        following = str(answer["nextForwardToken"])
        for event in answer["events"]:
            yield LogLine(str(event["message"]), following, int(event.get("timestamp") or 0))
        if following == token or not answer["events"]:
            return
        token = following


def latest(caller: Caller, stream: LogStream, most: int) -> list[LogLine]:
    """Read the last lines of a stream; of a local job also the one that it is still writing.

    Args:
        caller: where.
        stream: what to read.
        most: how many lines.
    """
    answer = caller.call(
        "logs",
        "get_log_events",
        logGroupName=stream.group,
        logStreamName=stream.name,
        limit=most,
        startFromHead=False,
    )
    token = str(answer["nextForwardToken"])
    return [
        LogLine(str(event["message"]), token, int(event.get("timestamp") or 0))
        for event in answer["events"]
    ]


def main_stream(found: list[LogStream]) -> LogStream | None:
    """Return the stream of the first host of the latest attempt; None where there is none."""
    latest_job = [s for s in found if s.job == found[-1].job]
    return next((s for s in reversed(latest_job) if s.is_first_host), next(iter(latest_job), None))


def tail(caller: Caller, step: JsonObject) -> tuple[str, ...]:
    """Read from the log of a failed step what explains it; where that is refused, a line says so.

    Of several hosts `failed_host` counts, else the one that wrote last.
    """
    reason = step.get("FailureReason")
    try:
        found = streams(caller, step)
        if not found:
            return ()
        host = failed_host(reason)
        chosen = [s for s in found if host is not None and f"/{host}-" in f"{s.name}-"]
        last = (chosen or sorted(found, key=lambda stream: stream.written))[-1]
        read = latest(caller, last, _READ_LINES)
    except CallRefusedError as error:
        return (f"(its log cannot be read: {error.problem})",)
    return excerpt([line.text for line in read], reason)


def _job(step: JsonObject) -> tuple[str, str] | None:
    """Return log group and name of the job that a step ran as; None where it ran as none."""
    for listed, metadata in (step.get("Metadata") or {}).items():
        step_type = find_listed(listed)
        job = step_type.resource if step_type is not None else None
        if job is not None and job.log_group is not None and metadata.get(job.listed):
            return job.log_group, str(metadata[job.listed]).rpartition("/")[2]
    return None


def _listed(caller: Caller, group: str, prefix: str) -> list[LogStream]:
    request = {"logGroupName": group, "logStreamNamePrefix": prefix}
    try:
        found = [
            LogStream(group, entry["logStreamName"], int(entry.get("lastEventTimestamp") or 0))
            for entry in caller.pages("logs", "describe_log_streams", "logStreams", **request)
        ]
    except CallRefusedError as error:
        if error.is_missing:
            return []
        raise
    return sorted(found, key=lambda stream: (_attempt(stream.name), stream.name))


def _attempt(name: str) -> int:
    number = name.partition("/")[0].rpartition("-")[2]
    return int(number) if number.isdigit() else 0
