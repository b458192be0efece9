"""Lay a job's inputs out in its hosts' /opt/ml, from the object store and file systems."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.layers import add_layer, copy_file, folder_for
from pipelines.backends.local.jobs.opt_ml import host_path
from pipelines.backends.local.jobs.sources import FileSystemSource, S3Source
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.objects import ObjectInfo
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.backends.local.jobs.layers import Access
    from pipelines.backends.local.jobs.sources import InputSource, PlacedObject
    from pipelines.backends.local.jobs.spec import JobHost, LocalJob
    from pipelines.backends.local.objects import ObjectStore


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
    for source in sorted(sources, key=_depth):  # the mount of an inner one lies on the outer one
        match source:
            case S3Source(pipe=True):
                continue
            case S3Source():
                seen = _View(job, source, [one for one in sources if one is not source])
                _lay_out(distribute(store, job, source), source, seen)
            case FileSystemSource():
                _show_file_system(file_systems, job, source)


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


def _depth(source: InputSource) -> int:
    return len(PurePosixPath(source.folder).parts)


def _is_inside(one: InputSource, other: InputSource) -> bool:
    return PurePosixPath(one.folder).is_relative_to(PurePosixPath(other.folder))


@frozen
class _View:
    """How a job's hosts can see an input, beside its others."""

    job: LocalJob
    source: S3Source
    others: Sequence[InputSource]

    @property
    def can_layer(self) -> bool:
        """Whether a folder of the store can lie there: no other input is in it, or around it."""
        meet = (_is_inside(self.source, one) or _is_inside(one, self.source) for one in self.others)
        return self.job.isolation == "namespaces" and not any(meet)

    @property
    def bound(self) -> Access | None:
        """How its own copy has to be mounted: read-only, or to be written in what is read-only."""
        if self.job.isolation != "namespaces":
            return None
        if self.source.read_only:
            return "ro"
        around = (one.read_only for one in self.others if _is_inside(self.source, one))
        return "rw" if any(around) else None


def _lay_out(
    shares: Sequence[tuple[JobHost, list[PlacedObject]]], source: S3Source, seen: _View
) -> None:
    """Let each host see its objects: without a copy where there are many, or copied."""
    is_copied = not seen.can_layer or source.gunzip or source.is_shared
    for host, share in shares:
        folder = host_path(host, source.folder)
        folder.mkdir(parents=True, exist_ok=True)
        lower = None if is_copied else folder_for(host, share)
        if lower is None:
            for info, relative in share:
                _copy(info, folder / relative, source)
        if seen.bound is not None:
            add_layer(host, source.folder, lower or folder, seen.bound)
        elif lower is not None:
            add_layer(host, source.folder, lower, "own")


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


def idle_hosts(store: ObjectStore, job: LocalJob, sources: Sequence[InputSource]) -> Iterator[str]:
    """Yield a remark for each input with fewer objects than hosts: some hosts get none of them."""
    for source in sources:
        if not isinstance(source, S3Source) or not source.sharded:
            continue
        idle = [host.name for host, share in distribute(store, job, source) if not share]
        if idle:
            gets = "gets" if len(idle) == 1 else "get"
            yield f"warning: {source.label} has too few objects: {', '.join(idle)} {gets} none"


def _missing(store: ObjectStore, source: S3Source, uri: str) -> JobRefusedError:
    return JobRefusedError(
        f"there is no object at {uri}, which {source.label} reads",
        f"put it at {store.path_of(uri)}, or have `pipelines run --fetch` read it from S3",
    )


def _show_file_system(file_systems: Path, job: LocalJob, source: FileSystemSource) -> None:
    """Let hosts see the folder that stands for a file system's; without mounts it is a link."""
    folder = file_systems / source.system / source.directory.strip("/")
    if ".." in PurePosixPath(source.directory).parts or not folder.is_dir():
        raise JobRefusedError(
            f"there is no folder for {source.directory} of {source.system}, which"
            f" {source.label} reads",
            f"put the files at {folder}",
        )
    for host in hosts_of(job, source):
        target = host_path(host, source.folder)
        if job.isolation == "namespaces":
            target.mkdir(parents=True, exist_ok=True)
            add_layer(host, source.folder, folder.absolute(), "ro" if source.read_only else "rw")
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(folder.absolute())


def writable_here(job: LocalJob, sources: Sequence[InputSource]) -> list[str]:
    """Return the labels of inputs that SageMaker mounts read-only, and this machine cannot."""
    if job.isolation == "namespaces":
        return []
    return [one.label for one in sources if one.read_only]
