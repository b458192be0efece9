"""The keys of a batch of records, and the request for its Transform job.

What the service refuses beside the shapes stands on the Type: `steptypes/transform.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from pipelines.diagnostics import Finding, Severity
from pipelines.grammar.functions import Value
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.base.jobs import text
from pipelines.spec.base import ShortFormModel, SpecModel
from pipelines.spec.members import RequestMember
from pipelines.spec.references import Template
from pipelines.spec.values import AnyScalar, FixedText, Integer, Text

_SPLIT: Final = {"none": "None", "line": "Line", "recordio": "RecordIO", "tfrecord": "TFRecord"}
_STRATEGY: Final = {"single": "SingleRecord", "multi": "MultiRecord"}
_ASSEMBLE: Final = {"none": "None", "line": "Line"}
_JOIN: Final = {"none": "None", "input": "Input"}


class Records(ShortFormModel):
    """The objects whose records the model gets."""

    from_: Annotated[Text, RequestMember("DataSource.S3DataSource.S3Uri")] = Field(
        alias="from", description="A `${data…}` or `${steps…}` reference, or an s3:// prefix."
    )
    data_type: Annotated[
        Literal["S3Prefix", "ManifestFile"], RequestMember("DataSource.S3DataSource.S3DataType")
    ] = Field("S3Prefix", description="S3Prefix, or ManifestFile where it names a manifest.")
    compression_type: Literal["None", "Gzip"] = Field(
        "None", description="Gzip where the objects are compressed."
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `from`."""
        return {"from": text}


class BatchKeys(SpecModel):
    """What is processed, how it is cut into requests, and what is kept of the results."""

    input: Annotated[Records, RequestMember("TransformInput")] = Field(
        description="The objects to process: `${data…}`, `${steps…}` or an s3:// prefix."
    )
    content_type: Annotated[FixedText | None, RequestMember("TransformInput.ContentType")] = Field(
        None, description="Media type of the records, such as text/csv."
    )
    accept: Annotated[FixedText | None, RequestMember("TransformOutput.Accept")] = Field(
        None, description="Media type of the results."
    )
    split: Annotated[
        Literal["none", "line", "recordio", "tfrecord"], RequestMember("TransformInput.SplitType")
    ] = Field("none", description="What a record of an object is; none: the whole object.")
    strategy: Annotated[Literal["single", "multi"] | None, RequestMember("BatchStrategy")] = Field(
        None, description="One record in a request, or as many as `max_payload_in_mb` allows."
    )
    assemble: Annotated[Literal["none", "line"], RequestMember("TransformOutput.AssembleWith")] = (
        Field("none", description="line: a newline after each result.")
    )
    join: Annotated[Literal["none", "input"], RequestMember("DataProcessing.JoinSource")] = Field(
        "none", description="input: each result stands with its record."
    )
    input_filter: Annotated[FixedText | None, RequestMember("DataProcessing.InputFilter")] = Field(
        None, description="JSONPath of what the model gets of a record, such as $[1:]."
    )
    output_filter: Annotated[FixedText | None, RequestMember("DataProcessing.OutputFilter")] = (
        Field(None, description="JSONPath of what is kept of a result, such as $[0,-1].")
    )
    max_payload_in_mb: Annotated[Integer | None, RequestMember("MaxPayloadInMB")] = Field(
        None, description="Size of a request at most; 6 where it is not given."
    )
    max_concurrent_transforms: Integer | None = Field(
        None, description="Requests to each instance at once."
    )
    invocations_timeout_in_seconds: Annotated[
        Integer | None, RequestMember("ModelClientConfig.InvocationsTimeoutInSeconds")
    ] = Field(None, description="How long the model may take for a request; at most 3600.")
    invocations_max_retries: Annotated[
        Integer | None, RequestMember("ModelClientConfig.InvocationsMaxRetries")
    ] = Field(None, description="How often a request that failed is tried again; at most 3.")
    instance_type: Annotated[Text, RequestMember("TransformResources.InstanceType")] = Field(
        "ml.m5.xlarge", description="Such as ml.m5.xlarge."
    )
    instance_count: Annotated[Integer, RequestMember("TransformResources.InstanceCount")] = Field(
        1, description="How many instances; each gets a share of the objects."
    )
    environment: dict[str, AnyScalar] = Field(
        default_factory=dict,
        description="Variables of the model server for this job; never a secret.",
    )


def transform_request(keys: BatchKeys, output: Value, context: EmitContext) -> JsonObject:
    """Write CreateTransformJob, without names and tags; results go to `output`."""
    numbers = {
        "MaxPayloadInMB": keys.max_payload_in_mb,
        "MaxConcurrentTransforms": keys.max_concurrent_transforms,
    }
    client = {
        "InvocationsTimeoutInSeconds": keys.invocations_timeout_in_seconds,
        "InvocationsMaxRetries": keys.invocations_max_retries,
    }
    processing = {
        "InputFilter": keys.input_filter,
        "OutputFilter": keys.output_filter,
        "JoinSource": _JOIN[keys.join] if keys.join != "none" else None,
    }
    optional = {
        "BatchStrategy": _STRATEGY[keys.strategy] if keys.strategy else None,
        "ModelClientConfig": _given(client, context),
        "DataProcessing": _given(processing, context),
        "Environment": {key: text(value, context) for key, value in keys.environment.items()},
    }
    return {
        "TransformInput": _input(keys, context),
        "TransformOutput": _output(keys, output, context),
        "TransformResources": _resources(keys, context),
        **_given(numbers, context),
        **{key: value for key, value in optional.items() if value},
    }


def _given(
    members: Mapping[str, str | int | Template | None], context: EmitContext
) -> dict[str, Value]:
    return {k: context.resolve(value) for k, value in members.items() if value is not None}


def _input(keys: BatchKeys, context: EmitContext) -> JsonObject:
    source = keys.input
    s3 = {"S3DataType": source.data_type, "S3Uri": context.resolve(source.from_)}
    written: JsonObject = {
        "DataSource": {"S3DataSource": s3},
        "CompressionType": source.compression_type,
        "SplitType": _SPLIT[keys.split],
    }
    return {**written, **_given({"ContentType": keys.content_type}, context)}


def _output(keys: BatchKeys, path: Value, context: EmitContext) -> JsonObject:
    members = {
        "Accept": keys.accept,
        "AssembleWith": _ASSEMBLE[keys.assemble],
        "KmsKeyId": context.aws.kms_key,
    }
    return {"S3OutputPath": path, **_given(members, context)}


def _resources(keys: BatchKeys, context: EmitContext) -> JsonObject:
    members = {
        "InstanceType": keys.instance_type,
        "InstanceCount": keys.instance_count,
        "VolumeKmsKeyId": context.aws.kms_key,
    }
    return _given(members, context)


def batch_checks(keys: BatchKeys) -> Iterator[Finding]:
    """A strategy says something of records only where objects are cut into some."""
    if keys.strategy is not None and keys.split == "none":
        yield Finding(
            "SP130",
            "`strategy` has no effect: each object is one record",
            ("strategy",),
            help="set `split` to line, recordio or tfrecord, or remove it (CreateTransformJob)",
            severity=Severity.WARNING,
        )
