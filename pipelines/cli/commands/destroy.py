"""`destroy`: delete what a spec made, but for its models and its data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import click

from pipelines.account.destroy import destroy
from pipelines.account.resources import (
    AccountResource,
    FoundResources,
    SpecResources,
    copies,
    find,
    running,
)
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.graph.resources import names_made, pipelines_made
from pipelines.registry.packages import has_versions
from pipelines.spec.names import copied

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
def COMMAND(  # noqa: N802 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    with_models: bool,  # noqa: FBT001 - click's flag
    with_data: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Delete the pipelines and the endpoints; models and data stay unless asked for."""
    with open_target(chosen, local) as target:
        groups = names_made(target.spec, "model-package-group")
        named = _spec_resources(target, groups if with_models else (), with_data=with_data)
        _refuse_running(target, named)
        found = find(target.account, named)
        _refuse_foreign(found)
        for line in _lines(target, found, groups):
            echo(line)
        if not found.to_delete:
            echo("nothing to delete")
            return
        _ask(target, len(found.to_delete), yes)
        destroy(
            target.account,
            found.to_delete,
            lambda resource: echo(f"deleted {named_resource(resource)}"),
        )


def _spec_resources(
    target: CommandTarget, groups: tuple[str, ...], *, with_data: bool
) -> SpecResources:
    name, *others = pipelines_made(target.spec)
    data = f"s3://{target.aws.bucket}/{target.pipeline}/" if with_data else None
    return SpecResources(
        name,
        tuple(others),
        names_made(target.spec, "endpoint"),
        groups,
        data,
        target.copy_of,
    )


def _lines(target: CommandTarget, found: FoundResources, groups: tuple[str, ...]) -> Iterator[str]:
    """Yield what is deleted, what stays because it is foreign, and what loses its archives."""
    for resource in found.to_delete:
        yield f"  delete {named_resource(resource)}"
    for resource in found.foreign:
        name = named_resource(resource)
        yield f"  keep {name}: it was not created by this tool for this pipeline"
    for copy in copies(target.account, target.pipeline) if target.chosen.copy is None else ():
        again = replace(target.chosen, copy=copy).flags(local=target.is_local)
        name = copied(target.pipeline, copy)
        yield f"  keep the copy {name}: `pipelines destroy{again}` deletes it"
    if not any(resource.kind == "s3-prefix" for resource in found.to_delete):
        return
    for group in groups:
        kept = AccountResource("model-package-group", group) not in found.to_delete
        if kept and has_versions(target.account, group):
            yield f"  the versions of {group} stay in the registry, but their archives are deleted"


def _refuse_running(target: CommandTarget, named: SpecResources) -> None:
    found = running(target.account, (named.pipeline, *named.others))
    if found:
        raise UsageError(
            f"executions are running: {', '.join(found)}",
            f"stop them first: pipelines stop{target.flags} {found[0]}",
        )


def _refuse_foreign(found: FoundResources) -> None:
    """Leave alone a pipeline that somebody else made under the same name, and all beside it."""
    for resource in found.foreign:
        if resource.kind == "pipeline":
            raise UsageError(
                f"the pipeline {resource.name} was not created by this tool for this spec",
                f"delete it by hand if it is yours: aws sagemaker delete-pipeline "
                f"--pipeline-name {resource.name}",
            )


def _ask(target: CommandTarget, count: int, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Ask, the local SageMaker too: what it has registered nobody else has."""
    if target.is_local and not yes:
        raise UsageError("this cannot be undone", "add --yes to delete it")
    confirm(target, f"delete {counted(count, 'resource')}", yes)


def named_resource(resource: AccountResource) -> str:
    """Name what is deleted, with the word for it."""
    return f"{_WORDS[resource.kind]} {resource.name.rpartition(':model-package/')[2]}"
