"""Application Auto Scaling and CloudWatch's alarms over HTTP, as the deployer asks for them."""

from __future__ import annotations

from typing import Any

from pipelines.programs.deploy.model import DeploymentTarget
from pipelines.programs.deploy.observe import SERVICES, Clients
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.local.api.conftest import ROLE, Served, refusal

QUICK = Options(pause=0.05)
RESOURCE = "endpoint/e/variant/AllTraffic"
BACKLOG = {
    "MetricName": "ApproximateBacklogSizePerInstance",
    "Namespace": "AWS/SageMaker",
    "Statistic": "Average",
}
SLEEPING = {
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 0,
    "MaxCapacity": 3,
    "TargetTracking": {"TargetValue": 5.0, "CustomizedMetricSpecification": BACKLOG},
}


def asynchronous(**changes: Any) -> DeploymentTarget:
    """Return a target whose endpoint is asynchronous and sleeps where nothing waits."""
    plain = DeploymentTarget(
        group="g",
        endpoint="e",
        history="s3://b/p/deployments/e",
        role=ROLE,
        mode="asynchronous",
        variant={"InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
        environment={},
        config={"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/answers"}}},
        model={},
        deployment={},
        tags={},
        scaling=SLEEPING,
    )
    return plain._replace(**changes)


def test_the_deployer_registers_changes_and_removes_how_an_endpoint_scales(served: Served) -> None:
    """Stock boto3 asks for all of it; twice changes nothing; it goes with the endpoint."""
    served.package("g")
    clients = Clients(*map(served.client, SERVICES))
    made = reconcile(clients, asynchronous(), QUICK)
    assert made.messages == ("g/1 is live", "let e scale from 0 to 3 instances")
    assert not reconcile(clients, asynchronous(), QUICK).changed
    policies = clients.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    names = {one["PolicyName"]: one["Alarms"] for one in policies["ScalingPolicies"]}
    assert set(names) == {"pipelines-target-tracking", "pipelines-from-zero"}
    assert names["pipelines-from-zero"][0]["AlarmName"] == "e-backlog-without-capacity"
    larger = {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    updated = reconcile(clients, asynchronous(variant=larger), QUICK)
    assert updated.messages[1] == "let e scale from 0 to 3 instances"
    awake = {**SLEEPING, "MinCapacity": 1}
    reconcile(clients, asynchronous(variant=larger, scaling=awake), QUICK)
    policies = clients.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    assert [one["Alarms"] for one in policies["ScalingPolicies"]] == [[]]
    reconcile(clients, asynchronous(variant=larger, scaling={}), QUICK)
    targets = clients.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    assert targets["ScalableTargets"] == []


def test_what_could_not_scale_in_an_account_is_refused_here(served: Served) -> None:
    """Variants that are not there, serverless ones without warm capacity, alarms of one's own."""
    served.package("g")
    clients = Clients(*map(served.client, SERVICES))
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": RESOURCE,
        "ScalableDimension": SLEEPING["ScalableDimension"],
    }
    register = clients.scaling.register_scalable_target
    code, message, _ = refusal(register, **target, MinCapacity=1, MaxCapacity=2)
    assert (code, "no variant" in message) == ("ValidationException", True)
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    plain = asynchronous(mode="serverless", variant=serverless, config={}, scaling={})
    assert reconcile(clients, plain, QUICK).live == 1
    code, message, _ = refusal(register, **target, MinCapacity=1, MaxCapacity=2)
    assert "has nothing that" in message
    delete = clients.scaling.deregister_scalable_target
    assert refusal(delete, **target)[0] == "ObjectNotFoundException"
    alarm = {
        "AlarmName": "mine",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    code, message, _ = refusal(clients.alarms.put_metric_alarm, **alarm)
    assert (code, "sets off none" in message) == ("ValidationException", True)
    code, message, _ = refusal(clients.alarms.describe_alarms)
    assert "does not have the operation DescribeAlarms of cloudwatch" in message
