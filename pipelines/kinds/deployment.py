"""`kind: deployment`: an endpoint is made to match a model package group (decision 11).

Emits one Processing step that runs the deploy program, never cached, with the role that alone may
change endpoints. It stands in the pipeline, and by itself in `<name>-deploy`, which
approvals start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.bundle.need import CodeNeed, ProjectFile
from pipelines.diagnostics import Finding
from pipelines.grammar.values import Get, Value
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep, ImageNeed, Kind, Needs, Output
from pipelines.kinds.base.jobs import ProcessingJob, processing
from pipelines.programs.deploy.variables import ENDPOINT, EXECUTION, GROUP
from pipelines.spec.model import JobStep, ShortFormModel, SpecModel, StepSpec
from pipelines.spec.names import DEPLOY
from pipelines.spec.references import Template
from pipelines.spec.values import FixedText, Text, mistake, no_entries

IMAGE = ("image",)
MODES = ("serverless", "realtime")

_LEAST_LINEAR_PERCENT = 10

_ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""A serverless instance answers one request at a time (FACTS 11.1)."""


class Serverless(SpecModel):
    """Nothing runs until a request comes; the first one waits for a cold start."""

    memory_size_in_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = Field(
        2048, description="Memory: 1024 to 6144 in steps of 1024; CPU grows with it."
    )
    max_concurrency: int = Field(
        5, ge=1, le=200, description="Requests that are answered at once; more are refused."
    )
    provisioned_concurrency: int | None = Field(
        None, ge=1, le=200, description="How many of them are kept warm, at a price."
    )


class Rollout(SpecModel):
    """How an update moves requests to the new instances."""

    type: Literal["all_at_once", "canary", "linear"] = Field(
        "all_at_once", description="all_at_once, canary or linear."
    )
    percent: int = Field(
        10, ge=1, le=50, description="Share of the first step (canary) or of each (linear, >= 10)."
    )
    wait_interval_in_seconds: int = Field(
        300, ge=0, le=3600, description="Pause after a step, while the alarms are watched."
    )
    alarms: list[FixedText] = Field(
        default_factory=no_entries,
        description="CloudWatch alarms that take the update back; at most 10.",
    )

    @model_validator(mode="after")
    def _enough_at_once(self) -> Self:
        if self.type == "linear" and self.percent < _LEAST_LINEAR_PERCENT:
            message = f"`percent` cannot be less than {_LEAST_LINEAR_PERCENT} where it is linear"
            raise mistake("SP122", message, below="percent")
        return self


class Realtime(SpecModel):
    """Instances that are always there."""

    instance_type: FixedText = Field(description="Such as ml.m5.large.")
    initial_instance_count: int = Field(1, ge=1, description="How many instances.")
    volume_size_in_gb: int | None = Field(None, ge=1, le=512, description="Storage of each.")
    model_data_download_timeout_in_seconds: int | None = Field(
        None, ge=60, le=3600, description="How long fetching the model may take."
    )
    container_startup_health_check_timeout_in_seconds: int | None = Field(
        None, ge=60, le=3600, description="How long a container may take to answer /ping."
    )
    rollout: Rollout | None = Field(None, description="How an update moves requests.")


class Sample(ShortFormModel):
    """A request that a new version has to answer before it counts as deployed."""

    file: FixedText = Field(description="A file of the project that holds the request's body.")
    content_type: FixedText = Field("application/json", description="Its media type.")

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `file`; a .csv is CSV."""
        return {"file": text, "content_type": "text/csv" if text.endswith(".csv") else _JSON}


_JSON = "application/json"


class DeploymentStep(StepSpec):
    """The highest approved version of a group that works answers at an endpoint."""

    kind: Literal["deployment"]
    group: Text = Field(description="The model package group, such as ${steps.register.group}.")
    endpoint: Text = Field(description="The endpoint's name.")
    serverless: Serverless | None = Field(None, description="Serve without instances.")
    realtime: Realtime | None = Field(None, description="Serve with instances.")
    sample: Sample | None = Field(
        None, description="A request that a new version has to answer; else it is taken back."
    )
    environment: dict[str, FixedText] = Field(
        default_factory=dict,
        description="Variables of the model server, over those of the registration.",
    )
    image: Text = Field(
        "sklearn-1.9-cpu", description="The image of the job that deploys; it needs boto3."
    )
    instance_type: Text = Field("ml.t3.medium", description="The instance of the job that deploys.")
    max_runtime_in_seconds: int = Field(
        14_400, description="How long the job may wait for the endpoint."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [mode for mode in MODES if getattr(self, mode) is not None]
        if len(given) != 1:
            named = " and ".join(f"`{mode}`" for mode in given) or "none"
            message = f"wants exactly one of {', '.join(MODES)}; it has {named}"
            advice = "take all but one away" if given else "such as `serverless: {}`"
            raise mistake("SP125", message, advice)
        return self


def checks(step: DeploymentStep) -> Iterator[Finding]:
    """A deployment has one group and one endpoint, whichever execution it is of."""
    for key, text in (("group", step.group), ("endpoint", step.endpoint)):
        for one in text.references if isinstance(text, Template) else ():
            if one.root == "execution":
                message = f"`{one}` is another one in every execution, and `{key}` has to last"
                yield Finding("SP215", message, (key,), help="write it out, or use a parameter")


def outputs(name: str, _step: DeploymentStep) -> Mapping[str, Output]:
    """`endpoint`, the name of the endpoint."""
    return {"endpoint": Output(Get(f"Steps.{name}.Environment['{ENDPOINT}']"))}


def needs(_name: str, step: DeploymentStep) -> Needs:
    """The image of the job, and the deploy program's bundle with the sample in it."""
    sample = step.sample
    config: JsonObject = {
        "variant": _serverless(step.serverless) if step.serverless else _realtime(step.realtime),
        "deployment": _rollout(step.realtime.rollout if step.realtime else None),
        "environment": {
            **(_ONE_WORKER if step.serverless else {}),
            **step.environment,
        },
        "sample": {"path": sample.file, "content_type": sample.content_type} if sample else None,
    }
    code = CodeNeed(
        "processing",
        program="deploy",
        config=config,
        files=(ProjectFile(sample.file, ("sample",)),) if sample else (),
        requirements=("boto3",),
        account=True,
    )
    return Needs({IMAGE: ImageNeed(step.image, step.instance_type, "processing")}, code)


