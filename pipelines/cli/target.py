"""What a command works on: the account of the spec, or the local SageMaker, through one gateway."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import click

from pipelines.backends.aws.gateway import Gateway
from pipelines.cli.options import again, home, report, request
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled
from pipelines.compile.reading import read_spec
from pipelines.diagnostics import CheckedText
from pipelines.errors import SpecError, UsageError
from pipelines.spec.model import Aws, PipelineSpec

_NEEDED = ((), ("spec",), ("pipeline",), ("aws",))
"""The parts of a spec that say where the pipeline is: left out of it when they do not hold."""


class Target:
    """The account and the pipeline of a spec.

    Args:
        gateway: what speaks to it.
        file: the spec file.
        env: the overlay of `environments:`, None for the file as it is.
        spec: the spec, overlaid; its graph was not checked.
    """

    def __init__(self, gateway: Gateway, file: Path, env: str | None, spec: PipelineSpec) -> None:
        self.gateway = gateway
        self.file = file
        self.env = env
        self.spec = spec

    @property
    def is_local(self) -> bool:
        """Whether it is the local SageMaker."""
        return self.gateway.is_local

    @property
    def flags(self) -> str:
        """The options that lead other commands here, with a space before them."""
        return again(self.file, self.env, self.is_local)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.spec.pipeline

    @property
    def aws(self) -> Aws:
        """The `aws:` of the spec; a placeholder where the local SageMaker needs none."""
        return self.spec.aws or Aws()

    @cached_property
    def description(self) -> str:
        """Where it is, for people: `account 111122223333, region eu-central-1`."""
        if self.is_local:
            return f"the local SageMaker in {self.file.parent / '.pipelines'}"
        return f"account {self.gateway.account_id()}, region {self.gateway.region}"

    @cached_property
    def compiled(self) -> Compiled:
        """The compiled spec; its diagnostics are printed.

        Raises:
            SpecError: the spec does not hold.
        """
        result = compile_spec(request(self.file, self.env))
        report(result.checked, self.file, err=True, account=not self.is_local)
        if result.compiled is None:
            message = "a spec without errors was not compiled"
            raise AssertionError(message)
        return result.compiled


@contextmanager
def open_target(file: Path, env: str | None, local: bool) -> Iterator[Target]:  # noqa: FBT001 - the flag as it was given
    """Open what a command works on.

    A local target is the running `serve` of the project, else an API that lives as long as this
    context and executes what is started through it; the bucket of the spec is made there.

    Raises:
        SpecError: the spec cannot be read; its diagnostics are printed.
        UsageError: it has no `aws:` and `local` was not given.
        CallRefusedError: there is no region or profile.
    """
    spec = _spec(file, env)
    if local:
        with _local_url(file) as url:
            target = Target(Gateway.local(url), file, env, spec)
            target.gateway.call("s3", "create_bucket", Bucket=target.aws.bucket)
            yield target
        return
    if spec.aws is None:
        raise UsageError(
            f"{file} has no `aws:`: it is not said which account the pipeline goes to",
            "add `aws:` with region, role and bucket, or add --local for the local SageMaker",
        )
    yield Target(Gateway.open(spec.aws, os.environ), file, env, spec)


def confirm(target: Target, effect: str, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Say what will happen where, and ask; the local SageMaker asks nothing.

    Args:
        target: where.
        effect: what, as a sentence without a full stop: `delete the pipeline churn`.
        yes: whether `--yes` was given.

    Raises:
        UsageError: the answer was no, or there is no terminal and no `--yes`.
    """
    if target.is_local:
        return
    click.echo(f"{effect} in {target.description}", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", "add --yes to go on without a question")
    if not click.confirm("Go on?", err=True):
        raise UsageError("nothing was changed")


@contextmanager
def _local_url(file: Path) -> Iterator[str]:
    from pipelines.backends.local.api import presence, running  # noqa: PLC0415 - only for --local
    from pipelines.cli.local import open_sagemaker  # noqa: PLC0415 - only for --local

    served = presence.find(home(file))
    if served is not None:
        yield served
        return
    with open_sagemaker(file) as sagemaker, running(sagemaker, execute=True) as url:
        yield url


def _spec(file: Path, env: str | None) -> PipelineSpec:
    """Read a spec without looking at its graph or its files: `stop` works on a broken one too."""
    read = read_spec(request(file, env))
    text = CheckedText(read.parsed.text, read.parsed.findings)
    found = read.loaded.findings if read.loaded else ()
    if read.spec is None or text.failed or any(one.path[:1] in _NEEDED for one in found):
        report(CheckedText(text.text, read.diagnostics), file, err=True)
        raise SpecError("")
    return read.spec
