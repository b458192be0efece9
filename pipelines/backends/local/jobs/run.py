"""Run a prepared job: the part that processing and training share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.environment import host_environment, start_words, withheld
from pipelines.backends.local.jobs.isolation import choose
from pipelines.backends.local.jobs.reasons import (
    algorithm_error,
    failure_text,
    internal,
    over_the_limit,
    path_hint,
)
from pipelines.backends.local.jobs.spec import Command, Job, JobEnd, Limits
from pipelines.backends.local.jobs.supervise import run_hosts
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.backends.local.executors.contract import StepCall

FAULT = "SageMaker.JOB_INTERNAL_ERROR"


@frozen
class Start:
    """What is the same on all hosts.

    Args:
        words: the container's entrypoint and arguments.
        environment: the variables of the request and of the service.
        limits: how long it may take.
        failure: where the job writes its failure text, below /opt/ml.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    limits: Limits
    failure: str


@frozen
class Ran:
    """How a job went.

    Args:
        end: how it ended.
        reason: why it failed, None when it did not.
        fault: the service's exception type when this machine is to blame.
        logs: the logs, one per host.
    """

    end: JobEnd
    reason: str | None
    fault: str | None
    logs: Sequence[Path]


def job_arn(call: StepCall, kind: str) -> str:
    """Make the ARN of a job; `kind` is `training-job` or `processing-job`."""
    settings = call.settings
    family = settings.region.split("-")
    partition = "aws-cn" if family[0] == "cn" else "aws-us-gov" if "gov" in family else "aws"
    return f"arn:{partition}:sagemaker:{settings.region}:{settings.account}:{kind}/{call.job_name}"


def step_status(ran: Ran) -> StepStatus:
    """Say how a step ended whose job ran; over the limit is a failure."""
    if ran.end.cause == "stopped":
        return StepStatus.STOPPED
    return StepStatus.FAILED if ran.reason else StepStatus.SUCCEEDED


def run_job(call: StepCall, job: Job, start: Start, tick: Callable[[], None]) -> Ran:
    """Start the hosts, wait for them, and say how it went."""
    commands = [
        Command(
            host,
            start_words(job, host, start.words, call.settings),
            host_environment(
                job, host, call.settings, requested=start.environment, outside=os.environ
            ),
            call.logs / f"{host.name}.log",
        )
        for host in job.hosts
    ]
    for command in commands:
        command.log.write_text("".join(f"{line}\n" for line in _warnings(call, job, start)))
    end = run_hosts(job, commands, start.limits, stop=call.stop, tick=tick)
    fault = FAULT if internal(end) and end.cause == "finished" else None
    return Ran(end, _reason(call, job, start, end), fault, [one.log for one in commands])


def _warnings(call: StepCall, job: Job, start: Start) -> list[str]:
    lines = []
    if job.network_isolated and job.isolation == "rewrite":
        why = choose(call.settings.isolation).why
        lines.append(f"warning: EnableNetworkIsolation has no effect here: {why}")
    if names := withheld(start.environment):
        lines.append(f"warning: not passed on, a local job does not reach AWS: {', '.join(names)}")
    return lines


def _reason(call: StepCall, job: Job, start: Start, end: JobEnd) -> str | None:
    if end.cause == "limit":
        return over_the_limit(start.limits.wall)
    failure = end.failure
    if failure is None or end.cause == "stopped":
        return None
    blamed = internal(end)
    if blamed:
        return blamed
    host = next(one for one in job.hosts if one.name == failure.host)
    hint = path_hint(job, call.settings, call.logs / f"{host.name}.log")
    return algorithm_error(job, failure, failure_text(host.ml / start.failure), hint)
