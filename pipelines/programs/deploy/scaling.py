"""Autoscaling of an endpoint: what is wanted, what is registered → the steps between the two.

`steps` is pure, and `carry_out` does what it returns: a dry run shows the same steps. Only policies
whose names begin as ours do are ever changed or removed; a variant that others scale stays theirs
(FACTS 5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pipelines.programs.deploy.model import VARIANT, DeployError, DeploymentTarget, Endpoint
from pipelines.programs.deploy.observe import Clients

_NAMESPACE = "sagemaker"
_OURS = "pipelines-"
_TRACKING, _WAKING = f"{_OURS}target-tracking", f"{_OURS}from-zero"
_ALARM = "-backlog-without-capacity"
_DENIED = "AccessDeniedException"
_PERIOD_SECONDS, _PERIODS, _COOLDOWN_SECONDS = 60, 2, 300

NOTHING_SCALES = "on this machine nothing scales by load: its autoscaling is only registered"
"""What the local SageMaker does of it."""

REGISTER, PUT, DELETE, DEREGISTER = "register", "put", "delete", "deregister"


class Registered(NamedTuple):
    """What Application Auto Scaling knows of the variant.

    Args:
        targets: the scalable targets, by their dimension.
        policies: the policies of all of them.
    """

    targets: dict[str, dict[str, Any]]
    policies: tuple[dict[str, Any], ...]

    def ours(self, dimension: str) -> tuple[dict[str, Any], ...]:
        """Return the policies of a dimension that a deployment has put there."""
        return tuple(one for one in self._of(dimension) if one["PolicyName"].startswith(_OURS))

    def others(self, dimension: str) -> tuple[str, ...]:
        """Return the names of the policies of a dimension that somebody else has put there."""
        names = (one["PolicyName"] for one in self._of(dimension))
        return tuple(name for name in names if not name.startswith(_OURS))

    def _of(self, dimension: str) -> tuple[dict[str, Any], ...]:
        return tuple(one for one in self.policies if one["ScalableDimension"] == dimension)


class ScalingStep(NamedTuple):
    """One change.

    Args:
        action: `register` or `deregister` a target, `put` or `delete` a policy.
        dimension: the dimension of the target.
        members: further members of the request.
        alarm: the alarm that belongs to the policy; None where it has none of ours.
    """

    action: str
    dimension: str
    members: dict[str, Any]
    alarm: dict[str, Any] | None = None


def observe_scaling(clients: Clients, target: DeploymentTarget) -> Registered:
    """Read what is registered.

    A role from before there was autoscaling may not look; then nothing of ours can be there.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - not at import

    resource = _resource(target)
    try:
        described = clients.scaling.describe_scalable_targets(
            ServiceNamespace=_NAMESPACE, ResourceIds=[resource]
        )
        targets = {one["ScalableDimension"]: one for one in described["ScalableTargets"]}
        policies: list[dict[str, Any]] = []
        if targets:
            found = clients.scaling.describe_scaling_policies(
                ServiceNamespace=_NAMESPACE, ResourceId=resource
            )
            policies = found["ScalingPolicies"]
    except ClientError as error:
        if target.scaling or error.response.get("Error", {}).get("Code") != _DENIED:
            raise
        return Registered({}, ())
    return Registered(targets, tuple(policies))


def steps(
    target: DeploymentTarget, endpoint: Endpoint, found: Registered
) -> tuple[ScalingStep, ...]:
    """Return the steps from what is registered to what the target wants; none where it is so.

    Nothing is wanted of an endpoint in another mode, which serves what worked before, or with a
    variant of somebody else's.
    """
    fits = endpoint.mode == target.mode and endpoint.variant == VARIANT
    wanted = target.scaling if fits else {}
    dimension = wanted.get("ScalableDimension", "")
    taken: list[ScalingStep] = []
    for other in found.targets:
        if other != dimension and found.ours(other):
            taken += _removal(other, found)
    return (*taken, *(_towards(target, wanted, found) if wanted else ()))


def describe(target: DeploymentTarget, changes: tuple[ScalingStep, ...]) -> str:
    """Return what the steps lead to, a sentence without a full stop."""
    if all(one.action in {DELETE, DEREGISTER} for one in changes) and not target.scaling:
        return f"remove the autoscaling of {target.endpoint}, which the step no longer has"
    least, most = target.scaling["MinCapacity"], target.scaling["MaxCapacity"]
    counts = target.scaling["ScalableDimension"].endswith("InstanceCount")
    what = "instances" if counts else "units of provisioned concurrency"
    return f"let {target.endpoint} scale from {least} to {most} {what}"


def in_the_way(
    target: DeploymentTarget, found: Registered, live: dict[str, Any], due: dict[str, Any]
) -> tuple[ScalingStep, ...]:
    """Return the steps without which an update is refused.

    UpdateEndpoint refuses to change the instance type of a variant that is registered, and to
    remove it; a new model alone may come as it is.

    Args:
        target: the target.
        found: what is registered.
        live: the variant that is served, as its endpoint config has it.
        due: the variant that is to be served.

    Raises:
        DeployError: somebody else scales the variant.
    """
    members = ("InstanceType", "InstancePools")
    if all(live.get(one) == due.get(one) for one in members):
        return ()
    for dimension in found.targets:
        if others := found.others(dimension):
            raise DeployError(
                f"{target.endpoint} gets another instance type, which SageMaker refuses while it is"
                f" scaled by `{others[0]}`, a policy that was not put there from here:"
                " deregister it as a scalable target, then deploy again"
            )
    return tuple(one for dimension in found.targets for one in _removal(dimension, found))


def before_deletion(found: Registered) -> tuple[ScalingStep, ...]:
    """Return the steps that leave nothing behind when the endpoint is deleted."""
    return tuple(
        one for dimension in found.targets for one in _removal(dimension, found, whole=True)
    )


