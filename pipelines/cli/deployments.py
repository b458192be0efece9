"""Deployments reconciled from the command line, with the rights of whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget
from pipelines.errors import ExecutionFailedError, UsageError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.programs.deploy import modes
from pipelines.programs.deploy.dispatch import deploy
from pipelines.programs.deploy.model import DeployError, DeploymentOutcome, NotFailedError
from pipelines.programs.deploy.model import DeploymentTarget as Deployment
from pipelines.programs.deploy.observe import SERVICES, Clients
from pipelines.programs.deploy.reconcile import Options
from pipelines.programs.deploy.scaling import NOTHING_SCALES

_LOCAL_PAUSE, _PAUSE = 0.05, 10.0
_STUB = "stub: "


@frozen
class Reconciled:
    """A deployment, and what came of it."""

    deployment: Deployment
    outcome: DeploymentOutcome


def reconcile_deployments(
    target: CommandTarget, affected: Iterable[Deployment], options: Options, *, err: bool = False
) -> list[Reconciled]:
    """Reconcile deployments with the rights of whoever asks, and say what came of them.

    Args:
        target: where.
        affected: the deployments.
        options: how.
        err: whether what came of them is said on stderr.

    Raises:
        UsageError: an endpoint cannot be what the spec says; the others were seen to. That a
            version is not to be tried again at one counts only where it is at none.
        CallRefusedError: a call was refused.
    """
    reconciled, refused, needless = (
        list[Reconciled](),
        list[DeployError](),
        list[DeployError](),
    )
    for one in affected:
        try:
            reconciled.append(_reconcile(target, one, options))
            if target.is_local and one.scaling:
                echo(f"{one.name}: {NOTHING_SCALES}", err=True)
            for text in reconciled[-1].outcome.news:
                echo(f"{one.name}: {text}", err=err)
            for text in _stubs_behind(target, reconciled[-1]):
                echo(f"{one.name}: a stub answers in its place: {text}", err=True)
        except NotFailedError as error:
            needless.append(error)
        except DeployError as error:
            refused.append(error)
    for first in (*refused, *(() if reconciled else needless)):
        raise UsageError(str(first)) from first
    return reconciled


def _reconcile(target: CommandTarget, deployment: Deployment, options: Options) -> Reconciled:
    pause = _LOCAL_PAUSE if target.is_local else _PAUSE
    with target.account.clients(*SERVICES) as clients:
        here = options._replace(pause=pause, report=_report)
        outcome = deploy(Clients(*clients), deployment, here)
    return Reconciled(deployment, outcome)


def stubs_of(described: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield each variant in whose place a stub answers, and why; only the local SageMaker has any.

    Args:
        described: what DescribeEndpoint answers.
    """
    for variant in described.get("ProductionVariants", ()):
        for image in variant.get("DeployedImages", ()):
            resolved = image.get("ResolvedImage", "")
            if resolved.startswith(_STUB):
                yield variant["VariantName"], resolved.removeprefix(_STUB)


def _stubs_behind(target: CommandTarget, reconciled: Reconciled) -> Iterator[str]:
    """Yield why stubs answer at an endpoint that is live on this machine."""
    deployment, outcome = reconciled.deployment, reconciled.outcome
    if target.is_local and outcome.live is not None and not deployment.batch:
        described = target.account.call(
            "sagemaker", "describe_endpoint", EndpointName=deployment.endpoint
        )
        yield from (reason for _, reason in stubs_of(described))


def require_success(
    target: CommandTarget, reconciled: Sequence[Reconciled], version: int | None = None
) -> None:
    """End the command where a version failed that was to go live, or nothing serves for that.

    Args:
        target: where.
        reconciled: what came of the deployments.
        version: the version that this was about; an earlier failure of it counts as well.

    Raises:
        ExecutionFailedError: one failed.
    """
    for one in reconciled:
        deployment, outcome = one.deployment, one.outcome
        earlier = [known for known in outcome.known if known[0] == version]
        for number, reason in (*outcome.failed, *earlier):
            why = "" if any(reason in text for text in outcome.news) else f": {reason}"
            if deployment.batch:
                raise ExecutionFailedError(
                    f"version {number} failed in {deployment.name}{why}",
                    "fix it, or register a new version; the next deployment tries again",
                )
            again = f"deploy{target.flags} --retry {deployment.group}/{number}"
            raise ExecutionFailedError(
                f"version {number} failed on {deployment.endpoint}{why}",
                "fix it and register a new version, or retry this one:"
                f" python -m pipelines {again}",
            )


def show_how_to_invoke(target: CommandTarget, reconciled: Sequence[Reconciled]) -> None:
    """Print how to invoke an endpoint that is in service."""
    for one in reconciled:
        if one.outcome.live is not None and not one.deployment.batch:
            echo(how_to_invoke(target, one.deployment))


def how_to_invoke(target: CommandTarget, deployment: Deployment) -> str:
    """Return the command that sends a request to an endpoint."""
    later = " --async --wait" if modes.find(deployment.mode).answers_in_s3 else ""
    return (
        f"invoke it: python -m pipelines invoke{target.flags} {deployment.endpoint}{later}"
        " --file REQUEST.json"
    )


def _report(text: str) -> None:
    echo(text, err=True)
