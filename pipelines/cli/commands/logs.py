"""`logs`: what a step wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable

import click

from pipelines.cli.options import ChosenSpec, local_option, spec_options
from pipelines.cli.printing import echo, echo_raw, log_line
from pipelines.cli.target import Scope, open_scope
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.executions import steps
from pipelines.execution.identifiers import identifier
from pipelines.execution.logs import LogStream, lines, streams
from pipelines.execution.status import OPEN
from pipelines.json_types import JsonObject

_SECONDS = 3.0
_LOCAL_SECONDS = 0.2


@click.command("logs")
@spec_options
@local_option
@click.option("--follow", is_flag=True, help="Go on until the step has ended.")
@click.option("--raw", is_flag=True, help="Print colours and control characters as they are.")
@click.argument("execution")
@click.argument("step")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    follow: bool,  # noqa: FBT001 - click's flag
    raw: bool,  # noqa: FBT001 - click's flag
    execution: str,
    step: str,
) -> None:
    """Print the log of a step, every host and every attempt of it."""
    with open_scope(chosen, local) as scope:
        described = scope.find(execution)
        printer = _Printer(scope, echo_raw if raw else _print_line)
        while True:
            is_open = _is_open(scope, described)
            known = steps(scope.caller, described["PipelineExecutionArn"])
            found = next((s for s in known if s["StepName"] == step), None)
            if found is not None:
                printer.show(streams(scope.caller, found))
            if not follow or not is_open or _has_ended(found):
                break
            threading.Event().wait(_LOCAL_SECONDS if scope.is_local else _SECONDS)
        if not printer.has_shown:
            raise _no_logs(scope, described, step, known)


class _Printer:
    """Prints what is new of the streams of a step; a header where there are several."""

    def __init__(self, scope: Scope, write: Callable[[str], None]) -> None:
        self._scope = scope
        self._print = write
        self._tokens: dict[str, str | None] = {}
        self._current: str | None = None

    @property
    def has_shown(self) -> bool:
        """Whether there was any stream."""
        return bool(self._tokens)

    def show(self, found: list[LogStream]) -> None:
        """Print what the streams hold now."""
        for stream in found:
            self._tokens.setdefault(stream.name, None)
        for stream in found:
            for line, token in lines(self._scope.caller, stream, self._tokens[stream.name]):
                if self._current != stream.name and len(self._tokens) > 1:
                    echo(f"==> {stream.name} <==")
                self._current = stream.name
                self._print(line)
                self._tokens[stream.name] = token


def _print_line(line: str) -> None:
    echo(log_line(line))


def _is_open(scope: Scope, described: JsonObject) -> bool:
    arn = {"PipelineExecutionArn": described["PipelineExecutionArn"]}
    now = scope.caller.call("sagemaker", "describe_pipeline_execution", **arn)
    return now["PipelineExecutionStatus"] in OPEN


def _has_ended(step: JsonObject | None) -> bool:
    return step is not None and step["StepStatus"] in {"Succeeded", "Failed", "Stopped"}


def _no_logs(scope: Scope, described: JsonObject, step: str, known: list[JsonObject]) -> UsageError:
    with_logs = sorted(str(s["StepName"]) for s in known if streams(scope.caller, s))
    close = nearest(step, with_logs)
    names = ", ".join(with_logs) or "none"
    advice = f"did you mean `{close}`?" if close else f"steps with logs: {names}"
    return UsageError(f"execution {identifier(described)} has no log of a step `{step}`", advice)
