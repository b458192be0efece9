"""`destroy`: delete what a spec made, but for its models and its data."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.backends.aws.destroy import Doomed, Premises, destroy, find, foreign, running
from pipelines.cli.looking import pipelines_of
from pipelines.cli.options import local_option, spec_options, yes_option
from pipelines.cli.target import Target, confirm, open_target
from pipelines.errors import UsageError

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
        premises = _premises(target, with_models=with_models, with_data=with_data)
        _refuse_running(target, premises)
        doomed = find(target.gateway, premises)
        if not doomed:
            click.echo("nothing to delete: nothing of it is there")
            return
        _refuse_foreign(target, doomed)
        for item in doomed:
            click.echo(f"  delete {_said(item)}")
        _ask(target, len(doomed), yes)
        destroy(target.gateway, doomed, lambda item: click.echo(f"deleted {_said(item)}"))


def _premises(target: Target, *, with_models: bool, with_data: bool) -> Premises:
    name, deploy = pipelines_of(target.pipeline)
    data = f"s3://{target.aws.bucket}/{target.pipeline}/" if with_data else None
    groups = _named(target, "registration", "group") if with_models else ()
    return Premises(name, deploy, _named(target, "deployment", "endpoint"), groups, data)


def _named(target: Target, kind: str, key: str) -> tuple[str, ...]:
    """Return a key of all steps of a kind; what an execution decides cannot be known here."""
    steps = [step for step in target.spec.steps.values() if getattr(step, "kind", None) == kind]
    values = [getattr(step, key, None) for step in steps]
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))


def _refuse_running(target: Target, premises: Premises) -> None:
    found = running(target.gateway, (premises.pipeline, premises.deploy))
    if found:
        flags = " --local" if target.is_local else ""
        raise UsageError(
            f"executions are running: {', '.join(found)}",
            f"stop them first: pipelines stop{flags} {found[0]}",
        )


def _refuse_foreign(target: Target, doomed: list[Doomed]) -> None:
    """Leave alone what somebody else made under the same name; here there is nobody else."""
    found = [] if target.is_local else foreign(target.gateway, doomed)
    if found:
        raise UsageError(
            f"the pipeline {found[0]} was not made by this tool: it bears no tag of it",
            f"delete it by hand if it is yours: aws sagemaker delete-pipeline "
            f"--pipeline-name {found[0]}",
        )


def _ask(target: Target, count: int, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Ask, the local SageMaker too: what it has registered nobody else has."""
    if target.is_local and not yes:
        raise UsageError("this cannot be undone", "add --yes to delete it")
    confirm(target, f"delete these {count} things", yes)


def _said(item: Doomed) -> str:
    return f"{_WORDS[item.sort]} {item.name}"
