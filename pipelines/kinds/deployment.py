"""`kind: deployment`: an endpoint is made to match a model package group (decision 11).

Emits one Processing step that runs the deploy program, never cached, with the role that alone may
change endpoints. It stands in the pipeline, and by itself in `<name>-deploy`, which
approvals start.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, create_model, model_validator

from pipelines.bundle.need import CodeNeed, ProjectFile
from pipelines.diagnostics import Finding
from pipelines.grammar.functions import Get, Value
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.jobs import ProcessingJob, processing
from pipelines.kinds.base.sample import Sample
from pipelines.kinds.modes import Settings, find, names
from pipelines.programs.deploy.variables import (
    ENDPOINT,
    EXECUTION,
    GROUP,
    OUTPUT,
    PREDICTIONS,
    VOLUMES_WITHOUT_KEY,
)
from pipelines.spec.base import SELDOM, Seldom, late
from pipelines.spec.members import RequestMember
from pipelines.spec.names import DEPLOY
from pipelines.spec.references import Template
from pipelines.spec.steps import JobStep, StepSpec
from pipelines.spec.values import FixedScalar, Text, mistake, scalar_text
from pipelines.steptypes.clusters import takes_volume_key

if TYPE_CHECKING:
    from pipelines.kinds.modes.batch import Batch
    from pipelines.spec.automation import Schedule
else:
    Schedule = late("pipelines.spec.automation", "Schedule")

IMAGE = ("image",)
BATCH = "batch"
_OF_ENDPOINTS = ("endpoint", "sample", "replace", "delete_when_none")
_OF_BATCHES = ("schedule", "on_approval")
_MODES = names()
_KNOWN_SINCE = {"InstancePools": "1.43.67"}
"""Members of requests that not every boto3 knows, and one that does (FACTS 12.8)."""


class DeploymentStep(StepSpec):
    """The keys of a deployment besides those of the modes, which `with_modes` adds."""

    one_of: ClassVar[tuple[str, ...]] = _MODES

    kind: Literal["deployment"]
    group: Annotated[Text, RequestMember("ModelPackageGroupName")] = Field(
        description="The model package group, such as ${steps.register.group}."
    )
    endpoint: Annotated[Text | None, RequestMember("EndpointName")] = Field(
        None, description="The endpoint's name; a `batch` has none."
    )
    sample: Sample | None = Field(
        None,
        description="A request that a new version has to answer; else the update is rolled back.",
    )
    environment: dict[str, FixedScalar] = Field(
        default_factory=dict,
        description="Variables of the model server, over those of the registration.",
    )
    replace: bool = Field(
        False,  # noqa: FBT003 - pydantic's default
        description="Delete the endpoint and create it again where no update leads to this "
        "mode; it does not answer meanwhile.",
    )
    delete_when_none: bool = Field(
        False,  # noqa: FBT003 - pydantic's default
        description="Delete the endpoint when no version of the group is approved any more.",
    )
    on_approval: bool = Field(
        False,  # noqa: FBT003 - pydantic's default
        description="With `batch`: approvals start it, too, in `<pipeline>-deploy`.",
    )
    schedule: Seldom[Schedule] = Field(
        None,
        description="With `batch`: times at which it starts by itself, as `<pipeline>-<step>`.",
    )
    image: Annotated[Text, RequestMember("AppSpecification.ImageUri")] = Field(
        "sklearn-1.9-cpu", description="The image of the job that deploys; it needs boto3."
    )
    instance_type: Annotated[Text, RequestMember("ClusterConfig.InstanceType")] = Field(
        "ml.t3.medium", description="The instance of the job that deploys."
    )
    max_runtime_in_seconds: Annotated[
        int, RequestMember("StoppingCondition.MaxRuntimeInSeconds")
    ] = Field(14_400, description="How long the job may wait for the endpoint.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        self.check_one_of("such as `serverless: {}`")
        is_batch = self.mode == BATCH
        if self.endpoint is None and not is_batch:
            raise mistake("SP125", "needs `endpoint`", "name the endpoint, or use `batch`")
        for key in _OF_ENDPOINTS if is_batch else _OF_BATCHES:
            if key in self.model_fields_set:
                message = "has no effect with `batch`" if is_batch else "is for `batch` alone"
                raise mistake("SP125", message, "remove it", below=key)
        return self

    @property
    def block(self) -> "Batch | None":
        """The block `batch`; None where there is an endpoint."""
        block: Batch | None = getattr(self, BATCH, None)
        return block

    @property
    def mode(self) -> str:
        """The key of the mode that it is served in."""
        given = self.model_fields_set
        return next(n for n in _MODES if n in given and getattr(self, n) is not None)

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the model server, as texts."""
        return {name: scalar_text(value) for name, value in self.environment.items()}

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The types of the instances that serve, where there are any and they are written out."""
        types: tuple[str, ...] = getattr(getattr(self, self.mode), "instance_types", ())
        return types

    @property
    def settings(self) -> Settings:
        """What the block of the mode becomes."""
        return find(self.mode).settings(getattr(self, self.mode))


def with_modes(given: frozenset[str] | None) -> type[DeploymentStep]:
    """Return the model for a step with these keys: a mode is imported where its key is given.

    A step with a key that there is not gets those of all modes: it may be one of them, misspelt.
    """
    if given is None or not given <= {*DeploymentStep.model_fields, *_MODES}:
        return _with(_MODES)
    return _with(tuple(name for name in _MODES if name in given))


@functools.cache
def _with(modes: tuple[str, ...]) -> type[DeploymentStep]:
    keys: dict[str, Any] = {
        name: (
            Annotated[mode.model | None, SELDOM, mode.member],
            Field(None, description=mode.summary),
        )
        for name, mode in ((name, find(name)) for name in modes)
    }
    summary = "The highest approved version of a group that works answers at an endpoint."
    return create_model("DeploymentStep", __base__=DeploymentStep, __doc__=summary, **keys)


def checks(step: DeploymentStep) -> Iterator[Finding]:
    """A deployment has one group and one endpoint, whichever execution it is of."""
    if step.block is not None:
        for found in step.block.checks():
            yield replace(found, path=(BATCH, *found.path))
    for key, text in (("group", step.group), ("endpoint", step.endpoint)):
        for one in text.references if isinstance(text, Template) else ():
            if one.root == "execution":
                message = f"`{one}` differs in every execution, but `{key}` must stay the same"
                advice = "write it out, or use a parameter"
                yield Finding("SP215", message, (key,), help=advice, within=(one.start, one.end))


def outputs(name: str, step: DeploymentStep) -> Mapping[str, Output]:
    """`endpoint`, the name of the endpoint; of a batch `predictions`, where its results are."""
    if step.block is not None:
        return {PREDICTIONS: Output(Get(f"Steps.{name}.Environment['{OUTPUT}']"))}
    return {"endpoint": Output(Get(f"Steps.{name}.Environment['{ENDPOINT}']"))}


def needs(_name: str, step: DeploymentStep) -> StepNeeds:
    """The image of the job, and the deploy program's bundle with the sample in it."""
    sample, settings = step.sample, step.settings
    config: JsonObject = {
        "mode": step.mode,
        "variant": settings.variant,
        "deployment": settings.deployment,
        "environment": {**settings.environment, **step.variables},
        "sample": sample.request if sample else None,
    }
    if step.block is not None:
        del config["variant"]  # it tells an endpoint, whose rights a batch does not need
        config[BATCH] = step.block.program_request()
    if settings.config:
        config["config"] = settings.config
    further = {
        "replace": step.replace,
        "delete_when_none": step.delete_when_none,
        "scaling": settings.scaling,
        "shadow": settings.shadow,
        VOLUMES_WITHOUT_KEY: bool(step.instance_types)
        and not takes_volume_key(step.instance_types),
    }
    config |= {key: value for key, value in further.items() if value}
    code = CodeNeed(
        "processing",
        program="deploy",
        config=config,
        files=(ProjectFile(sample.file, ("sample",)),) if sample else (),
        requirements=tuple(_boto3(settings)),
        account=True,
    )
    return StepNeeds({IMAGE: ImageNeed(step.image, step.instance_type, "processing")}, code)


