"""`models`: the versions in the model registry, their metrics side by side; `show` one of them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipelines.cli.opening import shown_place
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.results import source_of
from pipelines.cli.scope import Scope, open_scope
from pipelines.cli.tables import columns
from pipelines.errors import UsageError
from pipelines.execution.identifiers import identifier, pipeline_of
from pipelines.json_types import JsonObject
from pipelines.registry.lineage import Lineage, trace
from pipelines.registry.packages import approval, groups, metrics, model_data, named, versions
from pipelines.results.outputs import Output, outputs_of
from pipelines.results.run import read_execution
from pipelines.spec.commit import COMMIT

_SHOW = "show"


@click.command("models")
@spec_options
@local_option
@format_option("text", "json")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many versions of a group to list.",
)
@click.argument("group", required=False, metavar="[GROUP | show GROUP/N]")
@click.argument("version", required=False, metavar="")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    last: int,
    group: str | None,
    version: str | None,
) -> None:
    """Show the registered versions (of one group, or of all), approval and metrics.

    `models show GROUP/N` leads from a version back to its execution, commit, data and metrics.
    """
    if version is not None and group != _SHOW:
        raise UsageError(f"unexpected argument `{version}`", "write `models show GROUP/N`")
    with open_scope(chosen, local) as scope:
        caller = scope.caller
        if version is not None:
            lineage = trace(caller, version)
            shown = _one(lineage, _shown_outputs(scope, lineage), output_format)
        else:
            names = [group] if group is not None else groups(caller, scope.pipelines)
            packages = [p for name in names for p in versions(caller, name, last)]
            shown = _all(packages, [metrics(caller, p) for p in packages], output_format)
    if output_format == "json":
        echo_data(shown)
    else:
        echo(shown)


def _all(packages: list[JsonObject], figures: list[dict[str, float]], output_format: str) -> str:
    if output_format == "json":
        return as_json(packages)
    if not packages:
        return "no models yet: a registration step adds one"
    names = list(dict.fromkeys(name for values in figures for name in values))
    rows = [
        (
            named(package),
            approval(package),
            package["CreationTime"].astimezone().strftime("%Y-%m-%d %H:%M"),
            *(f"{values[name]:.4f}" if name in values else "" for name in names),
        )
        for package, values in zip(packages, figures, strict=True)
    ]
    return columns(("version", "approval", "registered", *names), rows)


def _shown_outputs(scope: Scope, lineage: Lineage) -> list[Output]:
    """List the pictures and the pages that the execution of a version made."""
    if lineage.execution is None:
        return []
    source = source_of(scope)
    outputs = outputs_of(source, read_execution(source, lineage.execution))
    return [one for one in outputs if one.sort in {"pictures", "pages"}]


def _one(lineage: Lineage, outputs: list[Output], output_format: str) -> str:
    if output_format == "json":
        content = {
            "package": lineage.package,
            "execution": lineage.execution,
            "commit": lineage.commit,
            "parameters": dict(lineage.parameters),
            "data": {name: list(uris) for name, uris in lineage.data.items()},
            "metrics": dict(lineage.metrics),
            "outputs": {one.address: one.uri for one in outputs},
        }
        return as_json(content)
    rows = [
        *_lines(lineage),
        *((one.sort, f"{one.address}: {shown_place(one.place)}") for one in outputs),
    ]
    width = max(len(word) for word, _ in rows)
    return "\n".join(f"{word:<{width}}  {text}" for word, text in rows)


def _lines(lineage: Lineage) -> Iterator[tuple[str, str]]:
    package = lineage.package
    yield "version", f"{named(package)} ({approval(package)})"
    yield "registered", package["CreationTime"].astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if package.get("ApprovalDescription"):
        yield "approval", str(package["ApprovalDescription"])
    if lineage.origin is not None:
        yield "promoted", f"from {lineage.origin}"
    yield "execution", _execution(lineage.execution)
    yield "commit", lineage.commit or "not recorded"
    given = {name: value for name, value in lineage.parameters.items() if name != COMMIT}
    yield from (("parameter", f"{name} = {value}") for name, value in given.items())
    yield from (("data", f"{name}: {uri}") for name, uris in lineage.data.items() for uri in uris)
    yield from (("metric", f"{name} = {value:.4f}") for name, value in lineage.metrics.items())
    for container in package.get("InferenceSpecification", {}).get("Containers", ()):
        yield "archive", model_data(container)
        yield "image", str(container.get("Image", ""))


def _execution(execution: JsonObject | None) -> str:
    if execution is None:
        return "unknown, or no longer there"
    arn = str(execution["PipelineExecutionArn"])
    return f"{identifier(arn)} of {pipeline_of(arn)} ({execution['PipelineExecutionStatus']})"
