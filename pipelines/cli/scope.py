"""What a command that only looks looks at: pipelines, in the account of a spec or here.

Locally it looks in this process, with no server and no boto3. It means the pipelines of the spec;
without one all: foreign definitions have no spec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.options import ChosenSpec
from pipelines.cli.project import pipelines_named, require_project
from pipelines.cli.target import open_sagemaker, open_target
from pipelines.errors import UsageError
from pipelines.execution.caller import Caller
from pipelines.execution.executions import executions, find
from pipelines.execution.identifiers import generations_back, identifier
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.sagemaker import LocalSageMaker


@frozen
class Scope:
    """What a command looks at: pipelines, and who answers for them.

    Args:
        caller: carries out calls there.
        pipelines: the pipelines whose executions are meant.
        flags: the options with which another command looks here too, with a space before them.
        others: further pipelines there; an execution of one is found by its id only.
        is_interrupted: whether the execution with this ARN has lost the process that ran it.
        path_of: the file or folder that an S3 URI is on this machine; None in an account.
        account: the account; None for the local SageMaker.
    """

    caller: Caller
    pipelines: tuple[str, ...]
    flags: str
    others: tuple[str, ...] = ()
    is_interrupted: Callable[[str], bool] = lambda _arn: False
    path_of: Callable[[str], Path | None] = lambda _uri: None
    account: Account | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is the local SageMaker."""
        return self.caller.is_local

    @property
    def how_to_begin(self) -> str:
        """The command that starts an execution."""
        if self.is_local:
            return f"python -m pipelines run{self.flags.removesuffix(' --local')}"
        return f"pipelines start{self.flags}"

    def find(self, execution: str) -> JsonObject:
        """Describe an execution: `latest` or `latest~1` of these pipelines, any by id or ARN.

        Raises:
            UsageError: there is none.
        """
        if generations_back(execution) is None:
            return find(self.caller, (*self.pipelines, *self.others), execution)
        if not executions(self.caller, self.pipelines, 1):
            raise self.no_execution()
        return find(self.caller, self.pipelines, execution)

    def elsewhere(self) -> list[JsonObject]:
        """Return the latest execution of each further pipeline that has one."""
        return [latest for name in self.others for latest in executions(self.caller, (name,), 1)]

    def no_execution(self) -> UsageError:
        """Return the error that these pipelines have no execution; it names those that have."""
        has = [f"{identifier(one)} of {one['PipelineName']}" for one in self.elsewhere()]
        others = f"; of other pipelines there is {', '.join(has)}" if has else ""
        whose = f"the pipeline {self.pipelines[0]} has" if self.pipelines else "there are"
        return UsageError(
            f"{whose} no executions yet", f"run the pipeline: {self.how_to_begin}{others}"
        )


@contextmanager
def open_scope(chosen: ChosenSpec, local: bool) -> Iterator[Scope]:  # noqa: FBT001 - the flag as it was given
    """Open what a command looks at.

    Args:
        chosen: the spec; for the local SageMaker only its folder and the pipeline's name count.
        local: whether `--local` was given.

    Raises:
        SpecError: the spec cannot be read; its diagnostics are printed.
        UsageError: there is no project, or the spec names no account.
        CallRefusedError: the account cannot be opened.
    """
    if local:
        require_project(chosen.file)
        with open_sagemaker(chosen.file) as sagemaker:
            yield local_scope(sagemaker, chosen)
    else:
        with open_target(chosen, local) as target:
            from pipelines.graph.resources import pipelines_made  # noqa: PLC0415 - reads a spec

            named = pipelines_made(target.spec)
            yield Scope(target.account, named, target.flags, account=target.account)


def local_scope(sagemaker: LocalSageMaker, chosen: ChosenSpec) -> Scope:
    """Look at the pipelines of a spec in a local SageMaker, at all where there is no such spec.

    Raises:
        UsageError: the spec has no environment of that name.
    """
    from pipelines.backends.local.local_caller import LocalCaller  # noqa: PLC0415 - only for --local

    caller = LocalCaller(sagemaker)
    listed = caller.pages("sagemaker", "list_pipelines", "PipelineSummaries")
    there = tuple(pipeline["PipelineName"] for pipeline in listed)
    named = pipelines_named(chosen.file, chosen.env, chosen.copy)
    others = tuple(name for name in there if name not in named) if named else ()
    flags = chosen.flags(local=True)
    return Scope(
        caller,
        named or there,
        flags,
        others,
        sagemaker.is_interrupted,
        sagemaker.objects.path_of,
    )
