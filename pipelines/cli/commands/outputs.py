"""`outputs`: where everything that an execution left is, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.experiments import experiment_text
from pipelines.cli.opening import copy_file, copy_outputs, open_file, shown_place
from pipelines.cli.options import ChosenSpec, GivenPath, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.project import home_of
from pipelines.cli.results import chosen as choose
from pipelines.cli.results import execution_and_output, source_of
from pipelines.cli.scope import Scope, open_scope
from pipelines.cli.sizes import size
from pipelines.cli.tables import columns
from pipelines.errors import UsageError
from pipelines.execution.failure import remarks
from pipelines.json_types import JsonObject
from pipelines.results.experiments import experiments_in
from pipelines.results.metrics import metrics_of, written
from pipelines.results.outputs import Output, outputs_of, reports_of
from pipelines.results.run import ExecutionResult
from pipelines.results.trials import Tried, TriedJobs, tried_in

_METRICS = 12
_TRIALS = 10


@click.command("outputs")
@spec_options
@local_option
@format_option("text", "json")
@click.option("--open", "opens", is_flag=True, help="Open a page or a picture; without a desktop, "
              "print its path.")  # fmt: skip
@click.option(
    "--copy",
    "folder",
    type=GivenPath(),
    metavar="DIR",
    help="Copy the files into a new folder; from an account, download them.",
)
@click.argument("words", nargs=-1, metavar="[EXECUTION] [STEP[.OUTPUT]]")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    opens: bool,  # noqa: FBT001 - click's flag
    folder: Path | None,
    words: tuple[str, ...],
) -> None:
    """Show where the outputs of an execution are: reports, models, pages, pictures, metrics.

    Without EXECUTION the latest one; `latest~1` is the one before it. With STEP or STEP.OUTPUT,
    each file.
    """
    if len(words) > 2:
        raise UsageError(f"unexpected argument `{words[2]}`", "write `outputs EXECUTION STEP`")
    if opens and folder is not None:
        raise UsageError("--open and --copy exclude each other", "remove one of them")
    with open_scope(chosen, local) as scope:
        run, address = execution_and_output(scope, words)
        every = outputs_of(source_of(scope), run)
        outputs = choose(every, address, run.id)
        if folder is not None:
            count = copy_outputs(scope, outputs, folder)
            echo(f"copied {count} {'file' if count == 1 else 'files'} to {folder}")
        elif opens:
            _open(scope, outputs, address, home_of(chosen.file) / "downloads" / run.id)
        elif output_format == "json":
            echo_data(as_json(_document(scope, run, outputs)))
        elif address is not None:
            echo("\n\n".join(_files(output) for output in outputs))
        else:
            echo(_overview(scope, run, outputs))


def _open(scope: Scope, outputs: tuple[Output, ...], address: str | None, folder: Path) -> None:
    """Open the file that shows most; that of an account is downloaded first."""
    if address is None:
        names = ", ".join(one.address for one in outputs) or "none"
        raise UsageError("`--open` needs to know which output", f"name one of: {names}")
    for output in outputs:
        if output.face is not None:
            shown = folder / output.step / output.name
            if scope.is_local and output.face.path is not None:
                open_file(output.face.path)
                return
            for file in output.files:
                copy_file(scope, file, shown)
            open_file(shown / output.face.name)
            return
    raise UsageError(f"`{address}` holds no file", f"see {outputs[0].uri}")


def _overview(scope: Scope, run: ExecutionResult, outputs: tuple[Output, ...]) -> str:
    rows = [
        (
            one.address,
            one.sort,
            str(len(one.files)),
            size(one.size),
            shown_place(one.place),
            _note(run, one),
        )
        for one in outputs
    ]
    head = f"{run.id} of {run.pipeline}: {run.status}"
    if not rows:
        return f"{head}\nno outputs: no step of it has written any"
    table = columns(("output", "holds", "files", "size", "where", ""), rows)
    reports = reports_of(source_of(scope), outputs)
    found = [line for one in experiments_in(reports) for line in ("", experiment_text(one))]
    return "\n".join((head, "", table, *found, *_further(scope, run, metrics_of(run, reports))))


def _further(scope: Scope, run: ExecutionResult, metrics: dict[str, float]) -> Iterator[str]:
    for step in tried_in(source_of(scope), run):
        yield from _trials(step)
    if metrics:
        yield ""
        shown = list(metrics.items())[:_METRICS]
        yield columns(("metric", "value"), [(name, written(value)) for name, value in shown])
        if len(metrics) > _METRICS:
            yield f"and {len(metrics) - _METRICS} more: --format json lists all"
    if run.versions:
        yield ""
    for version in run.versions:
        yield f"registered {version}: pipelines models{scope.flags} show {version}"
    left = [(step.name, what) for step in run.steps for what in remarks(step.reason)]
    if left:
        yield ""
    yield from (f"{name}: {what}" for name, what in left)


def _trials(step: TriedJobs) -> Iterator[str]:
    """Show the best trials of a step."""
    shown = step.ranked[:_TRIALS]
    if shown:
        yield ""
        header = (f"trials of {step.step}", *step.names, step.metric, "status")
        yield columns(header, [_trial(step, one) for one in shown])
    if len(step.jobs) > _TRIALS:
        yield f"and {len(step.jobs) - _TRIALS} more: --format json lists all"


def _trial(step: TriedJobs, one: Tried) -> tuple[str, ...]:
    value = "" if one.value is None else written(one.value)
    number = str(step.jobs.index(one) + 1)
    return (number, *(one.tuned.get(name, "") for name in step.names), value, one.status)


def _files(output: Output) -> str:
    rows = [(file.name, size(file.size), shown_place(file.place)) for file in output.files]
    head = f"{output.address}: {output.uri}"
    return f"{head}\n{columns(('file', 'size', 'where'), rows)}" if rows else f"{head}\nno files"


def _note(run: ExecutionResult, output: Output) -> str:
    if output.reused_from is not None:
        return f"from {output.reused_from}"
    status = next(step.status for step in run.steps if step.name == output.step)
    if output.files or status == "Executing":
        return ""
    return "its step failed" if status == "Failed" else "nothing is there"


def _document(scope: Scope, run: ExecutionResult, outputs: tuple[Output, ...]) -> JsonObject:
    reports = reports_of(source_of(scope), outputs)
    return {
        "execution": run.arn,
        "status": run.status,
        "outputs": [
            {
                "address": one.address,
                "holds": one.sort,
                "uri": one.uri,
                "path": None if (path := scope.path_of(one.uri)) is None else str(path),
                "size": one.size,
                "reused_from": one.reused_from,
                "files": [
                    {
                        "name": file.name,
                        "uri": file.uri,
                        "size": file.size,
                        "path": None if file.path is None else str(file.path),
                    }
                    for file in one.files
                ],
            }
            for one in outputs
        ],
        "experiments": [asdict(one) for one in experiments_in(reports)],
        "metrics": metrics_of(run, reports),
        "trials": {
            step.step: [
                {
                    "job": one.name,
                    "status": one.status,
                    "hyperparameters": one.tuned,
                    step.metric: one.value,
                }
                for one in step.jobs
            ]
            for step in tried_in(source_of(scope), run)
        },
        "versions": list(run.versions),
    }
