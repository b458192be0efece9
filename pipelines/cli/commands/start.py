"""`start`: begin an execution of what is deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from pipelines.cli.commit import commit_of
from pipelines.cli.follow import judge, show, watch
from pipelines.cli.options import ChosenSpec, local_option, parameters, spec_options
from pipelines.cli.printing import echo
from pipelines.cli.project import folder_of, require_named
from pipelines.cli.selecting import selection_options, show_selection
from pipelines.cli.target import CommandTarget, open_target, served_api
from pipelines.compile.driver import compile_spec
from pipelines.errors import UsageError
from pipelines.execution.executions import StartRequest, deployed, start, stop
from pipelines.execution.identifiers import identifier
from pipelines.execution.schedule import read_schedule
from pipelines.execution.selection import Selection, SelectionWords
from pipelines.execution.sources import SourceQuestion, choose
from pipelines.frozen import frozen


@frozen
class _StartArguments:
    """What the command line asks for."""

    given: tuple[str, ...]
    words: SelectionWords
    wait: bool


@click.command("start")
@spec_options
@local_option
@click.option("-p", "--parameter", "given", multiple=True, help="NAME=VALUE of a parameter.")
@selection_options
@click.option("--wait", is_flag=True, help="Show the execution until it ends.")
def COMMAND(  # noqa: N802 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    given: tuple[str, ...],
    words: SelectionWords,
    wait: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Start an execution of the deployed pipeline."""
    asked = _StartArguments(given, words, wait)
    require_named(chosen.file)
    is_here = local and served_api(chosen.file) is None
    if is_here and not wait:
        raise UsageError(
            "nothing would execute it: `pipelines serve` is not running for this project",
            "add --wait to execute it here, or start `pipelines serve` first",
        )
    with open_target(chosen, local) as target:
        arn = start(target.account, _request(target, asked))
        if is_here:
            _execute_here(target, arn)
        elif wait:
            show(target.account, arn, target.flags)
        else:
            _show_how_to_follow(target, arn)


def _request(target: CommandTarget, asked: _StartArguments) -> StartRequest:
    definition = deployed(target.account, target.pipeline)
    given = parameters(asked.given)
    selection = _selection(target, asked.words, definition, given) if asked.words.words else None
    return StartRequest(
        target.pipeline,
        given,
        selection,
        _commit(target, definition),
        target.chosen.env,
    )


def _selection(
    target: CommandTarget, words: SelectionWords, definition: str, given: Mapping[str, str]
) -> Selection:
    """Determine which steps of what is deployed run, and on which results."""
    schedule = read_schedule(definition)
    compiled = compile_spec(target.chosen.request()).compiled
    origins = compiled.origins if compiled is not None else {}
    question = SourceQuestion(target.account, target.pipeline, origins)
    selection = choose(words, schedule, question).given(given)
    show_selection(selection, schedule)
    return selection


def _commit(target: CommandTarget, definition: str) -> str | None:
    """Return the commit, where what is deployed is what this checkout compiles to."""
    commit = commit_of(folder_of(target.chosen.file))
    if commit is None:
        return None
    compiled = compile_spec(target.chosen.request()).compiled
    if compiled is not None and json.loads(compiled.definition) == json.loads(definition):
        return commit
    echo(
        "what is deployed is not what this checkout compiles to: "
        f"`pipelines upsert{target.flags}` deploys it; no commit is recorded in the registry",
        err=True,
    )
    return None


def _execute_here(target: CommandTarget, arn: str) -> None:
    """Follow an execution that this process executes: Ctrl-C stops it, a second one leaves."""
    try:
        status = watch(target.account, arn)
    except KeyboardInterrupt:
        echo(
            "stopping; its jobs are being stopped; Ctrl-C again leaves at once",
            err=True,
        )
        stop(target.account, arn)
        status = watch(target.account, arn)
    judge(arn, status, target.flags)


def _show_how_to_follow(target: CommandTarget, arn: str) -> None:
    execution = identifier(arn)
    echo(f"{target.pipeline}: execution {execution}")
    echo(f"follow it: pipelines status --follow{target.flags} {execution}", err=True)
