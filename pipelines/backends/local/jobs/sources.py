"""The inputs that a request names: in S3 or on a file system, and where the job finds each."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.backends.local.objects import ObjectInfo
    from pipelines.json_types import JsonObject

PlacedObject: TypeAlias = "tuple[ObjectInfo, PurePosixPath]"
"""An object, and its path below its input."""


@frozen
class S3Source:
    """One input in S3.

    Args:
        label: its name in messages: "channel `train`".
        uri: `S3Uri`.
        folder: where the job finds it: a path below /opt/ml.
        manifest: whether the URI is a manifest file and not a prefix.
        sharded: `ShardedByS3Key`: each host gets a part of the objects.
        gunzip: whether objects are decompressed (and lose their `.gz`).
        read_only: FastFile: the files cannot be written.
        groups: the instance groups that get it; None for all.
        pipe: whether it is read through pipes (`pipes.py`) instead of files.
        record_io: whether each object is wrapped in a RecordIO record.
        seed: by which each epoch of a pipe is shuffled; None to keep the order of the keys.
        is_shared: whether others than the job's program use the folder: it has code, or outputs.
    """

    label: str
    uri: str
    folder: str
    manifest: bool = False
    sharded: bool = False
    gunzip: bool = False
    read_only: bool = False
    groups: frozenset[str] | None = None
    pipe: bool = False
    record_io: bool = False
    seed: int | None = None
    is_shared: bool = False


@frozen
class FileSystemSource:
    """One input on EFS or FSx; the folder `<home>/fs/<file system id><directory>` stands for it.

    Args:
        label: its name in messages.
        system: the id of the file system.
        directory: the folder in it.
        folder: where the job finds it.
        read_only: access mode `ro`.
    """

    label: str
    system: str
    directory: str
    folder: str
    read_only: bool = True
    groups: frozenset[str] | None = None


_STUB = "use a stub: run --stub STEP=FILE"
_CODE = "code"
"""The input of ours that holds the bundle, which is read outside of a host, too."""

InputSource = S3Source | FileSystemSource


def training_sources(request: JsonObject) -> list[InputSource]:
    """Read `InputDataConfig`.

    Raises:
        JobRefusedError: a channel uses a feature that is not supported locally.
    """
    mode = request.get("AlgorithmSpecification", {}).get("TrainingInputMode", "File")
    return [_channel(channel, mode) for channel in request.get("InputDataConfig") or []]


def _channel(channel: JsonObject, mode: str) -> InputSource:
    name = channel["ChannelName"]
    label, folder = f"channel `{name}`", f"/opt/ml/input/data/{name}"
    source = channel["DataSource"]
    chosen = channel.get("InputMode", mode)
    if source.get("FileSystemDataSource"):
        system = source["FileSystemDataSource"]
        access = system.get("FileSystemAccessMode", "ro")
        place = system["FileSystemId"], system["DirectoryPath"]
        return FileSystemSource(label, *place, folder, read_only=access == "ro")
    if not source.get("S3DataSource"):
        raise JobRefusedError(
            f"{label} has a data source that is not supported locally: {list(source)}", _STUB
        )
    s3 = source["S3DataSource"]
    groups = s3.get("InstanceGroupNames")
    return S3Source(
        label,
        s3["S3Uri"],
        folder,
        manifest=_is_manifest(label, s3["S3DataType"]),
        sharded=s3.get("S3DataDistributionType") == "ShardedByS3Key",
        gunzip=channel.get("CompressionType") == "Gzip",
        read_only=chosen == "FastFile",
        groups=frozenset(groups) if groups else None,
        is_shared=name == _CODE,
        pipe=chosen == "Pipe",
        record_io=channel.get("RecordWrapperType") == "RecordIO",
        seed=(channel.get("ShuffleConfig") or {}).get("Seed"),
    )


def processing_sources(request: JsonObject) -> list[InputSource]:
    """Read `ProcessingInputs`.

    Raises:
        JobRefusedError: an input uses a feature that is not supported locally.
    """
    found: list[InputSource] = []
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    written = [PurePosixPath(one["S3Output"]["LocalPath"]) for one in outputs if "S3Output" in one]
    for one in request.get("ProcessingInputs") or []:
        label = f"input `{one['InputName']}`"
        if one.get("AppManaged"):
            continue
        if not one.get("S3Input"):
            raise JobRefusedError(
                f"{label} is a DatasetDefinition, which is not supported locally", _STUB
            )
        s3 = one["S3Input"]
        if s3.get("S3InputMode") == "Pipe" or "LocalPath" not in s3:
            raise JobRefusedError(
                f"{label} of a processing job has input mode Pipe, which is not supported locally",
                f"use input mode File; or {_STUB}",
            )
        found.append(
            S3Source(
                label,
                s3["S3Uri"],
                s3["LocalPath"],
                manifest=_is_manifest(label, s3.get("S3DataType", "S3Prefix")),
                sharded=s3.get("S3DataDistributionType") == "ShardedByS3Key",
                gunzip=s3.get("S3CompressionType") == "Gzip",
                is_shared=_is_shared(PurePosixPath(s3["LocalPath"]), written),
            )
        )
    return found


def _is_shared(folder: PurePosixPath, written: Sequence[PurePosixPath]) -> bool:
    both = (one.is_relative_to(folder) or folder.is_relative_to(one) for one in written)
    return folder.name == _CODE or any(both)


def _is_manifest(label: str, kind: Literal["S3Prefix", "ManifestFile"] | str) -> bool:  # noqa: PYI051 - names the two that are supported
    if kind not in ("S3Prefix", "ManifestFile"):
        problem = f"{label} has data type {kind}, which is not supported locally"
        raise JobRefusedError(problem, _STUB)
    return kind == "ManifestFile"
