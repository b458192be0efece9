"""The parts that every job request has: inputs, outputs, environment, cache, retries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import PurePosixPath
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from pipelines.bundle.need import CodeNeed, ProjectFile, RequirementsFile
from pipelines.diagnostics import Finding, Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import Get, Join, Value, join_path
from pipelines.images.toolkits import SPARK_SUBMIT, is_submitted
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    ImageScope,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.extra import with_extra
from pipelines.runtime.bundle import BY_TOOLKIT
from pipelines.spec.members import members_of
from pipelines.spec.references import Template
from pipelines.spec.steps import Input, JobStep, Retry
from pipelines.spec.values import FixedText, Text, scalar_text
from pipelines.steptypes.clusters import takes_volume_key

INPUT_ROOT = "/opt/ml/processing/input"
OUTPUT_ROOT = "/opt/ml/processing/output"
CODE = "code"
BUNDLE = "bundle.pyz"
EXECUTION_ID = Get("Execution.PipelineExecutionId")

SourceDir: TypeAlias = Annotated[
    FixedText | None,
    Field(
        description="The folder of the script that it runs in, with all its files: `source_dir` of "
        "SageMaker's SDK. Otherwise it runs in the project's folder."
    ),
]
"""What `source_dir:` holds."""

OutputArea: TypeAlias = Literal["runs", "packages"]
"""`runs` is written by jobs with users' code; `packages`, what is registered, never."""


@frozen
class PropertyFileOutput:
    """A JSON file of a processing output whose values other steps may read."""

    name: str
    output: str
    path: str


@frozen
class ProcessingJob:
    """What a kind adds to a Processing step.

    Args:
        name: the emitted step's name.
        image: the resolved image.
        inputs: by name; `code` is added.
        outputs: their names.
        sources: the URIs of inputs that are none of the spec's, by name.
        property_files: JSON files in them.
        arguments: `--key value` pairs of the script.
        role: the role that it runs with, where it is not the one of users' code.
        area: the prefix of the pipeline that its outputs go below.
        environment: variables besides the step's own.
        paths: the folders of inputs and outputs that do not lie at their usual place, by name.
    """

    name: str
    image: Value
    inputs: Mapping[str, Input]
    outputs: tuple[str, ...]
    sources: Mapping[str, Value] = field(default_factory=dict)
    property_files: tuple[PropertyFileOutput, ...] = ()
    arguments: Mapping[str, Json] = field(default_factory=dict)
    role: str | None = None
    area: OutputArea = "runs"
    environment: Mapping[str, Value] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def input_path(self, name: str) -> str:
        """Return the folder of an input in the container."""
        return self.paths.get(name, f"{INPUT_ROOT}/{name}")

    def output_path(self, name: str) -> str:
        """Return the folder of an output in the container."""
        return self.paths.get(name, f"{OUTPUT_ROOT}/{name}")


def processing(step: JobStep, job: ProcessingJob, context: EmitContext) -> EmittedStep:
    """Emit a Processing step that starts the bundle (decision 1), else what the image starts."""
    application: JsonObject = {"ImageUri": job.image}
    if context.code is not None:
        application["ContainerEntrypoint"] = _entrypoint(context.code)
    if job.arguments:
        application["ContainerArguments"] = [
            word
            for key, value in job.arguments.items()
            for word in (f"--{key}", text(value, context))
        ]
    arguments: JsonObject = {
        "AppSpecification": application,
        **_inputs(job, context),
        **_outputs(job, context),
        "ProcessingResources": {"ClusterConfig": _cluster(step, context)},
        "RoleArn": job.role or context.aws.runs_code_as,
        "StoppingCondition": {"MaxRuntimeInSeconds": context.resolve(step.max_runtime_in_seconds)},
        **environment(step, context, job.environment),
        **_network(step, context),
        **tags(context),
    }
    extra: JsonObject = {}
    if job.property_files:
        extra["PropertyFiles"] = [
            {"PropertyFileName": f.name, "OutputName": f.output, "FilePath": f.path}
            for f in job.property_files
        ]
    emitted = EmittedStep(job.name, "Processing", arguments, {**extra, **step_keys(step, context)})
    return with_extra(emitted, step.extra, context)


