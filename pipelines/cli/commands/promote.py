"""`promote`: the same version, pending, in the registry of another environment's account."""

from __future__ import annotations

import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipelines.account.promotion.promote import (
    Destination,
    carry_out,
    prepare,
    require_approved,
)
from pipelines.cli.options import ChosenSpec, GivenPath, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.project import folder_of
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.graph.resources import counterpart
from pipelines.json_types import JsonObject
from pipelines.registry.packages import approval, describe_group, named, version


@frozen
class _Side:
    """One of the two places, as the options name it.

    Args:
        chosen: which spec.
        profile: the profile of the credentials for it, None for those that boto3 finds.
        option: the option that names the profile.
    """

    chosen: ChosenSpec
    profile: str | None
    option: str


@click.command("promote")
@spec_options
@local_option
@yes_option
@click.option("--to", metavar="ENV", help="The environment whose registry gets the version.")
@click.option(
    "--to-file",
    type=GivenPath(),
    help="The spec file of the target, where it is another one.",
)
@click.option("--profile", help="AWS profile for the account that the version is in.")
@click.option("--to-profile", help="AWS profile for the account that it goes to.")
@click.argument("name", metavar="GROUP/N")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    to: str | None,
    to_file: Path | None,
    profile: str | None,
    to_profile: str | None,
    name: str,
) -> None:
    """Register an approved version in another account, where it waits for approval."""
    here = _Side(chosen, profile, "--profile")
    there = _Side(ChosenSpec(to_file or chosen.file, to), to_profile, "--to-profile")
    _require_two_places(here, there, local)
    with (
        open_target(here.chosen, local, here.profile) as source,
        open_target(there.chosen, local, there.profile) as target,
    ):
        _require_own_account(source, here)
        _require_own_account(target, there)
        made = _promote(source, target, name, yes)
        _report_approval(target, made, to_profile)


def _promote(source: CommandTarget, target: CommandTarget, name: str, yes: bool) -> JsonObject:  # noqa: FBT001 - the flag as it was given
    _require_two_registries(source, target)
    package = version(source.account, name)
    require_approved(package)
    group = counterpart(
        source.spec, target.spec, "model-package-group", package["ModelPackageGroupName"]
    )
    _require_group(target, group)
    prefix = f"s3://{target.aws.bucket}/{target.pipeline}/packages/promoted"
    destination = Destination(target.account, group, prefix)
    with TemporaryDirectory() as folder:
        promotion = prepare(source.account, destination, package, Path(folder))
        made = promotion.existing
        if made is None:
            what = f"register {named(package)} of {source.description} as a pending version"
            confirm(target, f"{what} of {group}{promotion.effect}", yes)
            made = carry_out(source.account, destination, promotion, _report)
            echo(f"{named(package)} was promoted as {named(made)} of {target.description}")
        else:
            echo(f"{named(package)} is there already: {named(made)} of {target.description}")
    return made


def _report(uri: str) -> None:
    echo(f"copied {uri}", err=True)


def _report_approval(target: CommandTarget, package: JsonObject, profile: str | None) -> None:
    """Print how it goes on from here."""
    name, status = named(package), approval(package)
    if status == "Approved":
        echo(f"{name} is Approved")
        return
    variable = f"AWS_PROFILE={shlex.quote(profile)} " if profile else ""
    command = f"{variable}python -m pipelines approve{target.flags} {shlex.quote(name)}"
    echo(f"{name} is {status}; to approve it: {command}")


def _require_two_places(here: _Side, there: _Side, local: bool) -> None:  # noqa: FBT001 - the flag as it was given
    """Refuse options that name one place twice.

    Raises:
        UsageError: they do.
    """
    if local and folder_of(here.chosen.file) == folder_of(there.chosen.file):
        raise UsageError(
            "there is one local SageMaker for each project folder, and both specs are in one",
            "name the spec of a project in another folder: --to-file ../prod/pipeline.yaml",
        )
    one, other = here.chosen, there.chosen
    if not local and (one.file, one.env) == (other.file, other.env):
        given = f"`--to {other.env}` is" if other.env else "the target is"
        raise UsageError(
            f"{given} where the version is already", "name another environment with --to ENV"
        )


def _require_two_registries(source: CommandTarget, target: CommandTarget) -> None:
    """Refuse environments that share a registry.

    Raises:
        UsageError: they do.
    """
    places = [(side.account.account_id(), side.account.region) for side in (source, target)]
    if not source.is_local and places[0] == places[1]:
        raise UsageError(
            f"both environments are in {source.description}: they share one registry",
            f"approve the version there; `deploy{target.flags}` deploys it",
        )


def _require_own_account(side: CommandTarget, place: _Side) -> None:
    """Check that the credentials for a place belong to the account of its roles.

    Raises:
        UsageError: they do not.
    """
    if side.is_local:
        return
    wanted, actual = side.aws.role.split(":")[4], side.account.account_id()
    if wanted != actual:
        flags = place.chosen.flags().strip() or str(place.chosen.file)
        raise UsageError(
            f"the credentials for {flags} belong to account {actual}, its `aws.role` to {wanted}",
            f"add {place.option} NAME with a profile for account {wanted}",
        )


def _require_group(target: CommandTarget, group: str) -> None:
    """Check that a version that is approved there will be deployed by something.

    Raises:
        UsageError: the target has no such group.
    """
    if describe_group(target.account, group) is None:
        raise UsageError(
            f"there is no model package group `{group}` in {target.description}",
            f"set the pipeline up there first: python -m pipelines upsert{target.flags}",
        )