def emit(step: DeploymentStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step; what may be a parameter reaches the program by its environment."""
    job_step = JobStep.model_validate(
        {
            "kind": "processing",
            "max_runtime_in_seconds": step.max_runtime_in_seconds,
            "instance_type": str(step.instance_type),
        }
    )
    job = ProcessingJob(
        name=context.name,
        image=context.images[IMAGE],
        inputs={},
        outputs=(),
        role=context.aws.deploy_role,
        environment={
            GROUP: context.resolve(step.group),
            ENDPOINT: context.resolve(step.endpoint),
            EXECUTION: Get("Execution.PipelineExecutionArn"),
        },
    )
    emitted = processing(job_step, job, context)
    return (replace(emitted, requests=_requests(step, job.environment)),)


def _requests(step: DeploymentStep, environment: Mapping[str, Value]) -> Mapping[str, JsonObject]:
    """Write what the deployer will ask for, by the Type that asks for the same."""
    variant = _serverless(step.serverless) if step.serverless else _realtime(step.realtime)
    rollout = _rollout(step.realtime.rollout if step.realtime else None)
    return {
        "Model": {
            "PrimaryContainer": {"ModelPackageName": "x", "Environment": dict(step.environment)}
        },
        "EndpointConfig": {
            "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "x", **variant}]
        },
        "Endpoint": {
            "EndpointName": environment[ENDPOINT],
            "EndpointConfigName": "x",
            **({"DeploymentConfig": rollout} if rollout else {}),
        },
        "RegisterModel": {"ModelPackageGroupName": environment[GROUP]},
    }


def _serverless(mode: Serverless) -> JsonObject:
    config = {
        "MemorySizeInMB": mode.memory_size_in_mb,
        "MaxConcurrency": mode.max_concurrency,
    }
    if mode.provisioned_concurrency is not None:
        config["ProvisionedConcurrency"] = mode.provisioned_concurrency
    return {"ServerlessConfig": config}


def _realtime(mode: Realtime | None) -> JsonObject:
    if mode is None:
        return {}
    members = {
        "InstanceType": mode.instance_type,
        "InitialInstanceCount": mode.initial_instance_count,
        "VolumeSizeInGB": mode.volume_size_in_gb,
        "ModelDataDownloadTimeoutInSeconds": mode.model_data_download_timeout_in_seconds,
        "ContainerStartupHealthCheckTimeoutInSeconds": (
            mode.container_startup_health_check_timeout_in_seconds
        ),
    }
    return {name: value for name, value in members.items() if value is not None}


def _rollout(rollout: Rollout | None) -> JsonObject | None:
    """`DeploymentConfig` (FACTS 5.2)."""
    if rollout is None:
        return None
    routing: JsonObject = {
        "Type": rollout.type.upper(),
        "WaitIntervalInSeconds": rollout.wait_interval_in_seconds,
    }
    share = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    if rollout.type == "canary":
        routing["CanarySize"] = share
    elif rollout.type == "linear":
        routing["LinearStepSize"] = share
    written: JsonObject = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
    }
    if rollout.alarms:
        alarms = [{"AlarmName": name} for name in rollout.alarms]
        written["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return written


KIND = Kind(
    DeploymentStep,
    "Processing",
    "Make an endpoint serve the highest approved version of a group.",
    emit,
    outputs,
    needs,
    checks,
    stands_alone=DEPLOY,
)