def retained(target: DeploymentTarget, endpoint: Endpoint, due: dict[str, Any]) -> dict[str, Any]:
    """Return the members of UpdateEndpoint that keep the count that scaling has led to.

    Zero instances are not kept: a new version has to answer before it counts.
    """
    if not target.scaling or endpoint.mode != target.mode or not endpoint.instances:
        return {}
    if "ServerlessConfig" in due:
        return {}
    excluded = [{"VariantPropertyType": one} for one in ("DesiredWeight", "DataCaptureConfig")]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": excluded}


def carry_out(clients: Clients, target: DeploymentTarget, changes: tuple[ScalingStep, ...]) -> None:
    """Carry out steps; each may be repeated, but for the removal of what is gone already."""
    for one in changes:
        request = {
            "ServiceNamespace": _NAMESPACE,
            "ResourceId": _resource(target),
            "ScalableDimension": one.dimension,
            **one.members,
        }
        if one.action == REGISTER:
            clients.scaling.register_scalable_target(**request)
        elif one.action == PUT:
            policy = clients.scaling.put_scaling_policy(**request)["PolicyARN"]
            if one.alarm is not None:
                clients.alarms.put_metric_alarm(**one.alarm, AlarmActions=[policy])
        elif one.action == DELETE:
            if one.alarm is not None:
                clients.alarms.delete_alarms(AlarmNames=[one.alarm["AlarmName"]])
            clients.scaling.delete_scaling_policy(**request)
        else:
            clients.scaling.deregister_scalable_target(**request)


def alarm_of(endpoint: str) -> str:
    """Name the alarm that wakes an endpoint without instances."""
    return f"{endpoint}{_ALARM}"


def _resource(target: DeploymentTarget) -> str:
    return f"endpoint/{target.endpoint}/variant/{VARIANT}"


def _removal(dimension: str, found: Registered, *, whole: bool = False) -> list[ScalingStep]:
    """Return the steps that remove what is ours of a dimension, and all of it if nobody else's."""
    removed = [_deletion(dimension, one) for one in found.ours(dimension)]
    if whole or not found.others(dimension):
        removed.append(ScalingStep(DEREGISTER, dimension, {}))
    return removed


def _deletion(dimension: str, policy: dict[str, Any]) -> ScalingStep:
    members = {"PolicyName": policy["PolicyName"]}
    return ScalingStep(DELETE, dimension, members, _own_alarm(policy))


def _own_alarm(policy: dict[str, Any]) -> dict[str, Any] | None:
    """Return the alarm of a policy that the service does not delete by itself."""
    names = (one["AlarmName"] for one in policy.get("Alarms", ()))
    own = [name for name in names if name.endswith(_ALARM)]
    return {"AlarmName": own[0]} if own else None


def _towards(
    target: DeploymentTarget, wanted: Mapping[str, Any], found: Registered
) -> list[ScalingStep]:
    dimension = wanted["ScalableDimension"]
    bounds = {name: wanted[name] for name in ("MinCapacity", "MaxCapacity")}
    changes = []
    if not _holds(found.targets.get(dimension), bounds):
        changes.append(ScalingStep(REGISTER, dimension, bounds))
    known = {one["PolicyName"]: one for one in found.ours(dimension)}
    for policy in _policies(target, wanted):
        there = known.pop(policy.members["PolicyName"], None)
        if not _holds(there, policy.members) or not _rings(there, policy.alarm):
            changes.append(policy)
    changes += [_deletion(dimension, unwanted) for unwanted in known.values()]
    return changes


def _rings(policy: dict[str, Any] | None, alarm: dict[str, Any] | None) -> bool:
    """Return whether a policy has its alarm."""
    names = {one["AlarmName"] for one in (policy or {}).get("Alarms", ())}
    return alarm is None or alarm["AlarmName"] in names


def _policies(target: DeploymentTarget, wanted: Mapping[str, Any]) -> list[ScalingStep]:
    dimension, tracking = wanted["ScalableDimension"], dict(wanted["TargetTracking"])
    metric = tracking.get("CustomizedMetricSpecification")
    if metric is not None:
        of_endpoint = [{"Name": "EndpointName", "Value": target.endpoint}]
        tracking["CustomizedMetricSpecification"] = {**metric, "Dimensions": of_endpoint}
    members = {
        "PolicyName": _TRACKING,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    policies = [ScalingStep(PUT, dimension, members)]
    if wanted["MinCapacity"] == 0:
        policies.append(_waking(target, dimension))
    return policies


def _waking(target: DeploymentTarget, dimension: str) -> ScalingStep:
    """Return the policy that starts an instance for a request that finds none, with its alarm.

    Target tracking alone would wait until the backlog exceeds its target (developer guide,
    "Autoscale an asynchronous endpoint").
    """
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Average",
        "Cooldown": _COOLDOWN_SECONDS,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    members = {
        "PolicyName": _WAKING,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": step,
    }
    alarm = {
        "AlarmName": alarm_of(target.endpoint),
        "Namespace": "AWS/SageMaker",
        "MetricName": "HasBacklogWithoutCapacity",
        "Dimensions": [{"Name": "EndpointName", "Value": target.endpoint}],
        "Statistic": "Average",
        "Period": _PERIOD_SECONDS,
        "EvaluationPeriods": _PERIODS,
        "DatapointsToAlarm": _PERIODS,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
    }
    return ScalingStep(PUT, dimension, members, alarm)


def _holds(found: Any, wanted: Any) -> bool:
    """Return whether what was found says what is wanted; the service may add to it."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _holds(found.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(map(_holds, found, wanted))
        )
    return bool(found == wanted)
