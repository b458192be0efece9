"""`destroy`: delete what a spec made, but for its models and its data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from pipelines.account.destroy import Found, Premises, Thing, destroy, find, running
from pipelines.cli.options import local_option, spec_options, yes_option
from pipelines.cli.target import Target, confirm, open_target
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.plan.deployments import names_made
from pipelines.registry.packages import has_versions
from pipelines.spec.names import pipelines_of

_WORDS = {
    "endpoint": "endpoint",
    "endpoint-config": "endpoint configuration",
    "model": "model",
    "pipeline": "pipeline",
    "model-package": "model version",
    "model-package-group": "model package group",
    "s3-prefix": "all objects below",
}


@click.command("destroy")
@spec_options
@local_option
@click.option("--with-models", is_flag=True, help="Delete the registered models too.")
@click.option("--with-data", is_flag=True, help="Delete code, data and outputs in the bucket too.")
@yes_option
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    file: Path,
    env: str | None,
    local: bool,  # noqa: FBT001 - click's flag
    with_models: bool,  # noqa: FBT001 - click's flag
    with_data: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Delete the pipelines and the endpoints; models and data stay unless asked for."""
    with open_target(file, env, local) as target:
        groups = names_made(target.spec, "model-package-group")
        premises = _premises(target, groups if with_models else (), with_data=with_data)
        _refuse_running(target, premises)
        found = find(target.account, premises)
        _refuse_foreign(found)
        for line in _lines(target, found, groups):
            click.echo(line)
        if not found.doomed:
            click.echo("nothing to delete: nothing of it is there")
            return
        _ask(target, len(found.doomed), yes)
        destroy(target.account, found.doomed, lambda thing: click.echo(f"deleted {_said(thing)}"))


def _premises(target: Target, groups: tuple[str, ...], *, with_data: bool) -> Premises:
    name, deploy = pipelines_of(target.pipeline)
    data = f"s3://{target.aws.bucket}/{target.pipeline}/" if with_data else None
    return Premises(name, deploy, names_made(target.spec, "endpoint"), groups, data)


def _lines(target: Target, found: Found, groups: tuple[str, ...]) -> Iterator[str]:
    """Say what goes, what stays because it is somebody else's, and what loses its archives."""
    for thing in found.doomed:
        yield f"  delete {_said(thing)}"
    for thing in found.foreign:
        yield f"  keep {_said(thing)}: it was not made by this tool for this pipeline"
    if not any(thing.sort == "s3-prefix" for thing in found.doomed):
        return
    for group in groups:
        kept = Thing("model-package-group", group) not in found.doomed
        if kept and has_versions(target.account, group):
            yield f"  the versions of {group} stay in the registry, their archives do not"


def _refuse_running(target: Target, premises: Premises) -> None:
    found = running(target.account, (premises.pipeline, premises.deploy))
    if found:
        raise UsageError(
            f"executions are running: {', '.join(found)}",
            f"stop them first: pipelines stop{target.flags} {found[0]}",
        )


def _refuse_foreign(found: Found) -> None:
    """Leave alone a pipeline that somebody else made under the same name, and all beside it."""
    for thing in found.foreign:
        if thing.sort == "pipeline":
            raise UsageError(
                f"the pipeline {thing.name} was not made by this tool for this spec",
                f"delete it by hand if it is yours: aws sagemaker delete-pipeline "
                f"--pipeline-name {thing.name}",
            )


def _ask(target: Target, count: int, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Ask, the local SageMaker too: what it has registered nobody else has."""
    if target.is_local and not yes:
        raise UsageError("this cannot be undone", "add --yes to delete it")
    confirm(target, f"delete {counted(count, 'thing')}", yes)


def _said(thing: Thing) -> str:
    return f"{_WORDS[thing.sort]} {thing.name.rpartition(':model-package/')[2]}"
