"""What `ci init` is asked for → templates, compared with what is in their folder.

The head of each template holds the options that it was made with, so that `ci plan` and `ci apply`
can make it once more and see whether it is current.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from pipelines.cli.options import GivenPath, parameters, report
from pipelines.cli.repository import Repository
from pipelines.cli.repository_checks import require_branch, require_repository
from pipelines.cli.trial import with_trials
from pipelines.errors import UsageError
from pipelines.files import real
from pipelines.frozen import frozen
from pipelines.infra.files import (
    StackFile,
    TemplateFile,
    host_files,
    hosted_left_over,
    template_files,
)
from pipelines.infra.model import Delivery, Options, Stack
from pipelines.infra.reading import Asked, cached_days, open_all
from pipelines.infra.stacks import stacks, twice
from pipelines.infra.wheel import Wheel, tool_wheel

FOLDER: Final = Path("infra")
_FILE: Final = Path("pipeline.yaml")
_MAIN: Final = "main"
_CODEPIPELINE: Final = "codepipeline"
_CONNECTION: Final = re.compile(
    r"arn:aws[a-z-]*:(?:codeconnections|codestar-connections):[a-z0-9-]+:(?P<account>\d{12}):"
    r"connection/.+"
)


@frozen
class Wanted:
    """What is to be generated; one field for each option of `ci init`.

    Args:
        files: the specs; none for pipeline.yaml.
        environments: those to go through, in order; none for all.
        provider: what runs the stages.
        connection: the ARN of a connection that exists.
        source: `connection` or `s3`.
        repository: `owner/name`; None for that of the remote origin.
        branch: the branch that is released.
        sample: shares of data that the builds try the pipeline on.
        parameters: of that run.
    """

    files: tuple[Path, ...]
    environments: tuple[str, ...]
    provider: str
    connection: str | None
    source: str
    repository: str | None
    branch: str
    sample: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def specs(self) -> tuple[Path, ...]:
        """The spec files, each once."""
        return tuple({real(file): file for file in self.files}.values()) or (_FILE,)

    def command(self, repository: Path, folder: Path) -> str:
        """Return the command that generates it again, in the root of the repository."""
        options = (
            *(("-f", _relative(file, repository) or str(file)) for file in self.specs),
            *(("--env", name) for name in self.environments),
            ("--provider", self.provider),
            ("--connection", self.connection),
            ("--source", self.source),
            ("--repository", self.repository),
            ("--branch", self.branch),
            *(("--sample", text) for text in self.sample),
            *(("-p", text) for text in self.parameters),
            ("-o", _relative(folder, repository)),
        )
        given = (one for one in options if one[1] is not None and one not in _DEFAULTS)
        words = (word for option in given for word in option if word is not None)
        return shlex.join(("python", "-m", "pipelines", "ci", "init", *words))


_DEFAULTS: Final = {
    ("-f", str(_FILE)),
    ("--provider", _CODEPIPELINE),
    ("--source", "connection"),
    ("--branch", _MAIN),
    ("-o", str(FOLDER)),
}


def wanted_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `ci init`; the command gets them as `wanted`."""
    names = Wanted.__dataclass_fields__

    @functools.wraps(command)
    def with_wanted(**options: Any) -> Any:
        given = parameters(options.pop("parameters"))
        written = tuple(f"{name}={value}" for name, value in given.items())
        wanted = Wanted(
            **{"parameters": written} | {n: options.pop(n) for n in names if n in options}
        )
        return command(wanted=wanted, **options)

    for option in reversed(_OPTIONS):
        with_wanted = option(with_wanted)
    return with_wanted


def read_command(text: str, repository: Path) -> Wanted:
    """Read what `Wanted.command` wrote."""
    words = shlex.split(text)[5:]
    chosen: Wanted = _read.main(args=words, standalone_mode=False)
    files = tuple(Path(os.path.relpath(repository / file)) for file in chosen.specs)
    return Wanted(
        **{name: getattr(chosen, name) for name in chosen.__dataclass_fields__} | {"files": files}
    )


@frozen
class Generated:
    """What was made.

    Args:
        templates: of the stacks, in the order in which these are made.
        hosted: the files that GitHub or GitLab reads.
        deliveries: what they were made of.
        options: with which.
        tool: the wheel that the builds install.
        left: files of another provider that would still be read.
    """

    templates: tuple[StackFile, ...]
    hosted: tuple[TemplateFile, ...]
    deliveries: tuple[Delivery, ...]
    options: Options
    tool: Wheel
    left: tuple[Path, ...] = ()


