"""Endpoints through their states, and what the service would refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting import provisioner
from pipelines.backends.local.operations.invocations import ModelError
from tests.local.hosting.conftest import ROLE, SERVERLESS, HostedLocal


def test_an_endpoint_is_creating_then_in_service(local: HostedLocal) -> None:
    """CreateEndpoint returns at once; only an endpoint in service is found by its runtime."""
    local.config("c", "slow")
    local.create_endpoint(EndpointName="e", EndpointConfigName="c")
    described = local.describe_endpoint(EndpointName="e")
    assert described["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in described
    with pytest.raises(ServiceError, match="Endpoint e of account 000000000000 not found"):
        local.ask("e")
    local.starts.gate.set()
    described = local.described("e")
    assert described["EndpointStatus"] == "InService"
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("A", 1)
    assert local.ask("e") == "slow"


def test_a_model_that_does_not_load_makes_a_failed_endpoint(local: HostedLocal) -> None:
    """The reason is the model's; a failed endpoint can only be deleted."""
    local.config("c", "broken")
    local.config("d")
    described = local.create("e", "c")
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == "the model does not load: no weights"
    with pytest.raises(ServiceError, match="in status Failed"):
        local.update("e", "d")
    local.delete_endpoint(EndpointName="e")
    assert local.create("e", "d")["EndpointStatus"] == "InService"


def test_an_update_serves_the_old_fleet_until_the_new_one_answers(local: HostedLocal) -> None:
    """Blue/green: Updating, with what is pending; then the new one, and the old one is stopped."""
    local.config("c1", "one")
    local.config("c2", "slow")
    local.create("e", "c1")
    local.update_endpoint(EndpointName="e", EndpointConfigName="c2")
    described = local.describe_endpoint(EndpointName="e")
    assert described["EndpointStatus"] == "Updating"
    assert described["EndpointConfigName"] == "c1"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "c2"
    assert local.ask("e") == "one"
    with pytest.raises(ServiceError, match="Cannot update in-progress endpoint"):
        local.update("e", "c2")
    local.starts.gate.set()
    assert local.described("e")["EndpointConfigName"] == "c2"
    assert local.ask("e") == "slow"
    local.close()
    assert [fleet.stopped for fleet in local.starts.fleets] == [True, True]


def test_a_failed_update_goes_back_to_what_was_served(local: HostedLocal) -> None:
    """The service's rollback: InService on the old config, with the reason."""
    local.config("c1", "one")
    local.config("c2", "broken")
    local.create("e", "c1")
    described = local.update("e", "c2")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "c1"
    assert described["FailureReason"] == "the model does not load: no weights"
    assert local.ask("e") == "one"
    local.config("c3", "three")
    assert "FailureReason" not in local.update("e", "c3")


def test_serverless_becomes_real_time_but_not_back(local: HostedLocal) -> None:
    """FACTS 5.2: the one direction is an update, the other is refused."""
    local.config("less", "less", **SERVERLESS)
    local.config("time", "time")
    described = local.create("e", "less")
    assert described["ProductionVariants"][0]["CurrentServerlessConfig"]["MaxConcurrency"] == 5
    assert local.update("e", "time")["EndpointStatus"] == "InService"
    with pytest.raises(ServiceError, match="cannot change from an instance to serverless"):
        local.update("e", "less")


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("create_endpoint", {"EndpointConfigName": "no"}, "Could not find endpoint configuration"),
        ("create_endpoint", {"EndpointConfigName": "c"}, "Cannot create already existing endpoint"),
        ("update_endpoint", {"EndpointConfigName": "c"}, "serves the endpoint configuration c"),
        ("update_endpoint", {"EndpointConfigName": "no"}, "Could not find endpoint configuration"),
    ],
)
def test_endpoints_are_refused_as_the_service_refuses_them(
    local: HostedLocal, operation: str, request_: dict[str, str], message: str
) -> None:
    """ValidationException, and nothing changes."""
    local.config("c")
    local.create("e", "c")
    with pytest.raises(ServiceError, match=message):
        getattr(local, operation)(EndpointName="e", **request_)
    assert local.described("e")["EndpointStatus"] == "InService"


