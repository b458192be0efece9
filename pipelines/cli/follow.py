"""Following an execution from the command line: the view, Ctrl-C, and how it ends."""

from __future__ import annotations

import sys
import threading
from typing import NoReturn

from pipelines.cli.printing import echo
from pipelines.cli.progress import following
from pipelines.errors import ExecutionFailedError
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.following import Polling, follow
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import ExecutionStatus

_INTERRUPTED = 130


def show(caller: Caller, arn: str, flags: str) -> None:
    """Follow an execution until it ends; Ctrl-C leaves it running.

    Args:
        caller: where it runs.
        arn: the execution's.
        flags: the options that lead other commands there, with a space before them.

    Raises:
        ExecutionFailedError: it did not succeed.
        CallRefusedError: it can no longer be seen; it goes on.
    """
    try:
        status = watch(caller, arn)
    except KeyboardInterrupt:
        _leave(arn, flags)
    except CallRefusedError as error:
        raise _lost(error, arn, flags) from error
    judge(arn, status, flags)


def watch(caller: Caller, arn: str) -> ExecutionStatus:
    """Show an execution until it ends; return how."""
    clock = threading.Event()
    with following(sys.stdout) as observer:
        return follow(caller, arn, observer, Polling(clock.wait, _report_trouble))


def judge(arn: str, status: ExecutionStatus, flags: str) -> None:
    """End the command as the execution ended.

    Raises:
        ExecutionFailedError: it did not succeed.
    """
    if status is not ExecutionStatus.SUCCEEDED:
        execution = identifier(arn)
        raise ExecutionFailedError(
            f"execution {execution} ended as {status}",
            f"see `pipelines report{flags} {execution}` or `pipelines status{flags} {execution}`",
        )


def _report_trouble(error: CallRefusedError) -> None:
    echo(f"{error.problem}; the execution continues, and is still followed", err=True)


def _leave(arn: str, flags: str) -> NoReturn:
    execution = identifier(arn)
    echo(
        f"execution {execution} continues: follow it with "
        f"`pipelines status --follow{flags} {execution}`, "
        f"stop it with `pipelines stop{flags} {execution}`",
        err=True,
    )
    sys.exit(_INTERRUPTED)


def _lost(error: CallRefusedError, arn: str, flags: str) -> CallRefusedError:
    execution = identifier(arn)
    again = f"`pipelines status --follow{flags} {execution}`"
    remedy = f"execution {execution} continues: follow it again with {again}"
    if error.remedy:
        remedy = f"{error.remedy}; {remedy}"
    return CallRefusedError(error.problem, remedy, code=error.code, operation=error.operation)