def _entrypoint(code: str) -> list[str]:
    """Return what starts a bundle, by how its toolkit wants it named."""
    name = PurePosixPath(code).name
    started = SPARK_SUBMIT if name == BY_TOOLKIT else "python3"
    return [started, f"{INPUT_ROOT}/{CODE}/{name}"]


def text(value: Json, context: EmitContext) -> Value:
    """Write a scalar as the text that the service wants (FACTS 11.3); references stay values."""
    return context.resolve(value if isinstance(value, Template) else scalar_text(value))


def output_uri(
    context: EmitContext,
    step: str,
    output: str | None = None,
    area: OutputArea = "runs",
    execution: Value = EXECUTION_ID,
) -> Value:
    """Return where a step's output goes: a prefix of its own for every execution."""
    root = f"s3://{context.aws.bucket}/{context.spec.pipeline}/{area}"
    parts: tuple[Value, ...] = (root, execution, step)
    return join_path(*parts, output) if output else join_path(*parts)


def processing_output(step: str, output: str) -> Get:
    """The URI of a processing step's output."""
    return Get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")


def report_output(step: str, name: str, path: str) -> Output:
    """An output that is one JSON file: its URI, or a value below it."""
    return Output(Join("/", (processing_output(step, name), path)), json=(step, name))


def environment(
    step: JobStep, context: EmitContext, more: Mapping[str, Value] | None = None
) -> JsonObject:
    """`Environment`, left out where empty; `more` are variables of the kind's own."""
    variables = {name: text(value, context) for name, value in step.environment.items()}
    variables |= more or {}
    return {"Environment": variables} if variables else {}


def vpc(context: EmitContext) -> JsonObject:
    """`VpcConfig`, left out where there is none."""
    return {} if context.aws.vpc is None else {"VpcConfig": members_of(context.aws.vpc)}


def tags(context: EmitContext) -> JsonObject:
    """`Tags`, sorted by key, left out where there are none."""
    pairs = [{"Key": key, "Value": value} for key, value in sorted(context.aws.tags.items())]
    return {"Tags": pairs} if pairs else {}


def step_keys(step: JobStep, context: EmitContext) -> JsonObject:
    """The keys beside `Arguments`: cache and retries."""
    keys: JsonObject = {}
    if step.cache is not None and context.cacheable:
        keys["CacheConfig"] = {"Enabled": True, "ExpireAfter": step.cache}
    if step.retry:
        keys["RetryPolicies"] = [_retry(policy) for policy in step.retry]
    return keys


def instances(step: JobStep, context: EmitContext) -> JsonObject:
    """The members that name instances and how many; of several types the first free one is taken.

    The number is the same whatever the type: FACTS 12.8.
    """
    types = [{"InstanceType": context.resolve(one)} for one in step.instance_types]
    chosen = {"InstancePreferences": types} if len(types) > 1 else types[0]
    return {**chosen, "InstanceCount": context.resolve(step.instance_count)}


def volume_key(context: EmitContext, types: Iterable[Text]) -> JsonObject:
    """The key of volumes; none where each instance encrypts storage of its own by itself."""
    key = context.aws.kms_key
    return {"VolumeKmsKeyId": key} if key and takes_volume_key(types) else {}


def job_needs(step: JobStep, scope: ImageScope, code: CodeNeed) -> StepNeeds:
    """What every job step needs: its image and its bundle."""
    types = step.instance_types
    images: dict[Path, ImageNeed] = {("image",): ImageNeed(step.image, types[0], scope, types)}
    return StepNeeds(images, replace(code, by_toolkit=is_submitted(step.image)))


