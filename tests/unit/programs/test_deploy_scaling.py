"""Autoscaling: what is registered follows the step, and is never in the way of an update."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.programs.deploy.model import DeployError, DeploymentTarget
from tests.unit.programs.deploy_account import Account, KilledError, target
from tests.unit.programs.reconciling import QUICK, REALTIME, A, R, deploy
from tests.unit.programs.scaling_account import CONCURRENCY, INSTANCES

TRACKING = {
    "TargetValue": 500.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
}
BACKLOG = {
    "TargetValue": 5.0,
    "CustomizedMetricSpecification": {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Statistic": "Average",
    },
}


def scaled(least: int, most: int, tracking: dict[str, Any], of: str = INSTANCES) -> dict[str, Any]:
    """Return how something is to scale."""
    return {
        "ScalableDimension": of,
        "MinCapacity": least,
        "MaxCapacity": most,
        "TargetTracking": tracking,
    }


SCALED = REALTIME._replace(scaling=scaled(1, 4, TRACKING))
SLEEPING = REALTIME._replace(
    mode="asynchronous",
    config={"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/answers"}}},
    scaling=scaled(0, 3, BACKLOG),
)


def larger(what: DeploymentTarget) -> DeploymentTarget:
    """Return a target with another instance type."""
    return what._replace(variant={**what.variant, "InstanceType": "ml.m5.xlarge"})


def test_an_endpoint_scales_as_soon_as_its_version_has_answered() -> None:
    """Twice changes nothing; bounds and policies that are wrong are put right."""
    account = Account({1: A})
    outcome = deploy(account, SCALED)
    assert outcome.messages == ("g/1 is live", "let e scale from 1 to 4 instances")
    assert account.calls[-3:] == ["wrote succeeded", "register", "put pipelines-target-tracking"]
    assert account.scaled.targets == {INSTANCES: {"MinCapacity": 1, "MaxCapacity": 4}}
    before = len(account.calls)
    assert not deploy(account, SCALED).changed
    assert len(account.calls) == before
    planned = deploy(
        account, SCALED._replace(scaling=scaled(2, 4, TRACKING)), QUICK._replace(dry_run=True)
    )
    assert planned.changed
    assert planned.messages[1] == "let e scale from 2 to 4 instances"
    assert len(account.calls) == before
    account.scaled.policies.clear()
    assert deploy(account, SCALED).changed
    assert account.calls[before:] == ["put pipelines-target-tracking"]


def test_a_version_that_fails_is_rolled_back_and_what_serves_scales_on() -> None:
    """The same instances serve another model: nothing has to be deregistered for that."""
    account = Account({1: A}, mute={2})
    deploy(account, SCALED)
    account.versions[2] = A
    account.calls.clear()
    assert [number for number, _ in deploy(account, SCALED).failures] == [2]
    assert "deregister" not in account.calls
    assert account.scaled.targets


def test_another_instance_type_is_deregistered_first_and_registered_again() -> None:
    """UpdateEndpoint refuses it else; whoever is killed on the way leaves that to the next one."""
    for kill_at in range(20):
        account = Account({1: A})
        deploy(account, SCALED)
        account.calls.clear()
        account.kill_at = kill_at
        try:
            deploy(account, larger(SCALED))
        except KilledError:
            account.kill_at = None
            deploy(account, larger(SCALED))
        assert account.live() == 1
        assert account.scaled.targets == {INSTANCES: {"MinCapacity": 1, "MaxCapacity": 4}}
        assert account.scaled.names() == ["pipelines-target-tracking"]


def test_what_others_scale_stays_theirs() -> None:
    """Their policies are not touched, and an update that the service would refuse says why."""
    account = Account({1: A})
    deploy(account, REALTIME)
    account.scaled.targets[INSTANCES] = {"MinCapacity": 1, "MaxCapacity": 2}
    theirs = {"PolicyName": "theirs", "ScalableDimension": INSTANCES}
    account.scaled.policies[INSTANCES, "theirs"] = theirs
    assert not deploy(account, REALTIME).changed
    with pytest.raises(DeployError, match="scaled by `theirs`"):
        deploy(account, larger(REALTIME))
    deploy(account, SCALED)
    assert deploy(account, REALTIME).messages[1].startswith("remove the autoscaling of e")
    assert account.scaled.names() == ["theirs"]
    assert account.scaled.targets


def test_a_backlog_wakes_an_endpoint_that_has_no_instances() -> None:
    """Target tracking waits for its target: a step policy with an alarm does not."""
    account = Account({1: A})
    deploy(account, SLEEPING)
    assert account.scaled.names() == ["pipelines-target-tracking", "pipelines-from-zero"]
    (policy,) = (one for key, one in account.scaled.policies.items() if "tracking" in key[1])
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    assert metric["Dimensions"] == [{"Name": "EndpointName", "Value": "e"}]
    (alarm,) = account.scaled.alarms.values()
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["AlarmActions"][0].endswith("policyName/pipelines-from-zero")
    assert not deploy(account, SLEEPING).changed
    account.scaled.alarms.clear()
    deploy(account, SLEEPING)
    assert account.scaled.alarms
    awake = SLEEPING._replace(scaling=scaled(1, 3, BACKLOG))
    deploy(account, awake)
    assert (account.scaled.names(), account.scaled.alarms) == (["pipelines-target-tracking"], {})


def test_the_count_that_scaling_has_led_to_survives_an_update() -> None:
    """Not none at all, though: a version has to answer before it counts."""
    for instances, kept in ((3, True), (0, False)):
        account = Account({1: A}, instances=instances)
        deploy(account, SCALED)
        account.versions[2] = A
        deploy(account, SCALED)
        assert account.live() == 2
        assert bool(account.updates[-1].get("RetainAllVariantProperties")) is kept
    fixed = Account({1: A}, instances=3)
    deploy(fixed, REALTIME)
    fixed.versions[2] = A
    deploy(fixed, REALTIME)
    assert "RetainAllVariantProperties" not in fixed.updates[-1]


def test_autoscaling_that_was_taken_out_is_removed() -> None:
    """And what has gone with the endpoint leaves no alarm behind."""
    account = Account({1: A})
    deploy(account, SLEEPING)
    deploy(account, SLEEPING._replace(scaling={}))
    assert (account.scaled.targets, account.scaled.policies) == ({}, {})
    assert account.scaled.alarms == {}
    assert not deploy(account, SLEEPING._replace(scaling={})).changed
    deploy(account, SLEEPING)
    account.versions[1] = R
    outcome = deploy(account, SLEEPING._replace(delete_when_none=True))
    assert (account.endpoint, outcome.failed) == (None, ())
    assert (account.scaled.targets, account.scaled.alarms) == ({}, {})


def test_provisioned_concurrency_scales_and_gives_way_to_instances() -> None:
    """The dimension goes with the mode."""
    provisioned = {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 1}
    used = {"TargetValue": 0.7}
    serverless = target(
        variant={"ServerlessConfig": provisioned}, scaling=scaled(1, 4, used, CONCURRENCY)
    )
    account = Account({1: A})
    assert deploy(account, serverless).messages[1] == (
        "let e scale from 1 to 4 units of provisioned concurrency"
    )
    deploy(account, SCALED)
    assert set(account.scaled.targets) == {INSTANCES}


def test_what_others_put_live_does_not_scale() -> None:
    """Its variant has a name of their own; it stays until a version takes its place."""
    account = Account({1: R})
    account.models["theirs"] = {"PrimaryContainer": {"Image": "i"}}
    variants = [{"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}]
    account.configs["theirs"] = {"ProductionVariants": variants}
    account.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "theirs"}
    assert not deploy(account, SCALED).changed
    account.versions[1] = A
    assert deploy(account, SCALED).messages[1] == "let e scale from 1 to 4 instances"


def test_a_role_from_before_there_was_autoscaling_deploys_as_before() -> None:
    """It may not look, so nothing of ours can be there; with autoscaling it is refused."""
    account = Account({1: A})
    account.scaled.denied = True
    assert deploy(account, REALTIME).live == 1
    account.versions[2] = A
    assert deploy(account, REALTIME).live == 2
