"""The one door to where a command works: the account of a spec, or the local SageMaker.

- `open_target` for commands that change something: the account, or the local SageMaker through
  its HTTP API, that of a running `serve` where there is one.
- `open_scope` (`cli/scope.py`) for commands that only look.
- `open_sagemaker` for `run` and `serve`, which are the local SageMaker.
- `open_account` for `ci`, whose templates say where they go.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pipelines.cli.options import ChosenSpec, report
from pipelines.cli.printing import echo
from pipelines.cli.project import home_of, require_folder
from pipelines.errors import SpecError, UsageError
from pipelines.json_types import JsonObject
from pipelines.spec.names import COPY_OF

if TYPE_CHECKING:
    from pipelines.account.account import Account
    from pipelines.backends.local.pruning.prune import LocalPruning
    from pipelines.backends.local.sagemaker import LocalSageMaker
    from pipelines.backends.local.settings import LocalApi
    from pipelines.compile.model import Compiled
    from pipelines.spec.model import Aws, PipelineSpec

_CALLERS: Mapping[str, Literal["auto", "user", "signature"]] = {
    "auto": "auto",
    "user": "user",
    "signature": "signature",
}
_NEEDED = ((), ("spec",), ("pipeline",), ("aws",))
"""The parts of a spec that locate the pipeline: where one is wrong, no command can go on."""


class CommandTarget:
    """The account and the pipeline of a spec.

    Args:
        account: the account, or the local SageMaker in its place.
        chosen: which spec.
        spec: the spec, overlaid; its graph was not checked.
    """

    def __init__(self, account: Account, chosen: ChosenSpec, spec: PipelineSpec) -> None:
        self.account = account
        self.chosen = chosen
        self.spec = spec

    @property
    def is_local(self) -> bool:
        """Whether it is the local SageMaker."""
        return self.account.is_local

    @property
    def flags(self) -> str:
        """The options with which another command works here too, with a space before them."""
        return self.chosen.flags(local=self.is_local)

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.spec.pipeline

    @property
    def aws(self) -> Aws:
        """The `aws:` of the spec; a placeholder where the local SageMaker needs none."""
        from pipelines.spec.model import Aws  # noqa: PLC0415 - costs pydantic's models

        return self.spec.aws or Aws()

    @property
    def copy_of(self) -> str | None:
        """The original of a copy (`--as`); None for the pipeline itself."""
        return self.aws.tags.get(COPY_OF)

    @cached_property
    def description(self) -> str:
        """Where it is, for people: `account 111122223333, region eu-central-1`."""
        if self.is_local:
            return f"the local SageMaker in {self.chosen.file.parent / '.pipelines'}"
        return f"account {self.account.account_id()}, region {self.account.region}"

    def where(self) -> JsonObject:
        """Return where it is, for machines."""
        return {
            "account": self.account.account_id(),
            "region": self.account.region,
            "local": self.is_local,
        }

    @cached_property
    def compiled(self) -> Compiled:
        """The compiled spec; its diagnostics are printed.

        Raises:
            SpecError: the spec has errors.
        """
        from pipelines.compile.driver import compile_spec  # noqa: PLC0415 - most commands need none

        result = compile_spec(self.chosen.request())
        report(result.checked, self.chosen.file, err=True, account=not self.is_local)
        if result.compiled is None:
            message = "a spec without errors was not compiled"
            raise AssertionError(message)
        return result.compiled


def open_reader(chosen: ChosenSpec | None) -> Account:
    """Open the account of the environment's credentials, to read objects of whatever bucket.

    Args:
        chosen: the spec whose region calls go to, if it names one; None for the environment's.

    Raises:
        SpecError: the spec cannot be read.
        CallRefusedError: there is no such profile.
        UsageError: boto3 is not installed.
    """
    named = _spec(chosen).aws if chosen is not None else None
    environ = os.environ
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return open_account(named.region if named is not None else region)


@contextmanager
def open_target(
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - the flag as it was given
    profile: str | None = None,
) -> Iterator[CommandTarget]:
    """Open what a command works on; an account with a profile, or with what boto3 finds.

    A local target is the running `serve` of the project, else an API that lives as long as this
    context and executes what is started through it; the bucket of the spec is made there.

    Raises:
        SpecError: the spec cannot be read; its diagnostics are printed.
        UsageError: it has no `aws:` and `local` was not given.
        CallRefusedError: there is no region or profile.
    """
    from pipelines.backends.aws.gateway import Gateway  # noqa: PLC0415 - not for local scopes

    spec = _spec(chosen)
    if local:
        with _local_api(chosen.file) as api:
            key = api.credentials.access_key, api.credentials.secret_key
            target = CommandTarget(Gateway.local(api.url, key), chosen, spec)
            target.account.call("s3", "create_bucket", Bucket=target.aws.bucket)
            yield target
        return
    if spec.aws is None:
        raise UsageError(
            f"{chosen.file} has no `aws:`: no target account is given",
            "add `aws:` with region, role and bucket, or add --local for the local SageMaker",
        )
    environ = {**os.environ, **({"AWS_PROFILE": profile} if profile else {})}
    yield CommandTarget(Gateway.open(spec.aws, environ), chosen, spec)


def open_account(region: str) -> Account:
    """Open the account of the credentials in a region: of templates, which hold no `aws:`.

    Raises:
        CallRefusedError: there is no such profile.
        UsageError: boto3 is not installed.
    """
    from pipelines.backends.aws.gateway import Gateway  # noqa: PLC0415 - not for local scopes
    from pipelines.spec.model import Aws  # noqa: PLC0415 - costs pydantic's models

    return Gateway.open(Aws(region=region), os.environ)


def open_sagemaker(
    file: Path, isolation: Literal["auto", "namespaces", "rewrite"] = "auto", grace: float = 10.0
) -> LocalSageMaker:
    """Open the local SageMaker of the project that a spec file belongs to.

    `PIPELINES_CALLERS` sets how its API recognises callers, where that must be chosen.

    Raises:
        UsageError: there is no such project, or its `.pipelines` cannot be used.
    """
    from pipelines.backends.local.sagemaker import LocalSageMaker  # noqa: PLC0415 - only for --local
    from pipelines.backends.local.settings import LocalSettings  # noqa: PLC0415 - only here

    _conceal_secrets(os.environ)
    callers = _CALLERS.get(os.environ.get("PIPELINES_CALLERS") or "auto")
    if callers is None:
        raise UsageError(
            "PIPELINES_CALLERS is not valid", f"set it to one of {', '.join(_CALLERS)}"
        )
    require_folder(file)
    return LocalSageMaker(
        LocalSettings(home_of(file), Path(sys.executable), isolation, callers=callers, grace=grace)
    )


def _conceal_secrets(environ: Mapping[str, str]) -> None:
    """Keep jobs, which run as the same user, from reading AWS keys out of this process."""
    if any(name in environ for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")):
        from pipelines.backends.local.jobs.launcher.processes import conceal_process  # noqa: PLC0415 - seldom

        conceal_process()


@contextmanager
def open_pruning(file: Path) -> Iterator[LocalPruning]:
    """Open what prunes the local SageMaker of a project.

    Raises:
        UsageError: its `.pipelines` cannot be used.
    """
    from pipelines.backends.local.pruning.prune import LocalPruning  # noqa: PLC0415 - only for --local
    from pipelines.backends.local.state.local_state import LocalState  # noqa: PLC0415 - as above

    with LocalState(home_of(file)) as state:
        yield LocalPruning(home_of(file), state)


def served_api(file: Path) -> LocalApi | None:
    """Return where the `serve` is that runs for a project; None where none does."""
    from pipelines.backends.local.api import presence  # noqa: PLC0415 - only for --local

    return presence.find(home_of(file))


def confirm(target: CommandTarget, effect: str, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Print what will happen where, and ask; the local SageMaker asks nothing.

    Args:
        target: where.
        effect: what, as a sentence without a full stop: `delete the pipeline churn`.
        yes: whether `--yes` was given.

    Raises:
        UsageError: the answer was no, or there is no terminal and no `--yes`.
    """
    if not target.is_local:
        ask(f"{effect} in {target.description}", yes)