def generate(wanted: Wanted, folder: Path) -> Generated:
    """Make the templates, and print what is wrong with the specs.

    Raises:
        SpecError: a spec cannot be delivered; its diagnostics are printed.
        UsageError: the options do not go together, or do not fit the repository.
    """
    _require_fitting(wanted.provider, wanted.connection, wanted.source)
    repo, tool = Repository(wanted.specs[0]), tool_wheel()
    options = Options(
        source=wanted.source,
        connection=wanted.connection,
        repository=wanted.repository or (repo.remote[1] if repo.remote else None),
        provider=repo.provider,
        branch=wanted.branch,
        version=tool.version,
        digest=tool.digest,
        runner=wanted.provider,
        host=repo.own_host,
        command=wanted.command(repo.root, folder),
    )
    require_branch(wanted.branch, repo)
    require_repository(options, repo, wanted.repository)
    templates = _relative(folder, repo.root)
    names = tuple(dict.fromkeys(wanted.environments))
    asked = Asked(wanted.specs, names, repo.root, templates, os.environ, repo.ignored)
    checked, deliveries = open_all(asked, options)
    for file, found in checked.items():
        report(found, file, err=True)
    _require_connection(options, deliveries)
    deliveries = with_trials(deliveries, wanted.sample, wanted.parameters, repo)
    made = stacks(deliveries, options, cached_days(deliveries))
    _require_apart(made)
    root = _shortest(repo.root)
    hosted = host_files(deliveries, options, root)
    return Generated(
        template_files(made, folder, options),
        hosted,
        deliveries,
        options,
        tool,
        tuple(hosted_left_over(hosted, deliveries, root)),
    )


def _require_fitting(provider: str, connection: str | None, source: str) -> None:
    """Refuse options that go with CodePipeline alone, or not with each other."""
    if connection is not None and source == "s3":
        raise UsageError("--connection does not go with --source s3", "remove one of them")
    if provider != "codepipeline" and (connection is not None or source == "s3"):
        given = "--source s3" if source == "s3" else "--connection"
        raise UsageError(f"{given} goes with --provider codepipeline alone", "remove one of them")


def _shortest(root: Path) -> Path:
    """Return a folder as people write it from here."""
    here = Path.cwd()
    return Path(os.path.relpath(root, here)) if here.is_relative_to(root) else root


def _require_apart(made: tuple[Stack, ...]) -> None:
    """Refuse a name of the spec's that something of the tool's own has, too."""
    found = next(twice(made), None)
    if found is not None:
        raise UsageError(
            f"two resources would have one name: {found}",
            "give another name to the one that `aws:` names, or to the pipeline",
        )


def _require_connection(options: Options, deliveries: tuple[Delivery, ...]) -> None:
    """Refuse a connection that is none, or is of another account than the CI."""
    if options.connection is None:
        return
    found = _CONNECTION.fullmatch(options.connection)
    if found is None:
        raise UsageError(
            f"{options.connection} is not the ARN of a connection",
            "such as arn:aws:codeconnections:us-east-1:111122223333:connection/<id>",
        )
    for delivery in deliveries:
        account = delivery.first.place.account
        if found["account"] != account:
            raise UsageError(
                f"the connection is in account {found['account']}, the CI of"
                f" {delivery.file} in {account}",
                "use a connection of that account, or choose environments with --env",
            )


def _relative(path: Path, root: Path) -> str | None:
    found = real(path)
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else None


_OPTIONS: Final = (
    click.option(
        "-f",
        "--file",
        "files",
        multiple=True,
        type=GivenPath(),
        help="A spec file; repeatable. By default pipeline.yaml.",
    ),
    click.option(
        "--env",
        "environments",
        multiple=True,
        help="An environment to go through; repeatable, in order. By default all.",
    ),
    click.option(
        "--provider",
        type=click.Choice([_CODEPIPELINE, "github", "gitlab"]),
        default=_CODEPIPELINE,
        show_default=True,
        help="What runs the stages.",
    ),
    click.option("--connection", metavar="ARN", help="A CodeConnections connection that exists."),
    click.option(
        "--source",
        type=click.Choice(["connection", "s3"]),
        default="connection",
        show_default=True,
        help="s3: a push is an upload of source.zip, where no connection can be had.",
    ),
    click.option(
        "--repository", metavar="OWNER/NAME", help="By default that of the remote origin."
    ),
    click.option("--branch", default=_MAIN, show_default=True, help="The branch that is released."),
    click.option(
        "--sample",
        multiple=True,
        metavar="ENTRY=PERCENT%",
        help="The builds run the pipeline on a sample, too, as run --sample; repeatable.",
    ),
    click.option(
        "-p",
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of the run on samples; repeatable.",
    ),
)


@click.command("init")
@wanted_options
@click.option("-o", "--output", expose_value=False)
def _read(wanted: Wanted) -> Wanted:
    return wanted
