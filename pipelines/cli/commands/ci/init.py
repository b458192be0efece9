"""`ci init`: specs → the CloudFormation templates of everything that their accounts need."""

from __future__ import annotations

import os
import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click

from pipelines.cli.options import report, writing
from pipelines.cli.printing import echo
from pipelines.cli.repository import Repository
from pipelines.compile.permissions import permissions
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import ChangesPendingError, UsageError
from pipelines.extras import DISTRIBUTION
from pipelines.infra.files import State, TemplateFile, host_files, left_over, template_files
from pipelines.infra.model import Delivery, Options
from pipelines.infra.policies import unknown
from pipelines.infra.reading import Asked, cached_days, open_all
from pipelines.infra.stacks import stacks
from pipelines.infra.workflows.gitlab import ROOT_FILE

_FILE: Final = Path("pipeline.yaml")
_MAIN: Final = "main"
_CONNECTION: Final = re.compile(
    r"arn:aws[a-z-]*:(?:codeconnections|codestar-connections):[a-z0-9-]+:(?P<account>\d{12}):"
    r"connection/.+"
)


@click.command("init")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A spec file; repeatable. By default pipeline.yaml.",
)
@click.option(
    "--env",
    "environments",
    multiple=True,
    help="An environment to go through; repeatable, in order. By default all.",
)
@click.option(
    "--provider",
    type=click.Choice(["codepipeline", "github", "gitlab"]),
    default="codepipeline",
    show_default=True,
    help="What runs the stages.",
)
@click.option("--connection", metavar="ARN", help="A CodeConnections connection that exists.")
@click.option(
    "--source",
    type=click.Choice(["connection", "s3"]),
    default="connection",
    show_default=True,
    help="s3: a push is an upload of source.zip, where no connection can be had.",
)
@click.option("--repository", metavar="OWNER/NAME", help="By default that of the remote origin.")
@click.option("--branch", default=_MAIN, show_default=True, help="The branch that is released.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("infra"),
    show_default=True,
    help="Folder for the templates; nothing else in it is touched.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 6 if something would change.")
