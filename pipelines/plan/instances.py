"""What a pipeline asks of the quotas of an account: instances of its steps and its deployments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.compile.model import Compiled
from pipelines.definition.named import read
from pipelines.definition.needs import needs_of
from pipelines.plan.deployments import steps_that_deploy
from pipelines.programs.deploy.model import DeploymentTarget
from pipelines.steptypes.clusters import choices

_ENDPOINT: Final = "endpoint"
_TRANSFORM: Final = "transform job"


def instances_needed(compiled: Compiled) -> dict[tuple[str, str], int]:
    """Return (usage as Service Quotas names it, instance type) → how many at once, at least.

    Of a deployment it is what it scales to, and twice that where a shadow gets copies of requests.
    """
    found = dict(needs_of(read(compiled.definition)).instances)
    for deployment in steps_that_deploy(compiled):
        for key, count in _of_deployment(deployment):
            found[key] = max(found.get(key, 0), count)
    return found


def _of_deployment(deployment: DeploymentTarget) -> Iterator[tuple[tuple[str, str], int]]:
    if deployment.batch:
        usage, asked, most = _TRANSFORM, deployment.batch["TransformResources"], None
        count = asked.get("InstanceCount")
    else:
        usage, asked = _ENDPOINT, deployment.variant
        count, most = asked.get("InitialInstanceCount"), deployment.scaling.get("MaxCapacity")
    known = [one for one in (count, most) if isinstance(one, int)]
    for choice in choices(asked):
        instance = choice.get("InstanceType")  # serverless variants have none
        if isinstance(instance, str):
            yield (usage, instance), max(known, default=1) * (2 if deployment.shadow else 1)