@pytest.mark.parametrize("operation", ["describe_endpoint", "delete_endpoint"])
def test_a_missing_endpoint_is_named(local: HostedLocal, operation: str) -> None:
    """By its ARN, as the service does."""
    with pytest.raises(ServiceError, match=r'Could not find endpoint "arn:.*:endpoint/no"'):
        getattr(local, operation)(EndpointName="no")


def test_configs_are_checked(local: HostedLocal) -> None:
    """A duplicate, a missing model, no size, both sizes, a wrong memory."""
    local.config("c")
    create = local.create_endpoint_config
    variant = {"VariantName": "A", "ModelName": "m-c"}
    wrong = [
        ({**variant, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}, "already existing"),
        (variant, "neither InstanceType nor ServerlessConfig"),
        ({**variant, **SERVERLESS, "InstanceType": "ml.m5.large"}, "an instance and a Serverless"),
        (
            {**variant, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}},
            "MemorySizeInMB must be one of 1024",
        ),
        ({**variant, **SERVERLESS, "ModelName": "no"}, "Could not find model"),
    ]
    for given, message in wrong:
        with pytest.raises(ServiceError, match=message):
            create(EndpointConfigName="c", ProductionVariants=[given])
    assert [
        one["EndpointConfigName"] for one in local.list_endpoint_configs()["EndpointConfigs"]
    ] == ["c"]


def test_an_endpoint_outlives_its_config(
    local: HostedLocal, another: Callable[[], HostedLocal]
) -> None:
    """SDK v2 deletes the config first, then the endpoint; the service accepts it."""
    local.config("c")
    local.create("e", "c")
    local.delete_endpoint_config(EndpointConfigName="c")
    assert local.list_endpoint_configs()["EndpointConfigs"] == []
    assert local.ask("e") == "one"
    assert another().ask("e") == "one"
    local.delete_endpoint(EndpointName="e")


