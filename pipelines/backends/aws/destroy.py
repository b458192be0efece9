"""What is there of a pipeline, and its removal, in an order that may end anywhere.

What could make an endpoint anew goes first, then what serves, then what that was made of, the
pipeline last; each is found by its name, so that a second attempt finds what is left. Model
packages and data go only when that was asked for: nothing can bring them back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from pipelines.backends.aws.caller import Caller
from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.executions import OPEN, executions, identifier
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.tags import MARK

_BATCH = 1000
_PREFIX = 50
"""How much of an endpoint's name its models' and configurations' names begin with."""

_LATEST = 20
_DATA = "s3-prefix"
_SERVING = ("endpoint", "endpoint-config", "model")
_REQUESTS = {
    "endpoint": ("delete_endpoint", "EndpointName"),
    "endpoint-config": ("delete_endpoint_config", "EndpointConfigName"),
    "model": ("delete_model", "ModelName"),
    "pipeline": ("delete_pipeline", "PipelineName"),
    "model-package": ("delete_model_package", "ModelPackageName"),
    "model-package-group": ("delete_model_package_group", "ModelPackageGroupName"),
}


@frozen
class Premises:
    """What belongs to a spec.

    Args:
        pipeline: its pipeline.
        deploy: the pipeline that deploys for it (D8).
        endpoints: the endpoints of its deployments.
        groups: the model package groups whose versions go too; empty to keep them.
        data: `s3://bucket/prefix/` that goes too; None to keep it.
    """

    pipeline: str
    deploy: str
    endpoints: tuple[str, ...]
    groups: tuple[str, ...] = ()
    data: str | None = None


@frozen
class Doomed:
    """Something that is there and will be deleted: its sort and its name."""

    sort: str
    name: str


def find(caller: Caller, premises: Premises) -> list[Doomed]:
    """Find what is there, in the order in which it is to be deleted.

    Raises:
        AwsError: something could not be read.
    """
    serving = [found for name in premises.endpoints for found in _endpoint(caller, name)]
    serving.sort(key=lambda doomed: _SERVING.index(doomed.sort))
    found = [
        *_pipeline(caller, premises.deploy),
        *serving,
        *_pipeline(caller, premises.pipeline),
        *(found for name in premises.groups for found in _group(caller, name)),
    ]
    if premises.data is not None and _has_objects(caller, premises.data):
        found.append(Doomed(_DATA, premises.data))
    return list(dict.fromkeys(found))


def running(caller: Caller, pipelines: Iterable[str]) -> list[str]:
    """List the ids of executions that have not ended."""
    latest = executions(caller, pipelines, _LATEST)
    return [identifier(e) for e in latest if e["PipelineExecutionStatus"] in OPEN]


def foreign(caller: Caller, doomed: Iterable[Doomed]) -> list[str]:
    """Name the pipelines among them that bear no tag of ours: somebody else made them."""
    names = [item.name for item in doomed if item.sort == "pipeline"]
    return [name for name in names if MARK not in _tags(caller, name)]


def destroy(caller: Caller, doomed: Iterable[Doomed], done: Callable[[Doomed], None]) -> None:
    """Delete; what is gone already is no error.

    Args:
        caller: where.
        doomed: what, in order.
        done: told about each that is gone.

    Raises:
        AwsError: something was refused; what came before it is gone.
    """
    for item in doomed:
        if item.sort == _DATA:
            _empty(caller, item.name)
        else:
            _delete(caller, item)
        done(item)


def _delete(caller: Caller, item: Doomed) -> None:
    operation, member = _REQUESTS[item.sort]
    request: JsonObject = {member: item.name}
    if item.sort == "pipeline":
        request["ClientRequestToken"] = f"destroy-{item.name}".ljust(32, "0")[:128]
    try:
        caller.call("sagemaker", operation, **request)
    except AwsError as error:
        if not error.is_missing:
            raise


def _endpoint(caller: Caller, name: str) -> Iterator[Doomed]:
    """Yield an endpoint with everything that was made for it.

    Configurations and models are found by the endpoint, and by the names that deployments give
    them: an earlier attempt may have deleted the endpoint alone.
    """
    endpoint = _described(caller, "describe_endpoint", EndpointName=name)
    if endpoint is not None:
        yield Doomed("endpoint", name)
    configs = dict.fromkeys([endpoint["EndpointConfigName"]] if endpoint else [])
    configs.update(dict.fromkeys(_named(caller, "EndpointConfig", name)))
    models = dict.fromkeys(_named(caller, "Model", name))
    for config in configs:
        described = _described(caller, "describe_endpoint_config", EndpointConfigName=config)
        if described is None:
            continue
        yield Doomed("endpoint-config", config)
        for variant in described.get("ProductionVariants") or ():
            if variant.get("ModelName"):
                models[variant["ModelName"]] = None
    for model in models:
        if _described(caller, "describe_model", ModelName=model) is not None:
            yield Doomed("model", model)


def _named(caller: Caller, sort: str, endpoint: str) -> Iterator[str]:
    """Yield what bears the endpoint's name and a hash after it, as deployments name it."""
    prefix = endpoint[:_PREFIX].rstrip("-")
    made = re.compile(rf"{re.escape(prefix)}-[0-9a-f]{{12}}")
    operation = {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}[sort]
    member = {"EndpointConfig": "EndpointConfigs", "Model": "Models"}[sort]
    for entry in caller.pages("sagemaker", operation, member, NameContains=prefix):
        name = str(entry[f"{sort}Name"])
        if made.fullmatch(name):
            yield name


def _group(caller: Caller, name: str) -> Iterator[Doomed]:
    group = _described(caller, "describe_model_package_group", ModelPackageGroupName=name)
    if group is None:
        return
    packages = caller.pages(
        "sagemaker", "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=name
    )
    for package in packages:
        yield Doomed("model-package", package["ModelPackageArn"])
    yield Doomed("model-package-group", name)


def _tags(caller: Caller, pipeline: str) -> set[str]:
    described = _described(caller, "describe_pipeline", PipelineName=pipeline)
    if described is None:
        return {MARK}
    pages = caller.pages("sagemaker", "list_tags", "Tags", ResourceArn=described["PipelineArn"])
    return {tag["Key"] for tag in pages}


def _pipeline(caller: Caller, name: str) -> Iterator[Doomed]:
    if _described(caller, "describe_pipeline", PipelineName=name) is not None:
        yield Doomed("pipeline", name)


def _described(caller: Caller, operation: str, **request: str) -> JsonObject | None:
    try:
        return caller.call("sagemaker", operation, **request)
    except AwsError as error:
        if error.is_missing:
            return None
        raise


def _objects(caller: Caller, prefix: str) -> Iterator[str]:
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    listed = caller.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)
    return (str(entry["Key"]) for entry in listed)


def _has_objects(caller: Caller, prefix: str) -> bool:
    try:
        return next(iter(_objects(caller, prefix)), None) is not None
    except AwsError as error:
        if error.code == "NoSuchBucket":
            return False
        raise


def _empty(caller: Caller, prefix: str) -> None:
    bucket = prefix.removeprefix("s3://").partition("/")[0]
    keys = _objects(caller, prefix)
    while batch := [{"Key": key} for key in islice(keys, _BATCH)]:
        answer = caller.call(
            "s3", "delete_objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True}
        )
        for error in answer.get("Errors", ()):
            raise AwsError(
                f"AWS refused to delete s3://{bucket}/{error.get('Key')}: {error.get('Message')}",
                "allow s3:DeleteObject on it, and run the command again",
                code=str(error.get("Code", "")),
                operation="delete_objects",
            )
