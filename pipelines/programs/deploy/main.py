"""The job that deploys: reads its target, reconciles, and reports what is live.

Config: see `target.target_of`. Group, endpoint and execution come by environment. The sample lies
in the bundle's code folder, which is the working directory. With only pending versions the job
succeeds and reports what it waits for; it fails where a version failed that was to go live, also
when it is resumed, and where nothing serves because every approved version failed before.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.programs.deploy.dispatch import deploy
from pipelines.programs.deploy.model import DeployError, DeploymentOutcome
from pipelines.programs.deploy.observe import SERVICES, Clients
from pipelines.programs.deploy.reconcile import Options
from pipelines.programs.deploy.scaling import NOTHING_SCALES
from pipelines.programs.deploy.target import target_of
from pipelines.programs.deploy.variables import EXECUTION
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from pipelines.runtime.layout import Layout

_LOCAL_PAUSE, _PAUSE = 0.1, 10.0


def main(config: dict[str, Any], layout: Layout) -> int:
    """Make the endpoint match the group.

    Raises:
        JobError: a version failed to go live, or AWS refused a call.
    """
    import boto3  # noqa: PLC0415 - not where the module is only looked at
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    region = config["aws"]["region"]
    client: Any = boto3.client
    clients = Clients(*(client(name, region_name=region) for name in SERVICES))
    target = target_of(config, os.environ, lambda path: Path(path).read_bytes())
    local = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.")
    options = Options(
        execution=os.environ.get(EXECUTION, ""),
        pause=_LOCAL_PAUSE if local else _PAUSE,
        report=lambda text: print(text, flush=True),
    )
    try:
        outcome = deploy(clients, target, options)
    except (DeployError, ClientError, BotoCoreError) as error:
        raise JobError(str(error)) from error
    if local and target.scaling:
        print(NOTHING_SCALES, flush=True)
    return _report(outcome, layout)


def _report(outcome: DeploymentOutcome, layout: Layout) -> int:
    """Print the messages; the first one becomes the job's ExitMessage."""
    for text in outcome.news:
        print(text, flush=True)
    if outcome.failed:
        failed = (f"version {number}: {reason}" for number, reason in outcome.failed)
        raise JobError("; ".join((*failed, *outcome.news[:1])))
    layout.failure.parent.mkdir(parents=True, exist_ok=True)
    layout.failure.write_text(outcome.messages[0], encoding="utf-8")
    return 0
