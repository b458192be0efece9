"""`run`: execute the compiled definition on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from pipelines.backends.local.jobs.isolation import warm_up
from pipelines.cli.options import ChosenSpec, GivenPath, spec_options
from pipelines.cli.run_request import RunRequest
from pipelines.cli.selecting import selection_options
from pipelines.cli.sizes import amount
from pipelines.errors import UsageError
from pipelines.execution.selection import SelectionWords

_FETCHED = 5 * 1000**3
"""Bytes that --fetch may read where no limit is given."""


def _with_files(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for item in given:
        step, _equals, file = item.partition("=")
        if not step or not file:
            raise UsageError(f"`--stub {item}` is not STEP=FILE", "write --stub notify=answer.json")
    return given


def _known(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if given:
        from pipelines.backends.local.simulations.reading import parse  # noqa: PLC0415 - seldom

        parse(given)
    return given


@click.command("run")
@spec_options
@click.option(
    "--local",
    is_flag=True,
    expose_value=False,
    help="Accepted for the habit: `run` is always local; `start` runs it on AWS.",
)
@click.option("-p", "--parameter", "given", multiple=True, help="NAME=VALUE of a parameter.")
@click.option(
    "--from-definition",
    "definition",
    type=GivenPath(),
    help="Run this definition JSON, whoever compiled it.",
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="latest",
    metavar="[EXECUTION]",
    help="Resume an execution that crashed or failed; without an id, the latest one.",
)
@selection_options
@click.option(
    "--sample",
    multiple=True,
    metavar="ENTRY=PERCENT%[:COLUMN]",
    help="Run on this share of an entry of `data:`; nothing is registered or deployed.",
)
@click.option(
    "--strict-requirements",
    "strict",
    is_flag=True,
    help="Lend a job only what its image is known to bring and its requirements name.",
)
@click.option(
    "--fetch",
    is_flag=True,
    help="Read s3:// inputs that are not here from S3, with your own credentials.",
)
@click.option(
    "--fetch-limit",
    "limit",
    metavar="SIZE",
    callback=lambda _context, _option, given: None if given is None else amount(given),
    help="How much --fetch may read; 5GB by default.",
)
@click.option(
    "--max-parallel", type=click.IntRange(min=1), help="How many steps run at the same time."
)
@click.option(
    "--stub",
    "stubs",
    multiple=True,
    callback=_with_files,
    help="STEP=FILE: a JSON file that stands for the result of a step.",
)
@click.option(
    "--simulate",
    "simulations",
    multiple=True,
    metavar="SIMULATION:CASE",
    callback=_known,
    help="Let happen what happens in an account: capacity:INSTANCE_TYPE, there is none of it; "
    "interruption:STEP, its spot capacity is taken away while it trains; max_wait:STEP, and does "
    "not come back.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0.1, 120),
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="How long a job has between SIGTERM and SIGKILL; 120 in SageMaker.",
)
@click.option("--no-cache", is_flag=True, help="Run every step, even where its result is cached.")
@click.option(
    "--isolation",
    type=click.Choice(["auto", "namespaces", "rewrite"]),
    default="auto",
    envvar="PIPELINES_ISOLATION",
    help="How a job gets its /opt/ml.",
)
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    given: tuple[str, ...],
    definition: Path | None,
    resume: str | None,
    words: SelectionWords,
    sample: tuple[str, ...],
    strict: bool,  # noqa: FBT001 - click's flag
    fetch: bool,  # noqa: FBT001 - as above
    limit: int | None,
    max_parallel: int | None,
    stubs: tuple[str, ...],
    simulations: tuple[str, ...],
    grace: float,
    no_cache: bool,  # noqa: FBT001 - click's flag
    isolation: Literal["auto", "namespaces", "rewrite"],
) -> None:
    """Run the pipeline on this machine: no Docker, no AWS, the compiled definition itself."""
    if limit is not None and not fetch:
        raise UsageError("`--fetch-limit` is for `--fetch`", "add --fetch, or remove it")
    warm_up(isolation)
    from pipelines.cli import running  # noqa: PLC0415 - the launchers start meanwhile

    running.run(
        RunRequest(
            chosen,
            given,
            definition,
            resume,
            max_parallel,
            stubs,
            not no_cache,
            isolation,
            words,
            sample,
            strict,
            (limit or _FETCHED) if fetch else None,
            simulations,
            grace,
        )
    )
