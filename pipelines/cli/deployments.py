"""A compiled pipeline → its deployments, as the deployer's job would find them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import click

from pipelines.bundle.assets import CodeAsset
from pipelines.cli.target import Target
from pipelines.compile.model import Compiled
from pipelines.errors import ExecutionFailedError, UsageError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.named import defaults_of, known_text
from pipelines.programs.deploy.model import DeployError, NotFailedError, Outcome
from pipelines.programs.deploy.model import Target as Deployment
from pipelines.programs.deploy.observe import Clients
from pipelines.programs.deploy.reconcile import Options, reconcile
from pipelines.programs.deploy.target import target_of
from pipelines.runtime.bundle import CODE

_PROGRAM = "deploy"
_SERVICES = ("sagemaker", "sagemaker-runtime", "s3")
_LOCAL_PAUSE, _PAUSE = 0.05, 10.0


def deployments(compiled: Compiled, group: str | None = None) -> tuple[Deployment, ...]:
    """Find the deployments of a pipeline, of one group or of all."""
    found = []
    for name, text in compiled.definitions.items():
        if name == compiled.pipeline:
            continue
        definition = json.loads(text)
        defaults = defaults_of(definition)
        for step in definition["Steps"]:
            asset = next((one for one in compiled.code if one.step == step["Name"]), None)
            if asset is not None and asset.job.program == _PROGRAM:
                found.append(_deployment(asset, step["Arguments"]["Environment"], defaults))
    return tuple(one for one in found if group is None or one.group == group)


@frozen
class Settled:
    """A deployment, and what came of it."""

    deployment: Deployment
    outcome: Outcome


def settle(target: Target, affected: Iterable[Deployment], options: Options) -> list[Settled]:
    """Reconcile deployments with the rights of whoever asks, and say what came of them.

    Raises:
        UsageError: an endpoint cannot be what the spec says; the others were seen to. That a
            version is not to be tried again at one counts only where it is at none.
        CallRefusedError: a call was refused.
    """
    settled, refused, needless = list[Settled](), list[DeployError](), list[DeployError]()
    for one in affected:
        try:
            settled.append(_settle(target, one, options))
        except NotFailedError as error:
            needless.append(error)
        except DeployError as error:
            refused.append(error)
    for first in (*refused, *(() if settled else needless)):
        raise UsageError(str(first)) from first
    return settled


def _settle(target: Target, deployment: Deployment, options: Options) -> Settled:
    pause = _LOCAL_PAUSE if target.is_local else _PAUSE
    with target.gateway.clients(*_SERVICES) as clients:
        here = options._replace(pause=pause, report=_say)
        outcome = reconcile(Clients(*clients), deployment, here)
    for text in outcome.messages:
        click.echo(f"{deployment.endpoint}: {text}")
    return Settled(deployment, outcome)


def require_good(target: Target, settled: Sequence[Settled], version: int | None = None) -> None:
    """End the command where a version failed that was to go live.

    Args:
        target: where.
        settled: what came of the deployments.
        version: the version that this was about; an earlier failure of it counts as well.

    Raises:
        ExecutionFailedError: one failed.
    """
    for one in settled:
        deployment, outcome = one.deployment, one.outcome
        earlier = [known for known in outcome.known if known[0] == version]
        for number, reason in (*outcome.failures, *earlier):
            again = f"deploy{target.flags} --retry {deployment.group}/{number}"
            raise ExecutionFailedError(
                f"version {number} failed on {deployment.endpoint}: {reason}",
                "mend it and register a new version, or try this one again:"
                f" python -m pipelines {again}",
            )


def how_to_invoke(target: Target, settled: Sequence[Settled]) -> None:
    """Say how an endpoint that answers is asked."""
    for one in settled:
        if one.outcome.live is not None:
            asked = f"{target.flags} {one.deployment.endpoint} --file REQUEST.json"
            click.echo(f"ask it: python -m pipelines invoke{asked}")


def _say(text: str) -> None:
    click.echo(text, err=True)


def _deployment(asset: CodeAsset, variables: JsonObject, defaults: Mapping[str, str]) -> Deployment:
    texts = {name: known_text(value, defaults) or "" for name, value in variables.items()}
    return target_of(asset.job.config, texts, lambda path: asset.content(f"{CODE}{path}"))
