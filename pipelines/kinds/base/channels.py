"""Training channels: inputs from S3, EFS and FSx for Lustre."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.base.jobs import CODE
from pipelines.spec.members import members_of
from pipelines.spec.model import DataSource
from pipelines.spec.references import Template
from pipelines.spec.steps import Input


def channels(inputs: Mapping[str, Input], context: EmitContext) -> JsonObject:
    """`InputDataConfig`: the inputs, and the bundle as the channel `code`; left out where empty."""
    listed = [_channel(name, source, context) for name, source in inputs.items()]
    if context.code is not None:
        code = Input.model_validate({"from": context.code})
        listed.append(_channel(CODE, code, context))
    return {"InputDataConfig": listed} if listed else {}


def _channel(name: str, source: Input, context: EmitContext) -> JsonObject:
    channel: JsonObject = {
        "ChannelName": name,
        "DataSource": _file_system(source, context) or _s3(source, context),
        "InputMode": source.mode,
        "CompressionType": source.compression_type,
    }
    if source.content_type:
        channel["ContentType"] = source.content_type
    if source.record_wrapper_type != "None":
        channel["RecordWrapperType"] = source.record_wrapper_type
    if source.shuffle_seed is not None:
        channel["ShuffleConfig"] = {"Seed": context.resolve(source.shuffle_seed)}
    return channel


def _s3(source: Input, context: EmitContext) -> JsonObject:
    s3: JsonObject = {
        "S3DataType": source.data_type,
        "S3Uri": context.resolve(source.from_),
        "S3DataDistributionType": source.distribution,
    }
    if source.instance_group_names:
        s3["InstanceGroupNames"] = list(source.instance_group_names)
    return {"S3DataSource": s3}


def _file_system(source: Input, context: EmitContext) -> JsonObject | None:
    data = _data_source(source, context)
    for kind, system in (("EFS", data.efs), ("FSxLustre", data.fsx)) if data else ():
        if system is not None:
            return {"FileSystemDataSource": {"FileSystemType": kind, **members_of(system)}}
    return None


def _data_source(source: Input, context: EmitContext) -> DataSource | None:
    reference = source.from_.only if isinstance(source.from_, Template) else None
    if reference is None or reference.root != "data" or len(reference.parts) != 2:
        return None
    return context.spec.data.get(reference.name)
