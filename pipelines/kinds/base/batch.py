"""The keys of a batch of records, and the request for its Transform job.

What the service refuses beside the shapes stands on the Type: `steptypes/transform.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from pipelines.diagnostics import Finding, Severity
from pipelines.frozen import frozen
from pipelines.grammar.names import camel_case
from pipelines.json_types import Json, JsonObject
from pipelines.spec.base import ShortFormModel, SpecModel
from pipelines.spec.instances import InstanceType
from pipelines.spec.members import RequestMember, declared, fields_of, is_model, type_below
from pipelines.spec.references import Template
from pipelines.spec.s3_places import S3Place
from pipelines.spec.values import AnyFixedText, Integer
from pipelines.steptypes.clusters import takes_volume_key

_SPLIT: Final = {"none": "None", "line": "Line", "recordio": "RecordIO", "tfrecord": "TFRecord"}
_STRATEGY: Final = {"single": "SingleRecord", "multi": "MultiRecord"}
_ASSEMBLE: Final = {"none": "None", "line": "Line"}
_JOIN: Final = {"none": "None", "input": "Input"}


class Records(ShortFormModel):
    """The objects whose records the model gets."""

    from_: Annotated[S3Place, RequestMember("DataSource.S3DataSource.S3Uri")] = Field(
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
    content_type: Annotated[AnyFixedText | None, RequestMember("TransformInput.ContentType")] = (
        Field(None, description="Media type of the records, such as text/csv.")
    )
    accept: Annotated[AnyFixedText | None, RequestMember("TransformOutput.Accept")] = Field(
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
    input_filter: Annotated[AnyFixedText | None, RequestMember("DataProcessing.InputFilter")] = (
        Field(None, description="JSONPath of what the model gets of a record, such as $[1:].")
    )
    output_filter: Annotated[AnyFixedText | None, RequestMember("DataProcessing.OutputFilter")] = (
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
    instance_type: Annotated[InstanceType, RequestMember("TransformResources.InstanceType")] = (
        Field("ml.m5.xlarge", description="Such as ml.m5.xlarge.")
    )
    instance_count: Annotated[Integer, RequestMember("TransformResources.InstanceCount")] = Field(
        1, description="How many instances; each gets a share of the objects."
    )


@frozen
class BatchRequest:
    """Writes CreateTransformJob, without names and tags.

    Args:
        keys: what is processed, and how.
        output: where the results go.
        source: where the input is.
        resolve: a literal or template of the step → the value in the request.
        kms_key: encrypts volumes and results; None for the service's own key.
    """

    keys: BatchKeys
    output: Json
    source: Json
    resolve: Callable[[Json], Json]
    kms_key: str | None = None

    def written(self) -> JsonObject:
        """Return the request."""
        keys = self.keys
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
            "ModelClientConfig": self._given(client),
            "DataProcessing": self._given(processing),
        }
        return {
            "TransformInput": self._input(),
            "TransformOutput": self._output(),
            "TransformResources": self._resources(),
            **self._given(numbers),
            **{key: value for key, value in optional.items() if value},
        }

    def _given(self, members: Mapping[str, str | int | Template | None]) -> JsonObject:
        return {k: self.resolve(value) for k, value in members.items() if value is not None}

    def _input(self) -> JsonObject:
        source = self.keys.input
        s3 = {"S3DataType": source.data_type, "S3Uri": self.source}
        written: JsonObject = {
            "DataSource": {"S3DataSource": s3},
            "CompressionType": source.compression_type,
            "SplitType": _SPLIT[self.keys.split],
        }
        return {**written, **self._given({"ContentType": self.keys.content_type})}

    def _output(self) -> JsonObject:
        members = {
            "Accept": self.keys.accept,
            "AssembleWith": _ASSEMBLE[self.keys.assemble],
            "KmsKeyId": self.kms_key,
        }
        return {"S3OutputPath": self.output, **self._given(members)}

    def _resources(self) -> JsonObject:
        one = self.keys.instance_type
        members = {
            "InstanceType": one,
            "InstanceCount": self.keys.instance_count,
            "VolumeKmsKeyId": self.kms_key if takes_volume_key((one,)) else None,
        }
        return self._given(members)


_WORDS: Final = {"split": _SPLIT, "strategy": _STRATEGY, "assemble": _ASSEMBLE, "join": _JOIN}


def batch_keys(request: JsonObject, model: type[BaseModel] = BatchKeys) -> JsonObject:
    """Return the keys that became a request: what `BatchRequest` has written."""
    found: JsonObject = {}
    for name, field in fields_of(model).items():
        member = declared(field)
        path = member.paths[0] if member else (camel_case(name),)
        value: Json = request
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        inner = type_below(model, name)
        if value is not None:
            found[name] = batch_keys(value, inner) if is_model(inner) else _word(name, value)
    return found


def _word(key: str, value: Json) -> Json:
    """Return what a key has for a value of the request."""
    return next((word for word, one in _WORDS.get(key, {}).items() if one == value), value)


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