def ask(effect: str, yes: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Print what will happen, and ask.

    Args:
        effect: what and where, as a sentence without a full stop.
        yes: whether `--yes` was given.

    Raises:
        UsageError: the answer was no, or there is no terminal and no `--yes`.
    """
    echo(effect, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for confirmation", "add --yes to confirm")
    if not click.confirm("Continue?", err=True):
        raise UsageError("nothing was changed")


@contextmanager
def _local_api(file: Path) -> Iterator[LocalApi]:
    from pipelines.backends.local.api import running  # noqa: PLC0415 - only for --local

    served = served_api(file)
    if served is not None:
        yield served
        return
    with open_sagemaker(file) as sagemaker, running(sagemaker, execute=True) as api:
        yield api


def _spec(chosen: ChosenSpec) -> PipelineSpec:
    """Read a spec without checking its graph or its files: `stop` works on a broken one too."""
    from pipelines.compile.reading import read_spec  # noqa: PLC0415 - not for local scopes
    from pipelines.diagnostics import CheckedText  # noqa: PLC0415 - as above

    read = read_spec(chosen.request())
    text = CheckedText(read.parsed.text, read.parsed.findings)
    found = read.loaded.findings if read.loaded else ()
    if read.spec is None or text.failed or any(one.path[:1] in _NEEDED for one in found):
        report(CheckedText(text.text, read.diagnostics), chosen.file, err=True)
        raise SpecError("")
    return read.spec
