"""The options that select steps, for `run` and `start`, and what is said of a selection."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any

import click

from pipelines.cli.printing import echo
from pipelines.errors import UsageError
from pipelines.execution.schedule import Schedule
from pipelines.execution.selection import Selection, SelectionWords, without_condition

_AROUND = "+"


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--only`, `--select` and `--from`; the command gets what they say as `words`."""

    @click.option(
        "--only",
        multiple=True,
        metavar="STEP[,STEP]",
        help="Run only these steps, on the results of an earlier execution.",
    )
    @click.option(
        "--select",
        "selected",
        multiple=True,
        metavar="[+]STEP[+][,…]",
        help="As --only; `train+` adds what comes after a step, `+train` what comes before.",
    )
    @click.option(
        "--from",
        "source",
        metavar="EXECUTION",
        help="The execution whose results selected steps use; by default the latest that has them.",
    )
    @functools.wraps(command)
    def with_words(
        *arguments: Any,
        only: tuple[str, ...],
        selected: tuple[str, ...],
        source: str | None,
        **options: Any,
    ) -> Any:
        return command(*arguments, words=_words(only, selected, source), **options)

    return with_words


def show_selection(
    selection: Selection, definition: Schedule, left_out: Collection[str] = ()
) -> None:
    """Print what runs on what; a step that its condition does not hold back is named.

    Args:
        selection: what runs.
        definition: the definition.
        left_out: the steps that a sampled run does not run.
    """
    if left_out:
        not_run = ", ".join(name for name in definition.steps if name in left_out)
        echo(f"not run: {not_run}: a sampled run neither registers nor deploys", err=True)
    if selection.steps and selection.source is None and left_out:
        return
    echo(selection.described(), err=True)
    for name, condition in without_condition(definition, selection.steps):
        echo(f"warning: {name} runs whatever `{condition}` decides: it is not selected", err=True)


def _words(only: tuple[str, ...], selected: tuple[str, ...], source: str | None) -> SelectionWords:
    if only and selected:
        raise UsageError("--only and --select exclude each other", "put all steps into --select")
    words = tuple(word.strip() for given in (*only, *selected) for word in given.split(","))
    for word in words:
        if not word.strip(_AROUND):
            raise UsageError(f"`{','.join(only or selected)}` names no step", "write --only train")
        if only and _AROUND in word:
            raise UsageError(
                f"--only takes names of steps, and `{word}` selects others too",
                f"write --select {word}",
            )
    if source is not None and not words:
        raise UsageError(
            "--from goes with --only or --select", "name the steps to run: --only STEP"
        )
    return SelectionWords(words, source)
