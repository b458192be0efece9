"""A step's configuration and environment → the target: the same in a job and in a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import DeploymentTarget, SampleRequest
from pipelines.programs.deploy.variables import (
    ENDPOINT,
    GROUP,
    JOB,
    STEP,
    VARIABLE,
    VOLUMES_WITHOUT_KEY,
)

_NUMBERS = frozenset(
    {
        "InstanceCount",
        "InvocationsMaxRetries",
        "InvocationsTimeoutInSeconds",
        "MaxConcurrentTransforms",
        "MaxPayloadInMB",
    }
)


def target_of(
    config: Mapping[str, Any], variables: Mapping[str, str], read: Callable[[str], bytes]
) -> DeploymentTarget:
    """Make the target of a deployment.

    Args:
        config: the program's configuration: `mode`, `variant` of an endpoint, `environment`,
            `deployment`, `sample` ({"path", "content_type"} or None), `pipeline`, and `aws`, the
            spec's section;
            where given, `config`, members of the endpoint config, `scaling`, `replace`,
            `delete_when_none`, `shadow` and `volumes_without_key`, for instances that encrypt
            storage of their own; of a batch, `batch`, its request, in which
            `{"Variable": NAME}` stands for a variable's value.
        variables: the job's environment.
        read: returns the content of a file of the project.
    """
    aws: dict[str, Any] = config["aws"]
    of_volumes = {**aws, "kms_key": None} if config.get(VOLUMES_WITHOUT_KEY) else aws
    mode = modes.find(config["mode"])
    named = variables[STEP if mode.is_batch else ENDPOINT]
    return DeploymentTarget(
        group=variables[GROUP].rpartition("/")[2],
        endpoint=variables[JOB if mode.is_batch else ENDPOINT],
        history=f"s3://{aws['bucket']}/{config['pipeline']}/deployments/{named}",
        role=aws.get("job_role") or aws["role"],
        mode=mode.name,
        variant=config.get("variant", {}),
        environment=config["environment"],
        config={**mode.config(of_volumes), **_placed(config)},
        model=_network(aws),
        deployment=config["deployment"] or {},
        tags=aws.get("tags") or {},
        sample=_sample(config["sample"], read),
        replace=config.get("replace", False),
        scaling=config.get("scaling", {}),
        delete_when_none=config.get("delete_when_none", False),
        shadow=config.get("shadow", ""),
        batch=_batch(config["batch"], variables, aws, of_volumes) if mode.is_batch else {},
    )


def _placed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return further members of the endpoint config; captures have a place in the end."""
    given: dict[str, Any] = dict(config.get("config", {}))
    if "DataCaptureConfig" in given:
        own = f"s3://{config['aws']['bucket']}/{config['pipeline']}/captured"
        given["DataCaptureConfig"] = {"DestinationS3Uri": own, **given["DataCaptureConfig"]}
    return given


def _batch(
    request: Any,
    variables: Mapping[str, str],
    aws: Mapping[str, Any],
    of_volumes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the request for a transform job, with the values of variables and the keys."""
    written: dict[str, Any] = _with_values(request, variables)
    if aws.get("kms_key"):
        written["TransformOutput"]["KmsKeyId"] = aws["kms_key"]
    if of_volumes.get("kms_key"):
        written["TransformResources"]["VolumeKmsKeyId"] = of_volumes["kms_key"]
    return written


def _with_values(request: Any, variables: Mapping[str, str], member: str = "") -> Any:
    """Put the value of each variable into its place; some members are numbers."""
    if not isinstance(request, dict):
        return request
    if set(request) == {VARIABLE}:
        text = variables[request[VARIABLE]]
        return int(text) if member in _NUMBERS and text else text  # none yet: no default
    return {key: _with_values(inner, variables, key) for key, inner in request.items()}


def _sample(given: Mapping[str, str] | None, read: Callable[[str], bytes]) -> SampleRequest | None:
    return SampleRequest(read(given["path"]), given["content_type"]) if given else None


def _network(aws: Mapping[str, Any]) -> dict[str, Any]:
    vpc = aws.get("vpc")
    if not vpc:
        return {}
    ids = {"SecurityGroupIds": vpc["security_group_ids"], "Subnets": vpc["subnets"]}
    return {"VpcConfig": ids}
