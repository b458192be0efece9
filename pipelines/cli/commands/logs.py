"""`logs`: what a step wrote, or all of them."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from heapq import merge
from typing import Protocol

import click

from pipelines.cli.options import ChosenSpec, local_option, spec_options
from pipelines.cli.printing import echo, echo_raw, log_line, style
from pipelines.cli.progress import is_live
from pipelines.cli.progress.words import usage_text
from pipelines.cli.scope import Scope, open_scope
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.executions import steps
from pipelines.execution.identifiers import LATEST, identifier
from pipelines.execution.logs import LogStream, lines, streams
from pipelines.execution.schedule import read_schedule
from pipelines.execution.status import OPEN
from pipelines.execution.usage import usage_in
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_SECONDS = 3.0
_LOCAL_SECONDS = 0.2
_HOST = re.compile(r"/algo-(\d+)")
_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")


@frozen
class _Label:
    """What stands before a line."""

    text: str = ""
    colour: str = ""


_NO_LABEL = _Label()


class _Write(Protocol):
    def __call__(self, line: str, label: _Label = _NO_LABEL) -> None: ...


@click.command("logs")
@spec_options
@local_option
@click.option("--follow", is_flag=True, help="Go on until the step, or the execution, has ended.")
@click.option("--raw", is_flag=True, help="Print colours and control characters as they are.")
@click.argument("execution", default=LATEST)
@click.argument("step", required=False)
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    follow: bool,  # noqa: FBT001 - click's flag
    raw: bool,  # noqa: FBT001 - click's flag
    execution: str,
    step: str | None,
) -> None:
    """Print the log of a step, every host and every attempt of it.

    Without a step, the logs of all, in the order in which they were written, each line behind the
    step's name. Without an execution, those of the latest one. --follow shows how far running steps
    are, too, on a terminal.
    """
    with open_scope(chosen, local) as scope, ExitStack() as stack:
        described = scope.find(execution)
        write: _Write = _print_raw if raw else _print_line
        look: Callable[[list[JsonObject]], None] = _look_at_nothing
        if follow and not raw and is_live(sys.stdout) and _is_open(scope, described):
            write, look = stack.enter_context(_with_bars(scope, described))
        printer = _Printer(scope, write) if step is not None else _Interleaved(scope, write)
        while True:
            is_open = _is_open(scope, described)
            known = steps(scope.caller, described["PipelineExecutionArn"])
            meant = [s for s in known if step in {None, s["StepName"]}]
            printer.show(meant)
            look(meant)
            ended = step is not None and _have_ended(meant)
            if not follow or not is_open or ended:
                break
            threading.Event().wait(_LOCAL_SECONDS if scope.is_local else _SECONDS)
        if not printer.has_shown:
            raise _no_logs(scope, described, step, known)


@contextmanager
def _with_bars(
    scope: Scope, described: JsonObject
) -> Iterator[tuple[_Write, Callable[[list[JsonObject]], None]]]:
    """Yield what prints a line above the bars of running steps, and what updates these."""
    from rich.text import Text  # noqa: PLC0415 - rich takes 0.1 s to import

    from pipelines.cli.progress.bars import Bars, shown  # noqa: PLC0415 - as above

    arn = described["PipelineExecutionArn"]
    operation = "describe_pipeline_definition_for_execution"
    answer = scope.caller.call("sagemaker", operation, PipelineExecutionArn=arn)
    nodes = read_schedule(str(answer["PipelineDefinition"])).steps
    bars = Bars(scope.caller, nodes)
    with shown(bars, sys.stdout) as show:

        def write(line: str, label: _Label = _NO_LABEL) -> None:
            show(Text.assemble((label.text, label.colour), _shown(line)))

        yield write, bars.look


def _look_at_nothing(_steps: list[JsonObject]) -> None:
    """Have no bars."""


class _Printer:
    """Prints what is new of the streams of a step; a header where there are several."""

    def __init__(self, scope: Scope, write: _Write) -> None:
        self._scope = scope
        self._print = write
        self._tokens: dict[str, str | None] = {}
        self._current: str | None = None

    @property
    def has_shown(self) -> bool:
        """Whether there was any stream."""
        return bool(self._tokens)

    def show(self, known: list[JsonObject]) -> None:
        """Print what the streams of the step hold now."""
        found = [stream for step in known for stream in streams(self._scope.caller, step)]
        for stream in found:
            self._tokens.setdefault(stream.name, None)
        for stream in found:
            for line in lines(self._scope.caller, stream, self._tokens[stream.name]):
                if self._current != stream.name and len(self._tokens) > 1:
                    self._print(f"==> {stream.name} <==")
                self._current = stream.name
                self._print(line.text)
                self._tokens[stream.name] = line.token


class _Interleaved:
    """Prints what is new of the streams of all steps by time, each line behind its step's name."""

    def __init__(self, scope: Scope, write: _Write) -> None:
        self._scope = scope
        self._print = write
        self._tokens: dict[str, str | None] = {}
        self._colours: dict[str, str] = {}

    @property
    def has_shown(self) -> bool:
        """Whether there was any stream."""
        return bool(self._tokens)

    def show(self, known: list[JsonObject]) -> None:
        """Print what the streams hold now; one that is read on keeps its order."""
        found = [
            self._lines(str(step["StepName"]), stream)
            for step in known
            for stream in streams(self._scope.caller, step)
        ]
        for _, label, line in merge(*found, key=lambda entry: entry[0]):
            self._print(line, label)

    def _lines(self, step: str, stream: LogStream) -> Iterator[tuple[int, _Label, str]]:
        """Yield time, label and text of each new line; a line never precedes the one before it."""
        label, latest = self._label(step, stream), 0
        self._tokens.setdefault(stream.name, None)
        for line in lines(self._scope.caller, stream, self._tokens[stream.name]):
            latest = max(latest, line.written)
            self._tokens[stream.name] = line.token
            yield latest, label, line.text

    def _label(self, step: str, stream: LogStream) -> _Label:
        host = _HOST.search(stream.name)
        named = step if host is None or host[1] == "1" else f"{step}/algo-{host[1]}"
        colour = self._colours.setdefault(step, _COLOURS[len(self._colours) % len(_COLOURS)])
        return _Label(f"{named} | ", colour)