def script(path: str, *at: str) -> ProjectFile:
    """A script of the project, named in the spec at a key of the step."""
    return ProjectFile(path, at, "script")


def folder_of_script(source_dir: str | None) -> str | None:
    """Return a folder as bundles name it."""
    return None if source_dir is None else str(PurePosixPath(source_dir))


def check_source_dir(script: str | None, source_dir: str | None) -> Iterator[Finding]:
    """Find a folder that is not the script's."""
    if source_dir is None or script is None:
        return
    folder = PurePosixPath(source_dir)
    if folder == PurePosixPath():
        message = "`source_dir` is the project's folder, in which every script runs"
        yield Finding("SP130", message, ("source_dir",), help="remove it")
    elif not PurePosixPath(script).is_relative_to(folder):
        message = f"the script `{script}` does not lie in `{source_dir}`"
        own = PurePosixPath(script).parent
        alone = own == PurePosixPath()
        meant = f"`script: {folder / script}`" if alone else f"`source_dir: {own}`"
        advice = f"both begin at the project's folder: write {meant}"
        yield Finding("SP130", message, ("source_dir",), help=advice)


def requirements_file(step: JobStep) -> RequirementsFile | None:
    """The step's own requirements."""
    given = step.requirements
    return RequirementsFile(given.file, given.mode, given.wheels) if given else None


def only_with_script(step: JobStep, **further: object) -> Iterator[Finding]:
    """Find what is the script's in a step without one: the image starts its own entrypoint.

    Args:
        step: a step without a script.
        further: keys of its kind that are the script's too, with what is given.
    """
    given = {"requirements": step.requirements, "include": step.include, **further}
    for key in (key for key, value in given.items() if value):
        message = f"`{key}` is for a script, and this step has none"
        advice = "add `script:`, or remove it: the image starts its own entrypoint"
        yield Finding("SP130", message, (key,), at="key", help=advice)


def _inputs(job: ProcessingJob, context: EmitContext) -> JsonObject:
    inputs = [
        _processing_input(name, job.sources.get(name) or context.resolve(source.from_), source, job)
        for name, source in job.inputs.items()
    ]
    if context.code is not None:
        code = Input.model_validate({"from": context.code})
        inputs.append(_processing_input(CODE, context.code, code, job))
    return {"ProcessingInputs": inputs} if inputs else {}


def _processing_input(name: str, uri: Value, source: Input, job: ProcessingJob) -> JsonObject:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": job.input_path(name),
            "S3DataType": source.data_type,
            "S3InputMode": source.mode,
            "S3DataDistributionType": source.distribution,
            "S3CompressionType": source.compression_type,
        },
    }


def _outputs(job: ProcessingJob, context: EmitContext) -> JsonObject:
    outputs: JsonObject = {
        "Outputs": [
            {
                "OutputName": output,
                "S3Output": {
                    "S3Uri": output_uri(context, job.name, output, job.area),
                    "LocalPath": job.output_path(output),
                    "S3UploadMode": "EndOfJob",
                },
            }
            for output in job.outputs
        ]
    }
    if context.aws.kms_key:
        outputs["KmsKeyId"] = context.aws.kms_key
    return {"ProcessingOutputConfig": outputs} if job.outputs else {}


def _cluster(step: JobStep, context: EmitContext) -> JsonObject:
    return {
        **instances(step, context),
        "VolumeSizeInGB": context.resolve(step.volume_size_in_gb),
        **volume_key(context, step.instance_types),
    }


def _network(step: JobStep, context: EmitContext) -> JsonObject:
    network = vpc(context)
    if step.enable_network_isolation:
        network["EnableNetworkIsolation"] = True
    return {"NetworkConfig": network} if network else {}


def _retry(policy: Retry) -> JsonObject:
    ends = policy.max_attempts is not None or policy.expire_after_min is not None
    return {**({} if ends else {"MaxAttempts": 5}), **members_of(policy)}
