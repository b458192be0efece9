"""`run --fetch`: show what an execution reads from S3 and this machine lacks, and fetch it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.fetching.fetch import Fetcher, fetching_alone
from pipelines.backends.local.fetching.planning import (
    FetchPlan,
    PlannedInput,
    Planner,
    RemoteObject,
    named_by_manifest,
)
from pipelines.backends.local.fetching.wanted import wanted_inputs
from pipelines.cli.printing import echo
from pipelines.cli.sizes import at_least, size
from pipelines.errors import UsageError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.sagemaker import LocalSageMaker

_STEP: Final = 1 << 26
"""Bytes after which progress is printed again."""


@frozen
class FetchedRun:
    """What is to run.

    Args:
        definition: the definition JSON.
        parameters: the values that are given.
        without: the steps that do not run.
        account: opens whose credentials are used.
        limit: how many bytes may be read.
    """

    definition: str
    parameters: Mapping[str, str]
    without: Container[str]
    account: Callable[[], Account]
    limit: int


def fetch_inputs(sagemaker: LocalSageMaker, asked: FetchedRun) -> None:
    """Fetch what an execution reads from S3, with the user's own credentials; only reads.

    Raises:
        UsageError: there is nothing there, or more than the limit; nothing was read.
        CallRefusedError: S3 cannot be read.
    """
    wanted = wanted_inputs(asked.definition, asked.parameters, asked.without)
    objects = sagemaker.objects
    account = asked.account()
    with fetching_alone(sagemaker.settings.home):
        planner = Planner(account, objects)
        plan = planner.plan(wanted)
        fetcher = Fetcher(account, objects, planner)
        _carry_out(fetcher, plan, asked.limit)
        manifests = [one for one in wanted if one.is_manifest and objects.exists(one.uri)]
        named = [
            each for one in manifests for each in named_by_manifest(one, objects.get_bytes(one.uri))
        ]
        if named:
            _carry_out(fetcher, planner.plan(named), asked.limit - plan.size)


def _carry_out(fetcher: Fetcher, plan: FetchPlan, limit: int) -> None:
    for one in plan.inputs:
        _show(one)
    if plan.size > limit:
        raise UsageError(
            f"--fetch would read {size(plan.size)}, which is more than {size(limit)}",
            f"write --fetch-limit {at_least(plan.size)}, or name a smaller prefix in the spec",
        )
    if not plan.lacking and not plan.gone:
        return
    fetcher.fetch(plan, _Progress(plan))
    if plan.lacking:
        echo(f"fetched {_counted(len(plan.lacking))}, {size(plan.size)}", err=True)


def _show(planned: PlannedInput) -> None:
    """Print an input: where, how much, and what of it is read."""
    whole = f"{planned.wanted.uri}: {_counted(len(planned.objects))}, {size(planned.size)} in S3"
    lacking = sum(one.size for one in planned.lacking)
    if not planned.lacking:
        read = "nothing has changed since it was fetched"
    elif len(planned.lacking) == len(planned.objects):
        read = "all of it is read"
    else:
        read = f"{_counted(len(planned.lacking))}, {size(lacking)} of it are read"
    echo(f"{whole}; {read}", err=True)
    for uri in planned.gone:
        echo(f"{uri} is not in S3 any more: it is removed here", err=True)
    for uri in planned.edited:
        echo(f"{uri} stays as it is: it was changed here; remove it to fetch it again", err=True)


class _Progress:
    """Prints how far a fetch is, on a terminal."""

    def __init__(self, plan: FetchPlan) -> None:
        self._whole = plan.size
        self._read = self._said = 0

    def __call__(self, fetched: RemoteObject) -> None:
        self._read += fetched.size
        if sys.stderr.isatty() and self._read - self._said >= _STEP:
            self._said = self._read
            echo(f"  {size(self._read)} of {size(self._whole)}", err=True)


def _counted(count: int) -> str:
    return f"{count:,} object" + ("" if count == 1 else "s")
