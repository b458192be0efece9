"""`debug`: one step in this terminal, on the inputs of an earlier execution."""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

import click

from pipelines.cli.options import ChosenSpec, spec_options


class _How(TypedDict):
    """The options that say how the step is run."""

    isolation: Literal["auto", "namespaces", "rewrite"]
    port: int | None


@click.command("debug")
@spec_options
@click.option(
    "--local",
    is_flag=True,
    expose_value=False,
    help="Accepted for the habit: `debug` is always local.",
)
@click.option(
    "--from",
    "source",
    metavar="EXECUTION",
    help="The execution whose results the step reads; by default the latest that has them.",
)
@click.option("-p", "--parameter", "given", multiple=True, help="NAME=VALUE of a parameter.")
@click.option(
    "--isolation",
    type=click.Choice(["auto", "namespaces", "rewrite"]),
    default="auto",
    envvar="PIPELINES_ISOLATION",
    help="How the job gets its /opt/ml.",
)
@click.option(
    "--listen",
    "port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Wait for an editor's debugger to attach (debugpy).",
)
@click.argument("step")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    source: str | None,
    given: tuple[str, ...],
    step: str,
    **how: Unpack[_How],
) -> None:
    """Run one step in this terminal: `breakpoint()` works, and its /opt/ml stays.

    The job is that of `run`, on the results of an earlier execution. Nothing of it enters an
    execution, the cache or the registry. It is one process, without a time limit.
    """
    from pipelines.cli import debugging  # noqa: PLC0415 - it imports the local SageMaker

    debugging.run(debugging.Asked(chosen, step, source, given, **how))
