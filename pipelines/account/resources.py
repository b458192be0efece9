"""A spec → what is there of it in an account, in the order in which it can be removed.

What could make an endpoint anew goes first, then what serves, then what that was made of, the
pipeline last; each is found by its name, so that a second attempt finds what is left. Model
packages and data go only when that was asked for: nothing can bring them back. What somebody else
made under the same name is told apart, by the tag of ours or the name of an endpoint's config.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipelines.account.account import Account
from pipelines.account.objects import below
from pipelines.account.parallel import for_each
from pipelines.account.pipelines import describe, tags_of
from pipelines.execution.caller import CallRefusedError
from pipelines.execution.executions import executions
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import OPEN
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import batches_of, endpoints_of
from pipelines.plan.tags import MARK, is_ours
from pipelines.registry.packages import describe_group
from pipelines.spec.names import COPY_OF, copied, standing_alone

_PREFIX = 50
"""How much of an endpoint's name its models' and configurations' names begin with."""

_SURE = 48
"""Characters of a name that no longer name is cut to: two less, as hyphens fall off at the end."""

_LATEST = 100
DATA = "s3-prefix"
"""The kind of a prefix with data."""

_SERVING = ("endpoint", "endpoint-config", "model")
_LISTS = {
    "endpoint-config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "model": ("list_models", "Models", "ModelName"),
}


@frozen
class SpecResources:
    """What belongs to a spec.

    Args:
        pipeline: its pipeline.
        others: the pipelines that start its deployments (decision 11).
        endpoints: the endpoints of its deployments; those that are deployed to are found.
        groups: the model package groups whose versions go too; empty to keep them.
        data: `s3://bucket/prefix/` that goes too; None to keep it.
        batches: what the models of its batches are called after.
        copy_of: the original, where it is a copy.
    """

    pipeline: str
    others: tuple[str, ...]
    endpoints: tuple[str, ...]
    groups: tuple[str, ...] = ()
    data: str | None = None
    copy_of: str | None = None
    batches: tuple[str, ...] = ()


@frozen
class AccountResource:
    """Something that is there: its kind and its name."""

    kind: str
    name: str


@frozen
class FoundResources:
    """What is there.

    Args:
        to_delete: what is to be deleted, in order.
        foreign: what bears a name of the spec's and was made by somebody else.
    """

    to_delete: tuple[AccountResource, ...]
    foreign: tuple[AccountResource, ...]


def find(account: Account, named: SpecResources) -> FoundResources:
    """Find what is there; in the local SageMaker there is nobody else.

    Raises:
        CallRefusedError: something could not be read.
    """
    return _Search(account, named).found()


def made_for_endpoint(account: Account, named: SpecResources, endpoint: str) -> FoundResources:
    """Find one endpoint, and what was made for it.

    Raises:
        CallRefusedError: something could not be read.
    """
    return _Search(account, named).serving((endpoint,))


def running(account: Account, pipelines: Iterable[str]) -> list[str]:
    """List the ids of executions that have not ended."""
    latest = [one for name in pipelines for one in executions(account, (name,), _LATEST)]
    return [identifier(e) for e in latest if e["PipelineExecutionStatus"] in OPEN]


def copies(account: Account, pipeline: str) -> list[str]:
    """Name the copies of a pipeline that are there; none where that may not be asked."""
    names = account.pages(
        "sagemaker",
        "list_pipelines",
        "PipelineSummaries",
        PipelineNamePrefix=pipeline,
    )
    try:
        found = for_each(lambda one: tags_of(account, one["PipelineArn"]), [*names])
    except CallRefusedError as error:
        if error.is_denied:
            return []
        raise
    prefix = copied(pipeline, "")
    made = {tags.get(MARK, "") for tags in found if tags.get(COPY_OF) == pipeline}
    return sorted(name.removeprefix(prefix) for name in made if name.startswith(prefix))


