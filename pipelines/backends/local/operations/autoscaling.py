"""Application Auto Scaling, as far as deployments need it: what is registered is kept, and no more.

Targets and policies are part of the endpoint whose variant they scale, and go with it. Nothing here
scales by load: there is no CloudWatch that would see any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import moment
from pipelines.backends.local.state.endpoints import EndpointRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_SERVICE = "application-autoscaling"
_INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_DIMENSIONS = (_INSTANCES, "sagemaker:variant:DesiredProvisionedConcurrency")
_BOUNDS = ("MinCapacity", "MaxCapacity")


@frozen
class AutoscalingOperations:
    """The operations on scalable targets and their policies."""

    context: OperationContext

    @operation("RegisterScalableTarget", _SERVICE)
    def register_scalable_target(self, **request: Json) -> JsonObject:
        """Register a variant, or change its bounds.

        Raises:
            ServiceError: the variant is not there, or has no such number.
        """
        key = _key(request)
        endpoint = self._endpoint(request)
        variant = next(one for one in endpoint.variants if one.name == _variant(request))
        provisioned = (variant.serverless or {}).get("ProvisionedConcurrency")
        fits = variant.serverless is None if _is_of_instances(request) else provisioned is not None
        if not fits:
            raise invalid(f"the variant {variant.name} has nothing that {key} could scale")
        if endpoint.pending_config is not None:
            raise invalid(f"the endpoint {endpoint.name} is {endpoint.status}")
        known = endpoint.scaling.get(key, {})
        target = {**_registered(request, self.context.now()), **_of(known, "Created", *_BOUNDS)}
        target |= {name: request[name] for name in _BOUNDS if request.get(name) is not None}
        _check_bounds(target)
        target["Policies"] = known.get("Policies", {})
        _keep(self.context, endpoint, lambda scaling: {**scaling, key: target})
        return {"ScalableTargetARN": f"{endpoint.arn}/scalable-target"}

    @operation("DescribeScalableTargets", _SERVICE)
    def describe_scalable_targets(self, **request: Json) -> JsonObject:
        """List what is registered."""
        wanted, dimension = request.get("ResourceIds"), request.get("ScalableDimension")
        role = f"arn:aws:iam::{self.context.settings.account}:role/local"
        targets = [
            {
                **_of(target, "ResourceId", "ScalableDimension", *_BOUNDS),
                "ServiceNamespace": "sagemaker",
                "RoleARN": role,
                "CreationTime": moment(target["Created"]),
            }
            for target in self._targets()
            if (wanted is None or target["ResourceId"] in wanted)
            and dimension in (None, target["ScalableDimension"])
        ]
        return {"ScalableTargets": targets}

    @operation("DeregisterScalableTarget", _SERVICE)
    def deregister_scalable_target(self, **request: Json) -> JsonObject:
        """Deregister a variant, with its policies."""
        key, (endpoint, _) = _key(request), self._target(request)
        _keep(
            self.context, endpoint, lambda scaling: {k: v for k, v in scaling.items() if k != key}
        )
        return {}

    @operation("PutScalingPolicy", _SERVICE)
    def put_scaling_policy(self, **request: Json) -> JsonObject:
        """Create or replace a policy."""
        endpoint, target = self._target(request)
        name, kinds = request["PolicyName"], ("TargetTrackingScaling", "StepScaling")
        kind = request.get("PolicyType")
        if kind not in kinds or request.get(f"{kind}PolicyConfiguration") is None:
            raise invalid(f"a policy is one of {', '.join(kinds)}, with its configuration")
        arn = f"{endpoint.arn}/scaling-policy/{_key(request)}/{name}"
        kept = {"Alarms": [], **_of(target["Policies"].get(name, {}), "Alarms")}
        config = f"{kind}PolicyConfiguration"
        policy = {**request, config: request[config], "PolicyARN": arn, **kept}
        policy["Created"] = self.context.now()
        keep_policies(self.context, endpoint, _key(request), {**target["Policies"], name: policy})
        return {"PolicyARN": arn, "Alarms": kept["Alarms"]}

    @operation("DescribeScalingPolicies", _SERVICE)
    def describe_scaling_policies(self, **request: Json) -> JsonObject:
        """List policies."""
        names, resource = request.get("PolicyNames"), request.get("ResourceId")
        policies = [
            {
                **{name: value for name, value in policy.items() if name != "Created"},
                "CreationTime": moment(policy["Created"]),
            }
            for target in self._targets()
            for policy in target["Policies"].values()
            if resource in (None, target["ResourceId"])
            and (names is None or policy["PolicyName"] in names)
        ]
        return {"ScalingPolicies": policies}

    @operation("DeleteScalingPolicy", _SERVICE)
    def delete_scaling_policy(self, **request: Json) -> JsonObject:
        """Delete a policy."""
        endpoint, target = self._target(request)
        name = request["PolicyName"]
        if name not in target["Policies"]:
            raise _not_found(f"No scaling policy found for {name}")
        left = {key: value for key, value in target["Policies"].items() if key != name}
        keep_policies(self.context, endpoint, _key(request), left)
        return {}

    def _targets(self) -> Iterator[JsonObject]:
        for endpoint in self.context.state.endpoints.all():
            yield from endpoint.scaling.values()

    def _endpoint(self, request: JsonObject) -> EndpointRecord:
        """Return the endpoint of the variant that a request names."""
        parts = str(request["ResourceId"]).split("/")
        name = parts[1] if len(parts) > 1 else ""
        endpoint = self.context.state.endpoints.find(name)
        variants = [one.name for one in endpoint.variants] if endpoint is not None else []
        if endpoint is None or _variant(request) not in variants:
            raise invalid(f"there is no variant {request['ResourceId']}")
        return endpoint

    def _target(self, request: JsonObject) -> tuple[EndpointRecord, JsonObject]:
        """Return a target that is registered, with its endpoint."""
        endpoint = self._endpoint(request)
        target = endpoint.scaling.get(_key(request))
        if target is None:
            raise _not_found(f"No scalable target registered for {_key(request)}")
        return endpoint, target


def policies(context: OperationContext) -> Iterator[tuple[EndpointRecord, str, JsonObject]]:
    """Yield every policy, with its endpoint and the key of its target."""
    for endpoint in context.state.endpoints.all():
        for key, target in endpoint.scaling.items():
            for policy in target["Policies"].values():
                yield endpoint, key, policy


def keep_policies(
    context: OperationContext, endpoint: EndpointRecord, key: str, kept: JsonObject
) -> None:
    """Write the policies of a target."""
    _keep(context, endpoint, lambda scaling: {**scaling, key: {**scaling[key], "Policies": kept}})


def _keep(
    context: OperationContext,
    endpoint: EndpointRecord,
    changed: Callable[[JsonObject], JsonObject],
) -> None:
    """Write how an endpoint scales, whatever else has changed in it meanwhile."""
    endpoints = context.state.endpoints
    with context.state.transaction():
        current = endpoints.find(endpoint.name)
        if current is not None:
            endpoints.save(replace(current, scaling=changed(current.scaling)))


def _of(content: JsonObject, *names: str) -> JsonObject:
    return {name: content[name] for name in names if name in content}


def _registered(request: JsonObject, now: float) -> JsonObject:
    return {**_of(request, "ResourceId", "ScalableDimension"), "Created": now}


def _is_of_instances(request: JsonObject) -> bool:
    if request["ScalableDimension"] not in _DIMENSIONS:
        raise invalid(f"the local SageMaker scales {' and '.join(_DIMENSIONS)} alone")
    return bool(request["ScalableDimension"] == _INSTANCES)


def _key(request: JsonObject) -> str:
    if request["ServiceNamespace"] != "sagemaker":
        raise invalid("the local SageMaker knows the namespace sagemaker alone")
    return f"{request['ResourceId']} {request['ScalableDimension']}"


def _variant(request: JsonObject) -> str:
    return str(request["ResourceId"]).rpartition("/variant/")[2]


def _check_bounds(target: JsonObject) -> None:
    missing = [name for name in _BOUNDS if name not in target]
    if missing:
        raise invalid(f"a new scalable target needs {' and '.join(missing)}")
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise invalid("Maximum capacity cannot be less than minimum capacity")


def _not_found(message: str) -> ServiceError:
    return ServiceError("ObjectNotFoundException", message)