@click.option("--force", is_flag=True, help="Replace templates that were edited, too.")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    files: tuple[Path, ...],
    environments: tuple[str, ...],
    provider: str,
    connection: str | None,
    source: str,
    repository: str | None,
    branch: str,
    output: Path,
    check: bool,  # noqa: FBT001 - click's flag
    force: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Write templates of what an account needs: buckets, roles, rules, CodePipeline.

    The specs' environments are released one after the other, each after the first with a person's
    approval; the account of the first one holds the CI.
    """
    _require_fitting(provider, connection, source)
    specs = tuple({file.resolve(): file for file in files}.values()) or (_FILE,)
    repo = Repository(specs[0])
    options = Options(
        source=source,
        connection=connection,
        repository=repository or (repo.remote[1] if repo.remote else None),
        provider=repo.provider,
        branch=branch,
        version=version(DISTRIBUTION),
        runner=provider,
        host=repo.own_host,
    )
    _require_branch(branch, repo)
    _require_repository(options)
    templates = _relative(output, repo.root)
    asked = Asked(specs, environments, repo.root, templates, os.environ, repo.ignored)
    checked, deliveries = open_all(asked, options)
    for file, found in checked.items():
        report(found, file, err=True)
    _require_connection(options, deliveries)
    _say_what_is_open(deliveries)
    made = stacks(deliveries, options, cached_days(deliveries))
    hosted = host_files(deliveries, options, _shortest(repo.root))
    _put((*template_files(made, output, options.version), *hosted), output, check, force)
    if provider == "gitlab" and not any(file.path.name == ROOT_FILE for file in hosted):
        _say_what_to_include(hosted, repo.root)


def _put(
    files: tuple[TemplateFile, ...],
    folder: Path,
    check: bool,  # noqa: FBT001 - the flag as it was given
    force: bool,  # noqa: FBT001 - the flag as it was given
) -> None:
    """Show what changes, then write it."""
    _require_all_specs(files, force)
    for file in files:
        if file.state in {State.UPDATE, State.EDITED}:
            echo("\n".join(file.diff()))
    edited = [str(file.path) for file in files if file.state is State.EDITED]
    if edited and not force:
        raise UsageError(
            f"{quoted(edited, 'and')} {'was' if len(edited) == 1 else 'were'} edited by hand:"
            " nothing was written",
            "move the additions into files of your own, then add --force to replace it",
        )
    changed = [file for file in files if file.state is not State.UNCHANGED]
    if not check:
        with writing(folder):
            for file in changed:
                file.path.parent.mkdir(parents=True, exist_ok=True)
                file.path.write_text(file.text, "utf-8")
    _say(files, folder, check)
    if check and changed:
        raise ChangesPendingError(
            "the templates are not current", "run the command without --check"
        )


def _say(files: tuple[TemplateFile, ...], folder: Path, check: bool) -> None:  # noqa: FBT001 - the flag as it was given
    for file in files:
        pending = check and file.state is not State.UNCHANGED
        echo(f"would {file.state} {file.path}" if pending else f"{file.state.past} {file.path}")
    for path in left_over(files, folder):
        echo(f"{path} is no longer generated: delete its stack, then the file")


def _say_what_is_open(deliveries: tuple[Delivery, ...]) -> None:
    """Name what roles need on resources that only an execution knows: no template allows it."""
    for environment in (one for delivery in deliveries for one in delivery.environments):
        needed = unknown(permissions(environment.compiled, environment.aws))
        actions = sorted({f"{one.action} (step {one.step})" for one in needed})
        if actions:
            echo(
                f"{environment.compiled.pipeline} in {environment.label} also needs"
                f" {', '.join(actions)} on what only an execution knows:"
                " allow it in a policy of your own",
                err=True,
            )


def _require_fitting(provider: str, connection: str | None, source: str) -> None:
    """Refuse options that go with CodePipeline alone, or not with each other."""
    if connection is not None and source == "s3":
        raise UsageError("--connection does not go with --source s3", "remove one of them")
    if provider != "codepipeline" and (connection is not None or source == "s3"):
        given = "--source s3" if source == "s3" else "--connection"
        raise UsageError(f"{given} goes with --provider codepipeline alone", "remove one of them")


def _require_repository(options: Options) -> None:
    """Refuse roles that could not name the repository that they trust."""
    if options.runner != "codepipeline" and options.repository is None:
        raise UsageError(
            "the repository is not known: there is no remote `origin`",
            "name it with --repository OWNER/NAME; the roles trust it and no other",
        )


def _shortest(root: Path) -> Path:
    """Return a folder as people write it from here."""
    here = Path.cwd()
    return Path(os.path.relpath(root, here)) if here.is_relative_to(root) else root


def _say_what_to_include(files: tuple[TemplateFile, ...], root: Path) -> None:
    echo(f"{ROOT_FILE} is your own and stays as it is: add to it")
    echo("include:")
    for file in files:
        echo(f"  - local: /{file.path.resolve().relative_to(root.resolve()).as_posix()}")


def _require_all_specs(files: tuple[TemplateFile, ...], force: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Refuse to leave out a spec that a shared stack was made from."""
    lost = sorted({spec for file in files for spec in file.lost})
    if lost and not force:
        shown = " ".join(f"-f {shlex.quote(spec)}" for spec in lost)
        raise UsageError(
            f"the templates there were also made from {quoted(lost, 'and')}",
            f"add {shown}, or --force to leave them out",
        )


def _require_branch(name: str, repository: Repository) -> None:
    """Refuse a branch that the repository does not have: no push would ever match."""
    known = sorted(repository.branches)
    if known and name not in known:
        close = nearest(name, known)
        advice = f"did you mean `{close}`?" if close else f"it has {quoted(known, 'and')}"
        raise UsageError(
            f"the repository has no branch `{name}`, so no push would start anything",
            f"name one with --branch: {advice}",
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


def _relative(folder: Path, root: Path) -> str | None:
    path = folder.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
