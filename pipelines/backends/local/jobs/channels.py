"""Lay a job's inputs out in its hosts' /opt/ml, from the object store and file systems."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from pipelines.backends.local.jobs.layers import add_layer, copy_file, folder_of
from pipelines.backends.local.jobs.opt_ml import host_path
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.objects import ObjectInfo
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.backends.local.jobs.spec import JobHost, LocalJob
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject

PlacedObject = tuple[ObjectInfo, PurePosixPath]
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
    """One input on EFS or FSx; the folder `<home>/fs/<file system id><directory>` stands for it."""

    label: str
    system: str
    directory: str
    folder: str
    groups: frozenset[str] | None = None


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
        return FileSystemSource(label, system["FileSystemId"], system["DirectoryPath"], folder)
    if not source.get("S3DataSource"):
        raise JobRefusedError(
            f"{label} has a data source that is not supported locally: {list(source)}"
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
            raise JobRefusedError(f"{label} is a DatasetDefinition, which is not supported locally")
        s3 = one["S3Input"]
        if s3.get("S3InputMode") == "Pipe" or "LocalPath" not in s3:
            raise JobRefusedError(f"{label} has input mode Pipe, which is not supported locally")
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
        raise JobRefusedError(f"{label} has data type {kind}, which is not supported locally")
    return kind == "ManifestFile"


def stage_inputs(
    store: ObjectStore, job: LocalJob, sources: Sequence[InputSource], file_systems: Path
) -> None:
    """Lay every input out on the hosts that get it.

    Args:
        store: the object store.
        job: the job; its folders exist.
        sources: the inputs.
        file_systems: the folder that holds a folder for each EFS or FSx file system.

    Raises:
        JobRefusedError: an input does not exist; the message says where to put it.
    """
    for source in sources:
        match source:
            case S3Source(pipe=True):
                continue
            case S3Source():
                apart = not any(_meet(source, one) for one in sources if one is not source)
                can_layer = apart and job.isolation == "namespaces"
                _lay_out(distribute(store, job, source), source, can_layer=can_layer)
            case FileSystemSource():
                _link_file_system(file_systems, hosts_of(job, source), source)


def distribute(
    store: ObjectStore, job: LocalJob, source: S3Source
) -> list[tuple[JobHost, list[PlacedObject]]]:
    """Assign an input's objects to hosts, each with its path in the input's folder.

    Raises:
        JobRefusedError: the input does not exist; the message says where to put it.
    """
    placed = placed_objects(store, source)
    hosts = hosts_of(job, source)
    return [
        (host, share_of(placed, source, number, len(hosts))) for number, host in enumerate(hosts)
    ]


def share_of(
    placed: list[PlacedObject], source: S3Source, number: int, hosts: int
) -> list[PlacedObject]:
    """Return those of an input's objects that one of its hosts gets."""
    return placed[number::hosts] if source.sharded else placed


def placed_objects(store: ObjectStore, source: S3Source) -> list[PlacedObject]:
    """Return an input's objects, each with its path below the input.

    Raises:
        JobRefusedError: the input does not exist; the message says where to put it.
    """
    placed = _manifest(store, source) if source.manifest else list(store.layout(source.uri))
    if not placed:
        raise _missing(store, source, source.uri)
    return placed


def hosts_of(job: LocalJob, source: InputSource) -> list[JobHost]:
    """Return the hosts that get an input."""
    groups = source.groups
    return [host for host in job.hosts if groups is None or host.plan.group in groups]


def _meet(one: InputSource, other: InputSource) -> bool:
    """Return whether two inputs lie in the same folder, or one in that of the other."""
    first, second = PurePosixPath(one.folder), PurePosixPath(other.folder)
    return first.is_relative_to(second) or second.is_relative_to(first)


def _lay_out(
    shares: Sequence[tuple[JobHost, list[PlacedObject]]], source: S3Source, *, can_layer: bool
) -> None:
    """Let each host see its objects: through a layer where they are a whole folder, or copied."""
    can_layer = can_layer and not (source.gunzip or source.sharded or source.is_shared)
    lower = folder_of(shares[0][1]) if can_layer and shares else None
    for host, share in shares:
        folder = host_path(host, source.folder)
        folder.mkdir(parents=True, exist_ok=True)
        if lower is not None:
            add_layer(host, source.folder, lower, read_only=source.read_only)
            continue
        for info, relative in share:
            _copy(info, folder / relative, source)


def _copy(info: ObjectInfo, target: Path, source: S3Source) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.gunzip:
        plain = target.with_suffix("") if target.suffix == ".gz" else target
        with unpacking(info, source), gzip.open(info.path) as packed, plain.open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
        return
    copy_file(info.path, target)
    if source.read_only:
        target.chmod(0o444)


@contextmanager
def unpacking(info: ObjectInfo, source: S3Source) -> Iterator[None]:
    """Say which object of an input is not what its compression type says.

    Raises:
        JobRefusedError: what is read inside is no gzip file, or a part of one.
    """
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise JobRefusedError(
            f"{source.label} has compression type Gzip, but {info.uri} is not a whole gzip file",
            f"put one at {info.path}, or remove the compression type of the input",
        ) from problem


def _manifest(store: ObjectStore, source: S3Source) -> list[PlacedObject]:
    """Resolve a manifest: a list that holds a prefix object, then keys."""
    if not store.exists(source.uri):
        raise _missing(store, source, source.uri)
    try:
        first, *relatives = json.loads(store.get_bytes(source.uri))
        prefix = first["prefix"]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise JobRefusedError(
            f"the manifest {source.uri} of {source.label} is not valid",
            'write it as [{"prefix": "s3://bucket/folder/"}, "key", …]',
        ) from problem
    placed = []
    for relative in relatives:
        uri = f"{prefix}{relative}"
        if not store.exists(uri):
            raise _missing(store, source, uri)
        placed.append((store.info(uri), PurePosixPath(str(relative).lstrip("/"))))
    return placed


def _missing(store: ObjectStore, source: S3Source, uri: str) -> JobRefusedError:
    return JobRefusedError(
        f"there is no object at {uri}, which {source.label} reads",
        f"put it at {store.path_of(uri)}",
    )


def _link_file_system(
    file_systems: Path, hosts: Sequence[JobHost], source: FileSystemSource
) -> None:
    folder = file_systems / source.system / source.directory.strip("/")
    if ".." in PurePosixPath(source.directory).parts or not folder.is_dir():
        raise JobRefusedError(
            f"there is no folder for {source.directory} of {source.system}, which"
            f" {source.label} reads",
            f"put the files at {folder}",
        )
    for host in hosts:
        target = host_path(host, source.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(folder.absolute())
