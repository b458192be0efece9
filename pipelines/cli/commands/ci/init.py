"""`ci init`: specs → the CloudFormation templates of everything that their accounts need."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from pipelines.cli.generating import FOLDER, Wanted, generate, wanted_options
from pipelines.cli.options import GivenPath, writing
from pipelines.cli.printing import echo
from pipelines.cli.repository import Repository
from pipelines.compile.permissions import permissions
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import ChangesPendingError, UsageError
from pipelines.files import put, real
from pipelines.infra.files import State, TemplateFile, left_over
from pipelines.infra.model import Delivery
from pipelines.infra.policies import unknown
from pipelines.infra.workflows.gitlab import ROOT_FILE


@click.command("init")
@wanted_options
@click.option(
    "-o",
    "--output",
    type=GivenPath(file_okay=False),
    default=FOLDER,
    show_default=True,
    help="Folder for the templates; nothing else in it is touched.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 6 if something would change.")
@click.option("--force", is_flag=True, help="Replace templates that were edited, too.")
def COMMAND(  # noqa: N802 - found by this name
    wanted: Wanted,
    output: Path,
    check: bool,  # noqa: FBT001 - click's flag
    force: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Write templates of what an account needs: buckets, roles, rules, CodePipeline.

    The specs' environments are released one after the other, each after the first with a person's
    approval; the account of the first one holds the CI.
    """
    made = generate(wanted, output)
    for warning in Repository(wanted.specs[0]).warnings:
        echo(f"warning: {warning}", err=True)
    _say_what_is_open(made.deliveries)
    _put((*made.templates, *made.hosted), output, check, force)
    for path in made.left:
        echo(f"{path} is no longer generated, and its jobs still run: delete it")
    if wanted.provider == "gitlab" and not any(file.path.name == ROOT_FILE for file in made.hosted):
        _say_what_to_include(made.hosted, Repository(wanted.specs[0]).root)


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
                put(file.path, file.text.encode())
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


def _say_what_to_include(files: tuple[TemplateFile, ...], root: Path) -> None:
    echo(f"{ROOT_FILE} is your own and stays as it is: add to it")
    echo("include:")
    for file in files:
        echo(f"  - local: /{real(file.path).relative_to(real(root)).as_posix()}")


def _require_all_specs(files: tuple[TemplateFile, ...], force: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Refuse to leave out a spec that a shared stack was made from."""
    lost = sorted({spec for file in files for spec in file.lost})
    if lost and not force:
        shown = " ".join(f"-f {shlex.quote(spec)}" for spec in lost)
        raise UsageError(
            f"the templates there were also made from {quoted(lost, 'and')}",
            f"add {shown}, or --force to leave them out",
        )