def _print_line(line: str, label: _Label = _NO_LABEL) -> None:
    shown = style(label.text, fg=label.colour) if label.text else ""
    echo(f"{shown}{_shown(line)}")


def _shown(line: str) -> str:
    """Return a line for people: what the runtime says of usage in words."""
    used = usage_in(line)
    return log_line(line) if used is None else usage_text(used)


def _print_raw(line: str, label: _Label = _NO_LABEL) -> None:
    echo_raw(f"{label.text}{line}")


def _is_open(scope: Scope, described: JsonObject) -> bool:
    arn = {"PipelineExecutionArn": described["PipelineExecutionArn"]}
    now = scope.caller.call("sagemaker", "describe_pipeline_execution", **arn)
    return now["PipelineExecutionStatus"] in OPEN


def _have_ended(known: list[JsonObject]) -> bool:
    return any(step["StepStatus"] in {"Succeeded", "Failed", "Stopped"} for step in known)


def _no_logs(
    scope: Scope, described: JsonObject, step: str | None, known: list[JsonObject]
) -> UsageError:
    execution = identifier(described)
    if step is None:
        return UsageError(
            f"no step of execution {execution} has a log",
            f"see `pipelines status{scope.flags} {execution}`",
        )
    with_logs = sorted(str(s["StepName"]) for s in known if streams(scope.caller, s))
    close = nearest(step, with_logs)
    names = ", ".join(with_logs) or "none"
    advice = f"did you mean `{close}`?" if close else f"steps with logs: {names}"
    return UsageError(f"execution {execution} has no log of a step `{step}`", advice)
