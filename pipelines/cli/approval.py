"""Approving and rejecting: the registry first, then the endpoints that follow it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pipelines.account.pipelines import describe, has_rule
from pipelines.cli.deployments import (
    Reconciled,
    reconcile_deployments,
    require_success,
    show_how_to_invoke,
)
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.graph.resources import names_made
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import deployments
from pipelines.programs.deploy.reconcile import Options
from pipelines.registry.packages import approval, named, set_approval, version
from pipelines.spec.names import copied, deployer


@frozen
class ApprovalDecision:
    """What is decided about a version.

    Args:
        name: the version, `group/number`.
        status: `Approved` or `Rejected`.
        reason: why, kept as the ApprovalDescription.
        yes: whether `--yes` was given.
    """

    name: str
    status: str
    reason: str | None
    yes: bool


def command(name: str, status: str, summary: str) -> click.Command:
    """Make the command that takes a decision."""

    @click.command(name, help=summary)
    @spec_options
    @local_option
    @yes_option
    @click.option("--reason", help="Why; kept with the version.")
    @click.argument("version", metavar="GROUP/N")
    def made(
        chosen: ChosenSpec,
        local: bool,  # noqa: FBT001 - click's flag
        yes: bool,  # noqa: FBT001 - click's flag
        reason: str | None,
        version: str,
    ) -> None:
        with open_target(chosen, local) as target:
            carry_out(target, ApprovalDecision(version, status, reason, yes))

    return made


def carry_out(target: CommandTarget, decision: ApprovalDecision) -> None:
    """Carry out a decision: write it into the registry and let the endpoints follow.

    The pipeline `<name>-deploy` makes them follow, with the role that may: a rule starts it, else
    it is started here. Locally they follow here and now, unless a rule of `serve` starts it.

    Raises:
        UsageError: there is no such version, or it cannot be approved.
        ExecutionFailedError: the version failed on an endpoint.
    """
    _require_own_group(target, decision.name)
    package = version(target.account, decision.name)
    if decision.status == "Approved" and package["ModelPackageStatus"] != "Completed":
        raise UsageError(f"{named(package)} is {package['ModelPackageStatus']}, not Completed")
    affected = deployments(target.compiled, package["ModelPackageGroupName"])
    starts = _deployer(target) if affected else None
    is_event = _write(target, package, decision)
    if not affected:
        group = package["ModelPackageGroupName"]
        echo(f"no deployment step of {target.chosen.file} deploys the group {group}")
    elif starts is None:
        reconciled = reconcile_deployments(target, affected, Options())
        if decision.status == "Approved":
            _report_what_stays(reconciled, package)
        require_success(target, reconciled, package["ModelPackageVersion"])
        show_how_to_invoke(target, reconciled)
    else:
        _start(target, starts, is_event)


def _require_own_group(target: CommandTarget, name: str) -> None:
    """Refuse to decide about a version of the original with the options of a copy.

    Raises:
        UsageError: the group is the one that the copy has a group of its own for.
    """
    group, _, number = name.rpartition("/")
    copy = target.chosen.copy
    own = names_made(target.spec, "model-package-group") if copy is not None else ()
    if copy is not None and group not in own and copied(group, copy) in own:
        raise UsageError(
            f"the group {group} is the original's, not that of the copy {copy}",
            f"name the copy's: {copied(group, copy)}/{number}, or remove --as",
        )


def _write(target: CommandTarget, package: JsonObject, decision: ApprovalDecision) -> bool:
    """Write a decision, unless it is written already, with its reason.

    Returns:
        whether the status changed, which is an event.
    """
    name, known = named(package), approval(package)
    if known != decision.status:
        effect, done = f"set {name} from {known} to {decision.status}", "is"
    elif decision.reason not in {None, "", package.get("ApprovalDescription")}:
        effect, done = f"write the reason why {name} is {known}", "is already"
    else:
        echo(f"{name} is already {known}")
        return False
    confirm(target, effect, decision.yes)
    set_approval(target.account, package, decision.status, decision.reason)
    reason = "; its reason was written" if known == decision.status else ""
    echo(f"{name} {done} {decision.status}{reason}")
    return bool(known != decision.status)


def _report_what_stays(reconciled: Iterable[Reconciled], package: JsonObject) -> None:
    """Report that an approval changed nothing where a newer version is live."""
    group, number = package["ModelPackageGroupName"], package["ModelPackageVersion"]
    for one in reconciled:
        live = one.outcome.live
        if live is not None and live > number and not one.deployment.batch:
            stays = f"{group}/{number} is older than {group}/{live}, which stays live"
            echo(f"{one.deployment.name}: {stays}")


def _deployer(target: CommandTarget) -> JsonObject | None:
    """Describe the pipeline that makes the endpoints follow; locally only if a rule starts it.

    Raises:
        UsageError: it is not in the account.
    """
    name = deployer(target.compiled.pipeline)
    described = describe(target.account, name)
    if target.is_local:
        has_own = described is not None and has_rule(target.account, described["PipelineArn"])
        return described if has_own else None
    if described is None:
        raise UsageError(
            f"the pipeline {name} does not exist: nothing would deploy what is approved",
            f"create it: python -m pipelines upsert{target.flags}",
        )
    return described


def _start(target: CommandTarget, pipeline: JsonObject, is_event: bool) -> None:  # noqa: FBT001 - what `_write` returned
    """Start a pipeline that deploys, where no rule does: without an event none does."""
    name = pipeline["PipelineName"]
    if is_event and has_rule(target.account, pipeline["PipelineArn"]):
        echo(f"an EventBridge rule starts {name}")
        return
    started = target.account.call("sagemaker", "start_pipeline_execution", PipelineName=name)
    execution = started["PipelineExecutionArn"].rpartition("/")[2]
    echo(f"started {name}: {execution}; see `pipelines status{target.flags} {execution}`")
