"""How commands that look at a running system find it: the account of a spec, or this project's.

The local SageMaker is called in this process: no server, and no spec file, since executions of
somebody else's definition have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.cli.options import again
from pipelines.execution.caller import Caller
from pipelines.frozen import frozen
from pipelines.spec.names import deployer


@frozen
class Place:
    """A running system.

    Args:
        caller: carries out calls there.
        pipelines: the pipelines that are meant.
        flags: the options that lead other commands to it, with a space before them.
        is_interrupted: whether the execution with this ARN has lost the process that ran it.
    """

    caller: Caller
    pipelines: tuple[str, ...]
    flags: str
    is_interrupted: Callable[[str], bool] = lambda _arn: False

    @property
    def is_local(self) -> bool:
        """Whether it is the local SageMaker."""
        return self.caller.is_local


@contextmanager
def looking(file: Path, env: str | None, local: bool) -> Iterator[Place]:  # noqa: FBT001 - the flag as it was given
    """Open what a command looks at.

    Args:
        file: the spec file; for the local SageMaker only its folder counts.
        env: the overlay of `environments:`.
        local: whether `--local` was given.

    Raises:
        SpecError: the spec cannot be read; its diagnostics are printed.
        UsageError: there is no project, or the spec names no account.
        CallRefusedError: the account cannot be opened.
    """
    if not local:
        from pipelines.cli.target import open_target  # noqa: PLC0415 - loads the spec's models

        with open_target(file, env, local) as target:
            yield Place(target.gateway, pipelines_of(target.pipeline), target.flags)
        return
    from pipelines.backends.local.direct import Direct  # noqa: PLC0415 - only for --local
    from pipelines.cli.local import open_sagemaker  # noqa: PLC0415 - only for --local

    with open_sagemaker(file) as sagemaker:
        caller = Direct(sagemaker)
        listed = caller.pages("sagemaker", "list_pipelines", "PipelineSummaries")
        names = tuple(pipeline["PipelineName"] for pipeline in listed)
        yield Place(caller, names, again(file, None, local), sagemaker.is_interrupted)


def pipelines_of(name: str) -> tuple[str, ...]:
    """Name the pipelines of a spec: its own, and the one that deploys (decision 11)."""
    return (name, deployer(name))
