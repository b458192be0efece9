"""An account in memory: the calls of boto3's that a deployment makes, with the service's states."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.programs.deploy.model import DeploymentTarget, SampleRequest
from pipelines.programs.deploy.observe import Clients
from tests.unit.programs.allowed import Allowed
from tests.unit.programs.object_account import S3, Paginator
from tests.unit.programs.refusals import refusal
from tests.unit.programs.scaling_account import CONCURRENCY, INSTANCES, Alarms, Scaled, Scaling

GROUP = "g"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/g/"


_TYPES = ("InstanceType", "InstancePools")
KILLED = "the model server was killed by SIGKILL (out of memory?) while it loaded the model"


class KilledError(BaseException):
    """The process was killed before this call was answered."""


def target(**changes: Any) -> DeploymentTarget:
    """Make a serverless target."""
    plain = DeploymentTarget(
        group=GROUP,
        endpoint="e",
        history="s3://b/p/deployments/e",
        role="arn:aws:iam::111122223333:role/x",
        mode="serverless",
        variant={"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
        environment={},
        config={},
        model={},
        deployment={},
        tags={},
        sample=SampleRequest(b"{}", "application/json"),
    )
    return plain._replace(**changes)


def _number(container: dict[str, Any]) -> int:
    """Say which version a container serves, by its package or by its image; 0 for none."""
    named = str(container.get("ModelPackageName", "")).rpartition("/")[2]
    number = named or str(container.get("Image", "")).partition(":")[2]
    return int(number) if number.isdigit() else 0


@dataclass
class Account:
    """Everything of one account; changes take `delay` looks until they have ended.

    Attributes:
        versions: approval status by version number.
        broken: versions whose model does not load.
        killed: how often the machine still kills the process of a version that loads.
        kill_reason: what the endpoint says then.
        mute: versions that load and then refuse every request, as every one does whose
            environment says so.
        refusal: what they say.
        busy: how many requests are still refused because too many come.
        containers: how many containers a version has, where it is not one.
        archives: what was recorded of a version's archive, where anything was.
        tags: the ETags of the archives that are there, by key.
        refused: the message with which CreateModel refuses a version, always.
        statuses: the status of a version's registration, where it is not Completed.
        calls: names of the calls that change something, in order.
        actions: the IAM actions that all calls together needed.
        kill_at: the changing call before which, or after which, the process is killed.
        scaled: how the endpoint scales.
        instances: how many instances its variant has now.
        updates: the requests of UpdateEndpoint.
    """

    versions: dict[int, str] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    killed: dict[int, int] = field(default_factory=dict)
    kill_reason: str = KILLED
    mute: set[int] = field(default_factory=set)
    refusal: str = "no such feature"
    busy: int = 0
    containers: dict[int, int] = field(default_factory=dict)
    archives: dict[int, dict[str, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    statuses: dict[int, str] = field(default_factory=dict)
    delay: int = 1
    calls: list[str] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)
    kill_at: int | None = None
    kill_after: bool = False
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoint: dict[str, Any] | None = None
    objects: dict[str, bytes] = field(default_factory=dict)
    looks: int = 0
    scaled: Scaled = field(default_factory=Scaled)
    instances: int = 1
    updates: list[dict[str, Any]] = field(default_factory=list)

    @property
    def clients(self) -> Clients:
        """The clients of this account."""
        return Clients(
            Allowed("deploy", "sagemaker", SageMaker(self), self.actions),
            Allowed("deploy", "sagemaker", Runtime(self), self.actions),
            Allowed("deploy", "s3", S3(self.objects, self.tags, self.change), self.actions),
            Allowed(
                "deploy",
                "application-autoscaling",
                Scaling(self.scaled, self.change, self.dimensions),
                self.actions,
            ),
            Allowed("deploy", "cloudwatch", Alarms(self.scaled, self.change), self.actions),
        )

    def change(self, name: str, effect: Callable[[], None]) -> None:
        """Do what a changing call does, unless the process is killed there."""
        number = len(self.calls)
        self.calls.append(name)
        if number == self.kill_at and not self.kill_after:
            raise KilledError
        effect()
        if number == self.kill_at:
            raise KilledError

    def version_of(self, config: str) -> int:
        """Say which version a config serves; 0 where its model comes from no package."""
        return self._version(self.configs[config]["ProductionVariants"][0])

    def shadow_of(self, config: str) -> int:
        """Say which version gets copies of the requests of a config; 0 for none."""
        shadows = self.configs[config].get("ShadowProductionVariants", ())
        return next((self._version(one) for one in shadows), 0)

    def _version(self, variant: dict[str, Any]) -> int:
        return _number(self.models[variant["ModelName"]].get("PrimaryContainer", {}))

    def is_serverless(self, config: str) -> bool:
        """Say whether a config is serverless."""
        return "ServerlessConfig" in self.configs[config]["ProductionVariants"][0]

    def is_asynchronous(self, config: str) -> bool:
        """Say whether a config is asynchronous."""
        return "AsyncInferenceConfig" in self.configs[config]

    def dimensions(self) -> tuple[str, ...]:
        """Say which numbers of the variant may be scaled; none while it changes."""
        if self.endpoint is None or self.endpoint["EndpointStatus"] != "InService":
            return ()
        variant = self.configs[self.endpoint["EndpointConfigName"]]["ProductionVariants"][0]
        serverless = variant.get("ServerlessConfig")
        if serverless is None:
            return (INSTANCES,)
        return (CONCURRENCY,) if "ProvisionedConcurrency" in serverless else ()

    def live(self) -> int | None:
        """Say which version is in service."""
        if self.endpoint is None or self.endpoint["EndpointStatus"] != "InService":
            return None
        return self.version_of(self.endpoint["EndpointConfigName"])

    def check_scaled(self, served: str, config: str) -> None:
        """Refuse an update to other instances while how many there are is scaled."""
        types = [
            {m: self.configs[one]["ProductionVariants"][0].get(m) for m in _TYPES}
            for one in (served, config)
        ]
        if self.scaled.targets and types[0] != types[1]:
            raise refusal("UpdateEndpoint", "the variant is registered as a scalable target")

    def environment(self) -> dict[str, str]:
        """Give the environment of what is served."""
        assert self.endpoint is not None
        config = self.configs[self.endpoint["EndpointConfigName"]]
        model = self.models[config["ProductionVariants"][0]["ModelName"]]
        environment: dict[str, str] = model["PrimaryContainer"].get("Environment", {})
        return environment

    def look(self) -> None:
        """Let time pass: a change under way comes to its end."""
        if self.endpoint is None or "wanted" not in self.endpoint:
            return
        self.looks += 1
        if self.looks < self.delay:
            return
        self.looks = 0
        wanted = self.endpoint.pop("wanted")
        reason = self._failure(self.version_of(wanted)) or self._failure(self.shadow_of(wanted))
        if reason is None:
            self.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": wanted}
        else:
            creating = self.endpoint["EndpointStatus"] == "Creating"
            status = "Failed" if creating else "InService"
            self.endpoint.update(EndpointStatus=status, FailureReason=reason)

    def _failure(self, version: int) -> str | None:
        if version in self.broken:
            return "does not load"
        if self.killed.get(version, 0) > 0:
            self.killed[version] -= 1
            return self.kill_reason
        return None

    def outcomes(self) -> list[tuple[int, str]]:
        """Read the history: version and outcome, in order."""
        history = [key for key in sorted(self.objects) if "/deployments/" in key]
        read = [json.loads(self.objects[key]) for key in history]
        return [(one["version"], one["outcome"]) for one in read]


@dataclass
class SageMaker:
    """The sagemaker client."""

    account: Account

    def get_paginator(self, operation: str) -> Paginator:
        """List what there is."""
        account = self.account
        match operation:
            case "list_model_package_groups":
                groups = [{"ModelPackageGroupName": GROUP}] if account.versions else []
                return Paginator({"ModelPackageGroupSummaryList": groups})
            case "list_model_packages":
                packages = [
                    {
                        "ModelPackageArn": f"{ARN}{number}",
                        "ModelApprovalStatus": status,
                        "ModelPackageStatus": account.statuses.get(number, "Completed"),
                    }
                    for number, status in sorted(account.versions.items(), reverse=True)
                ]
                return Paginator({"ModelPackageSummaryList": packages})
            case "list_models":
                return Paginator({"Models": [{"ModelName": name} for name in account.models]})
            case "list_endpoint_configs":
                configs = [{"EndpointConfigName": name} for name in account.configs]
                return Paginator({"EndpointConfigs": configs})
            case "list_endpoints":
                names = ["e-other"] if account.endpoint is None else ["e", "e-other"]
                return Paginator({"Endpoints": [{"EndpointName": name} for name in names]})
            case _:
                raise NotImplementedError(operation)

    def describe_endpoint(self, **_request: Any) -> dict[str, Any]:
        """Look at the endpoint."""
        self.account.look()
        assert self.account.endpoint is not None
        config = self.account.configs[self.account.endpoint["EndpointConfigName"]]
        name = config["ProductionVariants"][0]["VariantName"]
        variants = [{"VariantName": name, "CurrentInstanceCount": self.account.instances}]
        return {**self.account.endpoint, "ProductionVariants": variants}

    def describe_endpoint_config(self, **request: Any) -> dict[str, Any]:
        """Look at a config."""
        return self.account.configs[request["EndpointConfigName"]]

    def describe_model_package(self, **request: Any) -> dict[str, Any]:
        """Look at a version; one without containers has no inference specification."""
        number = int(request["ModelPackageName"].rpartition("/")[2])
        count = self.account.containers.get(number, 1)
        containers = [
            {"Image": f"i{index}:{number}", **self.account.archives.get(number, {})}
            for index in range(count)
        ]
        return {"InferenceSpecification": {"Containers": containers}} if containers else {}

    def describe_model(self, **request: Any) -> dict[str, Any]:
        """Look at a model."""
        return self.account.models[request["ModelName"]]

    def create_model(self, **request: Any) -> None:
        """Create a model out of an approved package."""
        account, name = self.account, request["ModelName"]
        container = request["PrimaryContainer"]
        named = "ModelPackageName" in container
        number = _number(container)
        if name in account.models or (named and account.versions[number] != "Approved"):
            raise refusal("CreateModel", "exists, or is not approved")
        if number in account.refused:
            raise refusal("CreateModel", account.refused[number])
        account.change("create_model", lambda: account.models.update({name: request}))

    def create_endpoint_config(self, **request: Any) -> None:
        """Create a config."""
        account, name = self.account, request["EndpointConfigName"]
        if name in account.configs:
            raise refusal("CreateEndpointConfig", "exists")
        account.change("create_config", lambda: account.configs.update({name: request}))

    def create_endpoint(self, **request: Any) -> None:
        """Begin to create the endpoint."""
        account, config = self.account, request["EndpointConfigName"]
        if account.endpoint is not None:
            raise refusal("CreateEndpoint", "exists")

        def effect() -> None:
            account.endpoint = {
                "EndpointStatus": "Creating",
                "EndpointConfigName": config,
                "wanted": config,
            }

        account.change(f"create {account.version_of(config)}", effect)

    def update_endpoint(self, **request: Any) -> None:
        """Begin to update the endpoint."""
        account, config = self.account, request["EndpointConfigName"]
        endpoint = account.endpoint
        if endpoint is None or endpoint["EndpointStatus"] != "InService":
            raise refusal("UpdateEndpoint", "in progress, failed, or not there")
        served = endpoint["EndpointConfigName"]
        assert config != served, "an update to what is served"
        if account.is_asynchronous(config) != account.is_asynchronous(served):
            raise refusal("UpdateEndpoint", "asynchronous inference cannot be switched on or off")
        if account.is_serverless(config) and not account.is_serverless(served):
            raise refusal("UpdateEndpoint", "cannot change from an instance to serverless")
        account.check_scaled(served, config)
        if "DeploymentConfig" in request and account.is_serverless(served):
            raise refusal("UpdateEndpoint", "no guardrails for serverless")

        def effect() -> None:
            endpoint.update(EndpointStatus="Updating", wanted=config)
            account.updates.append(request)
            endpoint.pop("FailureReason", None)

        account.change(f"update {account.version_of(config)}", effect)

    def delete_endpoint(self, **_request: Any) -> None:
        """Delete the endpoint."""
        account = self.account

        def effect() -> None:
            account.endpoint = None

        account.change("delete", effect)


@dataclass
class Runtime:
    """The sagemaker-runtime client."""

    account: Account

    def invoke_endpoint(self, **_request: Any) -> dict[str, Any]:
        """Answer, or refuse."""
        self._admit("InvokeEndpoint")
        if self._is_asynchronous:
            raise refusal("InvokeEndpoint", "the endpoint is asynchronous", "ValidationError")
        if self._is_mute:
            raise refusal("InvokeEndpoint", self.account.refusal, "ModelError")
        return {"Body": io.BytesIO(b"{}")}

    def invoke_endpoint_async(self, **request: Any) -> dict[str, Any]:
        """Write an answer or an error, each where the config says."""
        self._admit("InvokeEndpointAsync")
        if not self._is_asynchronous:
            raise refusal("InvokeEndpointAsync", "it is not asynchronous", "ValidationError")
        assert request["InputLocation"].removeprefix("s3://b/") in self.account.objects
        if self._is_mute:
            self.account.objects["errors/x"] = b'{"Message": "no such feature"}'
        else:
            self.account.objects["answers/x"] = b"{}"
        return {"OutputLocation": "s3://b/answers/x", "FailureLocation": "s3://b/errors/x"}

    def _admit(self, operation: str) -> None:
        if self.account.busy > 0:
            self.account.busy -= 1
            error = refusal(operation, "Rate exceeded", "ThrottlingException")
            error.response["ResponseMetadata"] = {
                "HTTPHeaders": {},
                "HTTPStatusCode": 429,
                "HostId": "",
                "RequestId": "1",
                "RetryAttempts": 0,
            }
            raise error

    @property
    def _is_asynchronous(self) -> bool:
        assert self.account.endpoint is not None
        return self.account.is_asynchronous(self.account.endpoint["EndpointConfigName"])

    @property
    def _is_mute(self) -> bool:
        return self.account.live() in self.account.mute or "MUTE" in self.account.environment()