def test_a_model_is_made_of_an_approved_package_only(local: HostedLocal) -> None:
    """Its container comes out of the package, the model's environment on top."""
    local.create_model_package_group(ModelPackageGroupName="g")
    container = {"Image": "packaged", "ModelDataUrl": "s3://b/m", "Environment": {"A": "1"}}
    arn = local.create_model_package(
        ModelPackageGroupName="g",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    model = {"ModelPackageName": arn, "Environment": {"B": "2"}}
    with pytest.raises(ServiceError, match="approval status PendingManualApproval"):
        local.create_model(ModelName="m", PrimaryContainer=model, ExecutionRoleArn=ROLE)
    local.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    local.create_model(ModelName="m", PrimaryContainer=model, ExecutionRoleArn=ROLE)
    variants = [{"VariantName": "A", "ModelName": "m", **SERVERLESS}]
    local.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    local.create("e", "c")
    assert local.ask("e") == "packaged"
    assert local.starts.fleets[0].spec.container["Environment"] == {"A": "1", "B": "2"}


def test_requests_are_refused_as_the_runtime_refuses_them(local: HostedLocal) -> None:
    """Too large, too many, a container's own 400, no answer: each with the runtime's error."""
    local.config("c", "one", **SERVERLESS)
    local.create("e", "c")
    with pytest.raises(ServiceError, match="serverless endpoint takes at most 4194304") as caught:
        local.ask("e", b"x" * (5 << 20))
    assert caught.value.code == "ValidationError"
    with pytest.raises(ServiceError, match="Rate exceeded") as caught:
        local.ask("e", b"busy")
    assert caught.value.code == "ThrottlingException"
    with pytest.raises(ModelError, match=r'client error \(400\) from A.*"no such feature"') as bad:
        local.ask("e", b"bad")
    assert bad.value.members["OriginalStatusCode"] == 400
    with pytest.raises(ModelError, match="killed by SIGKILL"):
        local.ask("e", b"die")
    with pytest.raises(ServiceError, match="Variant B not found"):
        local.ask("e", TargetVariant="B")


def test_variants_share_requests_by_weight(local: HostedLocal) -> None:
    """A variant without weight gets none, but can be asked for; weights change in place."""
    local.config("a", "one")
    local.config("b", "two")
    size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variants = [
        {"VariantName": "A", "ModelName": "m-a", "InitialVariantWeight": 0.0, **size},
        {"VariantName": "B", "ModelName": "m-b", "InitialVariantWeight": 1.0, **size},
    ]
    local.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    local.create("e", "c")
    assert {local.ask("e") for _ in range(20)} == {"two"}
    assert local.ask("e", TargetVariant="A") == "one"
    local.update_endpoint_weights_and_capacities(
        EndpointName="e",
        DesiredWeightsAndCapacities=[
            {"VariantName": "A", "DesiredWeight": 1.0, "DesiredInstanceCount": 3},
            {"VariantName": "B", "DesiredWeight": 0.0},
        ],
    )
    first, second = local.described("e")["ProductionVariants"]
    assert (first["CurrentInstanceCount"], second["CurrentInstanceCount"]) == (3, 1)
    assert {local.ask("e") for _ in range(20)} == {"one"}


def test_lists_are_paged_sorted_and_filtered(local: HostedLocal) -> None:
    """The newest first; NextToken, NameContains, StatusEquals, SortBy."""
    local.config("c")
    local.config("broken", "broken")
    for name in ("e1", "e2", "f1"):
        local.create(name, "broken" if name == "e2" else "c")
    names: list[str] = []
    request: dict[str, str] = {}
    while True:
        page = local.list_endpoints(MaxResults=2, **request)
        names += [one["EndpointName"] for one in page["Endpoints"]]
        if "NextToken" not in page:
            break
        request = {"NextToken": page["NextToken"]}
    assert names == ["f1", "e2", "e1"]
    listed = local.list_endpoints(
        NameContains="e", StatusEquals="InService", SortBy="Name", SortOrder="Ascending"
    )["Endpoints"]
    assert [one["EndpointName"] for one in listed] == ["e1"]


def test_another_process_serves_and_follows_updates(
    local: HostedLocal, another: Callable[[], HostedLocal]
) -> None:
    """A process that did not provision an endpoint starts its fleet once, and swaps it later."""
    local.config("c1", "one")
    local.config("c2", "two")
    local.create("e", "c1")
    other = another()
    assert other.ask("e") == "one"
    assert [fleet.proven for fleet in other.starts.fleets] == [True]
    local.update("e", "c2")
    assert other.ask("e") == "two"
    local.delete_endpoint(EndpointName="e")
    with pytest.raises(ServiceError, match="not found"):
        other.ask("e")


def test_tags_are_kept_with_endpoints_and_configs(local: HostedLocal) -> None:
    """AddTags and ListTags know their ARNs; deleting takes the tags along."""
    local.config("c")
    local.create_endpoint(
        EndpointName="e", EndpointConfigName="c", Tags=[{"Key": "a", "Value": "1"}]
    )
    arn = local.described("e")["EndpointArn"]
    assert local.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    local.delete_endpoint(EndpointName="e")
    with pytest.raises(ServiceError, match="does not exist"):
        local.list_tags(ResourceArn=arn)


def test_the_end_of_serve_does_not_wait_for_a_request_that_takes_long(
    local: HostedLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An asynchronous one may take an hour: after some seconds it fails, as in a lost instance."""
    monkeypatch.setattr(provisioner, "_CLOSING_SECONDS", 0.1)
    local.config("of-long-requests", image="endless")
    local.create("endpoint", "of-long-requests")
    local.close()
    assert local.starts.fleets[0].interrupted.is_set()