class _Search:
    def __init__(self, account: Account, named: SpecResources) -> None:
        self._account = account
        self._spec_resources = named
        self._foreign: list[AccountResource] = []

    def found(self) -> FoundResources:
        named = self._spec_resources
        main = describe(self._account, named.pipeline)
        steps = batches_of(main["PipelineDefinition"]) if main is not None else {}
        once = (standing_alone(named.pipeline, step) for step in steps)
        others = {name: describe(self._account, name) for name in (*named.others, *once)}
        endpoints, batches = dict.fromkeys(named.endpoints), dict.fromkeys(named.batches)
        for pipeline in (main, *others.values()):
            text = pipeline["PipelineDefinition"] if pipeline is not None else "{}"
            endpoints.update(dict.fromkeys(endpoints_of(text)))
            batches.update(dict.fromkeys(batches_of(text).values()))
        to_delete = [
            *(one for name, live in others.items() for one in self._pipeline(name, live)),
            *self.serving(endpoints).to_delete,
            *(one for name in batches for one in self._models_of_batch(name)),
            *self._pipeline(named.pipeline, main),
            *(resource for name in named.groups for resource in self._group(name)),
        ]
        if named.data is not None and below(self._account, named.data):
            to_delete.append(AccountResource(DATA, named.data))
        return FoundResources(tuple(dict.fromkeys(to_delete)), tuple(self._foreign))

    def serving(self, endpoints: Iterable[str]) -> FoundResources:
        """Find endpoints with everything that was made for them, what serves first."""
        found = [resource for name in endpoints for resource in self._endpoint(name)]
        found.sort(key=lambda resource: _SERVING.index(resource.kind))
        return FoundResources(tuple(dict.fromkeys(found)), tuple(self._foreign))

    def _pipeline(self, name: str, live: JsonObject | None) -> Iterator[AccountResource]:
        if live is not None and self._is_ours(
            AccountResource("pipeline", name), live["PipelineArn"]
        ):
            yield AccountResource("pipeline", name)

    def _group(self, name: str) -> Iterator[AccountResource]:
        group = describe_group(self._account, name)
        resource = AccountResource("model-package-group", name)
        if group is None or not self._is_ours(resource, group["ModelPackageGroupArn"]):
            return
        operation, member = "list_model_packages", "ModelPackageSummaryList"
        request = {"ModelPackageGroupName": name}
        for package in self._account.pages("sagemaker", operation, member, **request):
            yield AccountResource("model-package", package["ModelPackageArn"])
        yield resource

    def _is_ours(self, resource: AccountResource, arn: str) -> bool:
        """Return whether the tag shows that it was made from the spec; remember what was not."""
        named = self._spec_resources
        if self._account.is_local or is_ours(
            tags_of(self._account, arn), named.pipeline, named.copy_of
        ):
            return True
        self._foreign.append(resource)
        return False

    def _endpoint(self, name: str) -> Iterator[AccountResource]:
        """Yield an endpoint with everything that was made for it.

        Configurations and models are found by the endpoint, and by the names that deployments give
        them: an earlier attempt may have deleted the endpoint alone.
        """
        endpoint = self._described("describe_endpoint", EndpointName=name)
        configs = dict.fromkeys(self._named("endpoint-config", name))
        if endpoint is not None:
            config = str(endpoint["EndpointConfigName"])
            named = self._account.is_local or _made_for(name).fullmatch(config)
            if named and self._is_of_this_copy(endpoint["EndpointArn"]):
                yield AccountResource("endpoint", name)
                configs[config] = None
            else:
                self._foreign.append(AccountResource("endpoint", name))
        models = dict.fromkeys(self._named("model", name))
        for config in configs:
            described = self._described("describe_endpoint_config", EndpointConfigName=config)
            if described and self._is_of_this_copy(described["EndpointConfigArn"]):
                yield AccountResource("endpoint-config", config)
                sorts = ("ProductionVariants", "ShadowProductionVariants")
                variants = (one for sort in sorts for one in described.get(sort) or ())
                models.update(dict.fromkeys(v["ModelName"] for v in variants if "ModelName" in v))
        for model in models:
            described = self._described("describe_model", ModelName=model)
            if described and self._is_of_this_copy(described["ModelArn"]):
                yield AccountResource("model", model)

    def _models_of_batch(self, name: str) -> Iterator[AccountResource]:
        """Yield the models that were made for a batch, whose name ends with a digest."""
        for model in self._named("model", name):
            described = self._described("describe_model", ModelName=model)
            if described and self._is_of_this_copy(described["ModelArn"]):
                yield AccountResource("model", model)

    def _is_of_this_copy(self, arn: str) -> bool:
        """Return whether what serves is not that of a copy of the same name, or of its original."""
        copy_of = self._spec_resources.copy_of
        return self._account.is_local or tags_of(self._account, arn).get(COPY_OF) == copy_of

    def _named(self, kind: str, endpoint: str) -> Iterator[str]:
        """Yield what bears the endpoint's name and a hash after it.

        A name that is cut there may be another endpoint's as well: nothing is found by it, nor by
        one that a longer name may be cut to.
        """
        if len(endpoint) > _SURE:
            return
        operation, member, name_member = _LISTS[kind]
        made = _made_for(endpoint)
        for entry in self._account.pages("sagemaker", operation, member, NameContains=endpoint):
            name = str(entry[name_member])
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
