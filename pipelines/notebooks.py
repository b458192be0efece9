"""Executions for notebooks: outputs as paths, reports as dicts, metrics as a table.

    from pipelines import frame, load, runs

    run = load()                                     # the latest one on this machine
    run.outputs["features.train"]                    # a path
    run.reports["evaluate.report"]["auc"]
    frame(runs())                                    # one row for each execution

Everything is read where it is first asked for, by what the commands `outputs`, `report` and
`compare` read it with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.options import ChosenSpec
from pipelines.cli.results import source_of
from pipelines.cli.scope import Scope, open_scope
from pipelines.errors import UsageError
from pipelines.execution.executions import executions
from pipelines.execution.identifiers import LATEST, identifier
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.results.metrics import metrics_of
from pipelines.results.outputs import outputs_of, reports_of
from pipelines.results.run import ExecutionResult, read_execution

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST = 20


@frozen
class RunStep:
    """A step of an execution.

    Args:
        name: its name.
        status: its status, as the service has it.
        seconds: how long it took; None while it runs.
        reused_from: the id of the execution whose result it is; None where it ran itself.
        reason: why it failed; None where it did not.
    """

    name: str
    status: str
    seconds: float | None
    reused_from: str | None
    reason: str | None


@frozen
class _Contents:
    run: ExecutionResult
    reports: dict[str, Json]
    places: dict[str, Path | str]


@frozen
class _Place:
    """A spec, and whether its local SageMaker or its account is meant."""

    chosen: ChosenSpec
    local: bool

    @contextmanager
    def opened(self) -> Iterator[Scope]:
        """Open what is looked at."""
        with open_scope(self.chosen, self.local) as scope:
            yield scope


class Run:
    """An execution of a pipeline.

    Args:
        place: where it is.
        described: as DescribePipelineExecution gives it.
    """

    def __init__(self, place: _Place, described: JsonObject) -> None:
        self._place = place
        self._described = described

    @property
    def id(self) -> str:
        """Its id."""
        return identifier(self._described)

    @property
    def status(self) -> str:
        """Its status: `Succeeded`, `Failed`, `Executing` and so on."""
        return str(self._described["PipelineExecutionStatus"])

    @property
    def started(self) -> datetime:
        """When it was started."""
        started: datetime = self._described["CreationTime"]
        return started

    @property
    def parameters(self) -> dict[str, str]:
        """What it was given, by name."""
        return dict(self._contents.run.parameters)

    @property
    def steps(self) -> dict[str, RunStep]:
        """The steps that began, by name, in the order in which they did."""
        return {
            one.name: RunStep(one.name, one.status, one.seconds, one.reused_from, one.reason)
            for one in self._contents.run.steps
        }

    @property
    def outputs(self) -> dict[str, Path | str]:
        """Where each output is, by `STEP.OUTPUT`: a path; in an account, an S3 URI."""
        return dict(self._contents.places)

    @property
    def reports(self) -> dict[str, Any]:
        """The JSON reports, by `STEP.OUTPUT`."""
        return dict(self._contents.reports)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of trainings and reports: `train.metrics.auc`, `evaluate.report.auc`."""
        return metrics_of(self._contents.run, self._contents.reports)

    @property
    def versions(self) -> tuple[str, ...]:
        """The model versions that it registered, as `GROUP/NUMBER`."""
        return self._contents.run.versions

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.status}>"

    @cached_property
    def _contents(self) -> _Contents:
        with self._place.opened() as scope:
            source = source_of(scope)
            run = read_execution(source, self._described)
            outputs = outputs_of(source, run)
            reports = reports_of(source, outputs)
            places = {one.address: scope.path_of(one.uri) or one.uri for one in outputs}
            return _Contents(run, reports, places)


def load(
    execution: str = LATEST,
    *,
    file: str | Path = "pipeline.yaml",
    env: str | None = None,
    local: bool = True,
) -> Run:
    """Return an execution.

    Args:
        execution: its id, its ARN, `latest`, or `latest~1` for the one before it.
        file: the spec file; its folder is the project.
        env: the environment of the spec, where one is meant.
        local: False for the account that the spec names.

    Raises:
        UsageError: there is no such project or execution.
    """
    place = _place(file, env, local=local)
    with place.opened() as scope:
        return Run(place, scope.find(execution))


def runs(
    *,
    last: int = _MOST,
    file: str | Path = "pipeline.yaml",
    env: str | None = None,
    local: bool = True,
) -> list[Run]:
    """Return the latest executions of a pipeline, the newest first.

    Args:
        last: how many.
        file: the spec file; its folder is the project.
        env: the environment of the spec, where one is meant.
        local: False for the account that the spec names.

    Raises:
        UsageError: there is no such project.
    """
    if last < 0:
        raise UsageError(f"`last={last}` is not a number of executions", "write runs(last=20)")
    place = _place(file, env, local=local)
    with place.opened() as scope:
        found = executions(scope.caller, scope.pipelines, last)
        return [Run(place, scope.find(str(one["PipelineExecutionArn"]))) for one in found]


def metrics(executions: Iterable[Run]) -> list[dict[str, Any]]:
    """Return parameters and metrics as a table: one row for each execution.

    A parameter called as one of the first columns is `parameters.NAME`.
    """
    return [_row(run) for run in executions]


def _row(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"execution": run.id, "started": run.started, "status": run.status}
    given = run.parameters.items()
    named = {f"parameters.{name}" if name in row else name: value for name, value in given}
    return {**row, **named, **run.metrics}


def _place(file: str | Path, env: str | None, *, local: bool) -> _Place:
    """Name a spec by its whole path: a notebook may change its folder before it asks on."""
    return _Place(ChosenSpec(Path(file).absolute(), env), local)


def frame(executions: Iterable[Run]) -> DataFrame:
    """Return `metrics` as a pandas DataFrame, its index the executions.

    Raises:
        UsageError: pandas is not installed.
    """
    try:
        from pandas import DataFrame  # noqa: PLC0415 - costs half a second
    except ImportError as error:
        raise UsageError(
            "`frame` needs pandas", "install pandas, or use `metrics`, which returns a list"
        ) from error
    rows = metrics(executions)
    return DataFrame(rows, index=[row.pop("execution") for row in rows])
