"""The removal of what `account/resources.py` has found; it may end anywhere and be done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import uuid4

from pipelines.account.account import Account
from pipelines.account.objects import below, remove
from pipelines.account.resources import DATA, AccountResource
from pipelines.execution.caller import CallRefusedError, split
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.model import VARIANT
from pipelines.programs.deploy.scaling import alarm_of

_REQUESTS = {
    "endpoint": ("delete_endpoint", "EndpointName"),
    "endpoint-config": ("delete_endpoint_config", "EndpointConfigName"),
    "model": ("delete_model", "ModelName"),
    "pipeline": ("delete_pipeline", "PipelineName"),
    "model-package": ("delete_model_package", "ModelPackageName"),
    "model-package-group": ("delete_model_package_group", "ModelPackageGroupName"),
}


def destroy(
    account: Account, to_delete: Iterable[AccountResource], done: Callable[[AccountResource], None]
) -> None:
    """Delete; what is gone already is no error.

    Args:
        account: where.
        to_delete: what, in order.
        done: told about each that is gone.

    Raises:
        CallRefusedError: something was refused; what came before it is gone.
    """
    for resource in to_delete:
        if resource.kind == DATA:
            remove(
                account,
                split(resource.name)[0],
                (split(uri)[1] for uri in below(account, resource.name)),
            )
        else:
            _delete(account, resource)
        done(resource)


def _delete(account: Account, resource: AccountResource) -> None:
    operation, member = _REQUESTS[resource.kind]
    request: JsonObject = {member: resource.name}
    if resource.kind == "endpoint":
        _deregister(account, resource.name)
    if resource.kind == "pipeline":
        request["ClientRequestToken"] = uuid4().hex
    try:
        account.call("sagemaker", operation, **request)
    except CallRefusedError as error:
        if not error.is_missing:
            raise


def _deregister(account: Account, endpoint: str) -> None:
    """Remove how an endpoint scales; who may not is left to SageMaker, which does so itself."""
    resource = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
    }
    scaling = "application-autoscaling"
    try:
        found = account.call(
            scaling,
            "describe_scalable_targets",
            ServiceNamespace="sagemaker",
            ResourceIds=[resource["ResourceId"]],
        )["ScalableTargets"]
        for target in found:
            of = {"ScalableDimension": target["ScalableDimension"]}
            account.call(scaling, "deregister_scalable_target", **resource, **of)
        if found:
            account.call("cloudwatch", "delete_alarms", AlarmNames=[alarm_of(endpoint)])
    except CallRefusedError as error:
        if not (error.is_missing or error.is_denied):
            raise
