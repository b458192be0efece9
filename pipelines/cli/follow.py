"""Following an execution from the command line: the view, Ctrl-C, and how it ends."""

from __future__ import annotations

import sys
import threading
from typing import NoReturn

import click

from pipelines.backends.aws import executions
from pipelines.backends.aws.caller import Caller
from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.following import Pace, follow
from pipelines.backends.local.state.records import ExecutionStatus
from pipelines.cli.progress import following
from pipelines.errors import ExecutionFailedError

_INTERRUPTED = 130


def show(caller: Caller, arn: str) -> None:
    """Follow an execution until it ends; Ctrl-C leaves it running.

    Raises:
        ExecutionFailedError: it did not succeed.
        AwsError: it can no longer be seen; it goes on.
    """
    try:
        status = watch(caller, arn)
    except KeyboardInterrupt:
        _leave(caller, arn)
    except AwsError as error:
        raise _lost(error, caller, arn) from error
    judge(caller, arn, status)


def watch(caller: Caller, arn: str) -> ExecutionStatus:
    """Show an execution until it ends; return how."""
    clock = threading.Event()
    with following(sys.stdout) as observer:
        return follow(caller, arn, observer, Pace(clock.wait, _weather))


def judge(caller: Caller, arn: str, status: ExecutionStatus) -> None:
    """End the command as the execution ended.

    Raises:
        ExecutionFailedError: it did not succeed.
    """
    if status is not ExecutionStatus.SUCCEEDED:
        execution = executions.identifier(arn)
        flags = _flags(caller)
        raise ExecutionFailedError(
            f"execution {execution} ended as {status}", f"see `pipelines status{flags} {execution}`"
        )


def _weather(error: AwsError) -> None:
    click.echo(f"{error.problem}; the execution goes on, and so does looking at it", err=True)


def _leave(caller: Caller, arn: str) -> NoReturn:
    execution, flags = executions.identifier(arn), _flags(caller)
    click.echo(
        f"execution {execution} goes on: follow it with "
        f"`pipelines status --follow{flags} {execution}`, "
        f"stop it with `pipelines stop{flags} {execution}`",
        err=True,
    )
    sys.exit(_INTERRUPTED)


def _lost(error: AwsError, caller: Caller, arn: str) -> AwsError:
    execution = executions.identifier(arn)
    again = f"`pipelines status --follow{_flags(caller)} {execution}`"
    remedy = f"execution {execution} goes on: follow it again with {again}"
    if error.remedy:
        remedy = f"{error.remedy}; {remedy}"
    return AwsError(error.problem, remedy, code=error.code, operation=error.operation)


def _flags(caller: Caller) -> str:
    return " --local" if caller.is_local else ""
