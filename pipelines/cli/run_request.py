"""What `run` is asked for, and what of it does not fit together."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pipelines.cli.options import ChosenSpec
from pipelines.errors import UsageError
from pipelines.execution.selection import SelectionWords
from pipelines.frozen import frozen


@frozen
class RunRequest:
    """What is asked for, as it stands on the command line.

    Args:
        chosen: the spec; the folder of its file is the project.
        given: parameters as NAME=VALUE.
        definition: the definition JSON to run instead of the spec file.
        resume: the execution to go on with, or `latest`.
        max_parallel: how many steps run at the same time.
        stubs: answers as STEP=FILE.
        cache: whether results may be taken from the cache.
        isolation: how a job gets its /opt/ml.
        words: which steps alone are to run, and on the results of which execution.
        sample: shares of entries of `data:`, as ENTRY=PERCENT%.
        strict: whether jobs are lent only what their images and requirements bring.
        fetch: how many bytes of inputs may be read from S3; None to read none.
        simulations: what happens as in an account, each SIMULATION:CASE.
        grace: seconds that a job has between SIGTERM and SIGKILL.
    """

    chosen: ChosenSpec
    given: tuple[str, ...]
    definition: Path | None
    resume: str | None
    max_parallel: int | None
    stubs: tuple[str, ...]
    cache: bool
    isolation: Literal["auto", "namespaces", "rewrite"]
    words: SelectionWords = SelectionWords()
    sample: tuple[str, ...] = ()
    strict: bool = False
    fetch: int | None = None
    simulations: tuple[str, ...] = ()
    grace: float = 10.0

    @property
    def uses_cache(self) -> bool:
        """Whether results may be taken from the cache: not where a step is to be tried."""
        return self.cache and not self.words.words and not self.strict

    @property
    def command(self) -> str:
        """The command that asks for the same again; what is given with `-p` apart."""
        selected = (",".join(self.words.words),) if self.words.words else ()
        definition = (str(self.definition),) if self.definition is not None else ()
        return (
            f"pipelines run{self.chosen.flags()}{_option('--from-definition', definition)}"
            f"{_option('--select', selected)}{_option('--stub', self.stubs)}"
            f"{_option('--sample', self.sample)}{' --strict-requirements' if self.strict else ''}"
            f"{'' if self.fetch is None else ' --fetch'}"
            f"{_option('--simulate', self.simulations)}"
        )


def _option(name: str, values: Iterable[str]) -> str:
    return "".join(f" {name} {shlex.quote(value)}" for value in values)


def check_request(asked: RunRequest) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: an execution that is resumed keeps what it was started with; what is sampled
            or restricted must be compiled now.
    """
    resumed = asked.resume is not None
    if resumed and (asked.given or asked.definition or asked.chosen.env or asked.words.words):
        raise UsageError(
            "`--resume` keeps the definition and the parameters of the execution",
            "remove -p, --env, --from-definition, --only and --select, or start a new execution"
            " without --resume",
        )
    other = "--from-definition" if asked.definition is not None else None
    other = "--resume" if resumed else other
    for option, given in (("--sample", asked.sample), ("--strict-requirements", asked.strict)):
        if given and other is not None:
            raise UsageError(f"{option} and {other} exclude each other", "remove one of them")