def _boto3(settings: Settings) -> Iterator[str]:
    """Yield the requirement of the deployer: the boto3 that knows all members that it asks with.

    The job installs it where its image has an older one.
    """
    known = [since for member, since in _KNOWN_SINCE.items() if member in settings.variant]
    yield f"boto3>={max(known)}" if known else "boto3"


def emit(step: DeploymentStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Processing step; what may be a parameter reaches the program by its environment."""
    job_step = JobStep.of_program(
        max_runtime_in_seconds=step.max_runtime_in_seconds, instance_type=step.instance_type
    )
    named: dict[str, Value] = (
        {ENDPOINT: context.resolve(step.endpoint)}
        if step.block is None
        else step.block.variables(context)
    )
    job = ProcessingJob(
        name=context.name,
        image=context.images[IMAGE],
        inputs={},
        outputs=(),
        role=context.aws.deploys_as,
        environment={
            GROUP: context.resolve(step.group),
            **named,
            EXECUTION: Get("Execution.PipelineExecutionArn"),
        },
    )
    emitted = processing(job_step, job, context)
    return (replace(emitted, requests=_requests(step, job.environment, context)),)


def _requests(
    step: DeploymentStep, environment: Mapping[str, Value], context: EmitContext
) -> Mapping[str, JsonObject]:
    """Write what the deployer will ask for, by the Type that asks for the same."""
    model = {"ModelPackageName": "x", "Environment": step.variables}
    return {
        "Model": {"PrimaryContainer": model},
        "RegisterModel": {"ModelPackageGroupName": environment[GROUP]},
        **(
            _of_endpoint(step, environment, context)
            if step.block is None
            else {"Transform": step.block.request(context)}
        ),
    }


def _of_endpoint(
    step: DeploymentStep, environment: Mapping[str, Value], context: EmitContext
) -> Mapping[str, JsonObject]:
    settings = step.settings
    variant = {"VariantName": "AllTraffic", "ModelName": "x", **settings.variant}
    rollout = {"DeploymentConfig": settings.deployment} if settings.deployment else {}
    config = dict(settings.config)
    if context.aws.kms_key and takes_volume_key(step.instance_types):
        config["KmsKeyId"] = context.aws.kms_key
    if "DataCaptureConfig" in config:  # its place is the deployer's, where none is given
        config["DataCaptureConfig"] = {
            "DestinationS3Uri": "s3://x/x",
            **config["DataCaptureConfig"],
        }
    return {
        "EndpointConfig": {"ProductionVariants": [variant], **config},
        "Endpoint": {
            "EndpointName": environment[ENDPOINT],
            "EndpointConfigName": "x",
            **rollout,
        },
    }


def pipelines(name: str, step: DeploymentStep) -> tuple[str, ...]:
    """Return the suffixes of the pipelines that it also stands in by itself."""
    if step.block is None:
        return (DEPLOY,)
    scheduled = () if step.schedule is None else (name,)
    return (*((DEPLOY,) if step.on_approval else ()), *scheduled)


def copied_step(step: DeploymentStep, copy: str) -> DeploymentStep:
    """Return the step of a copy: the results of its batch lie beside those of the original."""
    if step.block is None:
        return step
    return step.model_copy(update={BATCH: step.block.beside(copy)})


_EXAMPLE = """\
deploy:
  kind: deployment
  after: [register]
  group: flights
  endpoint: flights
  image: sklearn-1.9-cpu
  sample: serving/sample.csv
  serverless:
    memory_size_in_mb: 2048
"""

KIND = Kind(
    DeploymentStep,
    "Processing",
    "Make an endpoint serve the highest approved version of a group.",
    emit,
    outputs,
    needs,
    checks,
    stands_alone=pipelines,
    copied=copied_step,
    makes={"endpoint": "endpoint"},
    uses={"model-package-group": "group"},
    example=_EXAMPLE,
    with_keys=with_modes,
)
