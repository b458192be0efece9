"""Application Auto Scaling and CloudWatch of an account in memory, with their refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.programs.refusals import refusal

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"


@dataclass
class Scaled:
    """What is registered for the one variant, and the alarms.

    Attributes:
        targets: bounds, by dimension.
        policies: requests of PutScalingPolicy, by dimension and name.
        alarms: requests of PutMetricAlarm, by name.
        denied: whether the role may not even look.
    """

    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    denied: bool = False

    def scale(self, dimension: str, policy: str, alarm: str) -> None:
        """Register something, as an earlier deployment did."""
        self.targets[dimension] = {"MinCapacity": 1, "MaxCapacity": 2}
        self.policies[dimension, policy] = {"PolicyName": policy, "ScalableDimension": dimension}
        self.alarms[alarm] = {"AlarmName": alarm, "AlarmActions": [_arn(policy)]}

    def names(self) -> list[str]:
        """Return the names of the policies."""
        return [name for _, name in self.policies]


def _arn(name: str) -> str:
    return f"arn:aws:autoscaling:us-east-1:111122223333:scalingPolicy:x:policyName/{name}"


@dataclass
class Scaling:
    """The application-autoscaling client.

    Attributes:
        scaled: what is registered.
        change: carries out a changing call.
        serves: says which dimensions the endpoint's variant has now; none while it changes.
    """

    scaled: Scaled
    change: Callable[[str, Callable[[], None]], None]
    serves: Callable[[], tuple[str, ...]]

    def describe_scalable_targets(self, **request: Any) -> dict[str, Any]:
        """Look at what is registered."""
        if self.scaled.denied:
            raise refusal("DescribeScalableTargets", "not allowed", "AccessDeniedException")
        assert request["ResourceIds"] == ["endpoint/e/variant/AllTraffic"]
        targets = self.scaled.targets.items()
        return {
            "ScalableTargets": [{"ScalableDimension": name, **bounds} for name, bounds in targets]
        }

    def describe_scaling_policies(self, **_request: Any) -> dict[str, Any]:
        """Look at the policies, with the alarms that set them off."""
        found = []
        for (_, name), policy in self.scaled.policies.items():
            rung = [
                a for a, one in self.scaled.alarms.items() if one["AlarmActions"] == [_arn(name)]
            ]
            alarms = [{"AlarmName": one} for one in rung]
            found.append({**policy, "PolicyARN": _arn(name), "Alarms": alarms})
        return {"ScalingPolicies": found}

    def register_scalable_target(self, **request: Any) -> None:
        """Register, or change the bounds; the variant has to be in service."""
        dimension = request["ScalableDimension"]
        if dimension not in self.serves():
            raise refusal("RegisterScalableTarget", "the variant is not there, or is updated")
        if request["MinCapacity"] > request["MaxCapacity"]:
            raise refusal("RegisterScalableTarget", "the minimum is above the maximum")
        bounds = {name: request[name] for name in ("MinCapacity", "MaxCapacity")}
        self.change("register", lambda: self.scaled.targets.update({dimension: bounds}))

    def put_scaling_policy(self, **request: Any) -> dict[str, Any]:
        """Create or replace a policy of what is registered."""
        dimension, name = request["ScalableDimension"], request["PolicyName"]
        if dimension not in self.scaled.targets:
            raise refusal("PutScalingPolicy", "no target", "ObjectNotFoundException")
        kept = {(dimension, name): request}
        self.change(f"put {name}", lambda: self.scaled.policies.update(kept))
        return {"PolicyARN": _arn(name), "Alarms": []}

    def delete_scaling_policy(self, **request: Any) -> None:
        """Delete a policy."""
        key = request["ScalableDimension"], request["PolicyName"]
        if key not in self.scaled.policies:
            raise refusal("DeleteScalingPolicy", "no policy", "ObjectNotFoundException")
        self.change(f"delete {key[1]}", lambda: self._drop([key]))

    def deregister_scalable_target(self, **request: Any) -> None:
        """Deregister, with all policies."""
        dimension = request["ScalableDimension"]
        if dimension not in self.scaled.targets:
            raise refusal("DeregisterScalableTarget", "no target", "ObjectNotFoundException")

        def effect() -> None:
            del self.scaled.targets[dimension]
            self._drop([key for key in self.scaled.policies if key[0] == dimension])

        self.change("deregister", effect)

    def _drop(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            del self.scaled.policies[key]


@dataclass
class Alarms:
    """The cloudwatch client."""

    scaled: Scaled
    change: Callable[[str, Callable[[], None]], None]

    def put_metric_alarm(self, **request: Any) -> None:
        """Create or replace an alarm."""
        kept = {request["AlarmName"]: request}
        self.change("put alarm", lambda: self.scaled.alarms.update(kept))

    def delete_alarms(self, **request: Any) -> None:
        """Delete alarms; those that are not there are no error."""

        def effect() -> None:
            for name in request["AlarmNames"]:
                self.scaled.alarms.pop(name, None)

        self.change("delete alarm", effect)
