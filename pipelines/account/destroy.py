"""What is there of a pipeline, and its removal, in an order that may end anywhere.

What could make an endpoint anew goes first, then what serves, then what that was made of, the
pipeline last; each is found by its name, so that a second attempt finds what is left. Model
packages and data go only when that was asked for: nothing can bring them back. What somebody else
made under the same name is told apart, by the tag of ours or the name of an endpoint's config.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from uuid import uuid4

from pipelines.account.account import Account
from pipelines.account.objects import below, remove
from pipelines.account.pipelines import describe, tags_of
from pipelines.execution.caller import CallRefusedError, split
from pipelines.execution.executions import executions
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import OPEN
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import endpoints_of
from pipelines.plan.tags import MARK
from pipelines.registry.packages import describe_group

_PREFIX = 50
"""How much of an endpoint's name its models' and configurations' names begin with."""

_LATEST = 100
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
_LISTS = {
    "endpoint-config": ("list_endpoint_configs", "EndpointConfigs"),
    "model": ("list_models", "Models"),
}


@frozen
class Premises:
    """What belongs to a spec.

    Args:
        pipeline: its pipeline.
        deploy: the pipeline that deploys for it (decision 11).
        endpoints: the endpoints of its deployments; those that are deployed to are found.
        groups: the model package groups whose versions go too; empty to keep them.
        data: `s3://bucket/prefix/` that goes too; None to keep it.
    """

    pipeline: str
    deploy: str
    endpoints: tuple[str, ...]
    groups: tuple[str, ...] = ()
    data: str | None = None


@frozen
class Thing:
    """Something that is there: its sort and its name."""

    sort: str
    name: str


@frozen
class Found:
    """What is there.

    Args:
        doomed: what is to be deleted, in order.
        foreign: what bears a name of the spec's and was made by somebody else.
    """

    doomed: tuple[Thing, ...]
    foreign: tuple[Thing, ...]


def find(account: Account, premises: Premises) -> Found:
    """Find what is there; in the local SageMaker there is nobody else.

    Raises:
        CallRefusedError: something could not be read.
    """
    return _Search(account, premises).found()


def running(account: Account, pipelines: Iterable[str]) -> list[str]:
    """List the ids of executions that have not ended."""
    latest = [one for name in pipelines for one in executions(account, (name,), _LATEST)]
    return [identifier(e) for e in latest if e["PipelineExecutionStatus"] in OPEN]


def destroy(account: Account, doomed: Iterable[Thing], done: Callable[[Thing], None]) -> None:
    """Delete; what is gone already is no error.

    Args:
        account: where.
        doomed: what, in order.
        done: told about each that is gone.

    Raises:
        CallRefusedError: something was refused; what came before it is gone.
    """
    for thing in doomed:
        if thing.sort == _DATA:
            remove(
                account, split(thing.name)[0], (split(uri)[1] for uri in below(account, thing.name))
            )
        else:
            _delete(account, thing)
        done(thing)


def _delete(account: Account, thing: Thing) -> None:
    operation, member = _REQUESTS[thing.sort]
    request: JsonObject = {member: thing.name}
    if thing.sort == "pipeline":
        request["ClientRequestToken"] = uuid4().hex
    try:
        account.call("sagemaker", operation, **request)
    except CallRefusedError as error:
        if not error.is_missing:
            raise


class _Search:
    def __init__(self, account: Account, premises: Premises) -> None:
        self._account = account
        self._premises = premises
        self._foreign: list[Thing] = []

    def found(self) -> Found:
        premises = self._premises
        live = {
            name: describe(self._account, name) for name in (premises.deploy, premises.pipeline)
        }
        endpoints = dict.fromkeys(premises.endpoints)
        for pipeline in live.values():
            if pipeline is not None:
                endpoints.update(dict.fromkeys(endpoints_of(pipeline["PipelineDefinition"])))
        serving = [thing for name in endpoints for thing in self._endpoint(name)]
        serving.sort(key=lambda thing: _SERVING.index(thing.sort))
        doomed = [
            *self._pipeline(premises.deploy, live[premises.deploy]),
            *serving,
            *self._pipeline(premises.pipeline, live[premises.pipeline]),
            *(thing for name in premises.groups for thing in self._group(name)),
        ]
        if premises.data is not None and below(self._account, premises.data):
            doomed.append(Thing(_DATA, premises.data))
        return Found(tuple(dict.fromkeys(doomed)), tuple(self._foreign))

    def _pipeline(self, name: str, live: JsonObject | None) -> Iterator[Thing]:
        if live is not None and self._is_ours(Thing("pipeline", name), live["PipelineArn"]):
            yield Thing("pipeline", name)

    def _group(self, name: str) -> Iterator[Thing]:
        group = describe_group(self._account, name)
        thing = Thing("model-package-group", name)
        if group is None or not self._is_ours(thing, group["ModelPackageGroupArn"]):
            return
        operation, member = "list_model_packages", "ModelPackageSummaryList"
        request = {"ModelPackageGroupName": name}
        for package in self._account.pages("sagemaker", operation, member, **request):
            yield Thing("model-package", package["ModelPackageArn"])
        yield thing

    def _is_ours(self, thing: Thing, arn: str) -> bool:
        """Say by its tag whether something was made from the spec; remember what was not."""
        if (
            self._account.is_local
            or tags_of(self._account, arn).get(MARK) == self._premises.pipeline
        ):
            return True
        self._foreign.append(thing)
        return False

    def _endpoint(self, name: str) -> Iterator[Thing]:
        """Yield an endpoint with everything that was made for it.

        Configurations and models are found by the endpoint, and by the names that deployments give
        them: an earlier attempt may have deleted the endpoint alone.
        """
        endpoint = self._described("describe_endpoint", EndpointName=name)
        configs = dict.fromkeys(self._named("endpoint-config", name))
        if endpoint is not None:
            config = str(endpoint["EndpointConfigName"])
            if self._account.is_local or _made_for(name).fullmatch(config):
                yield Thing("endpoint", name)
                configs[config] = None
            else:
                self._foreign.append(Thing("endpoint", name))
        models = dict.fromkeys(self._named("model", name))
        for config in configs:
            described = self._described("describe_endpoint_config", EndpointConfigName=config)
            if described is not None:
                yield Thing("endpoint-config", config)
                variants = described.get("ProductionVariants") or ()
                models.update(dict.fromkeys(v["ModelName"] for v in variants if "ModelName" in v))
        for model in models:
            if self._described("describe_model", ModelName=model) is not None:
                yield Thing("model", model)

    def _named(self, sort: str, endpoint: str) -> Iterator[str]:
        """Yield what bears the endpoint's name and a hash after it.

        A name that is cut there may be another endpoint's as well: nothing is found by it.
        """
        if len(endpoint) > _PREFIX:
            return
        operation, member = _LISTS[sort]
        made = _made_for(endpoint)
        for entry in self._account.pages("sagemaker", operation, member, NameContains=endpoint):
            name = str(entry[_REQUESTS[sort][1]])
            if made.fullmatch(name):
                yield name

    def _described(self, operation: str, **request: str) -> JsonObject | None:
        try:
            return self._account.call("sagemaker", operation, **request)
        except CallRefusedError as error:
            if error.is_missing:
                return None
            raise


def _made_for(endpoint: str) -> re.Pattern[str]:
    """Match what deployments call the models and configurations of an endpoint."""
    return re.compile(rf"{re.escape(endpoint[:_PREFIX].rstrip('-'))}-[0-9a-f]{{12}}")
