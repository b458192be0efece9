"""Upload what a job left in its hosts' /opt/ml to the object store."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.opt_ml import ROOT, host_path
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.runtime.archive import pack
from pipelines.runtime.links import replace_links
from pipelines.steptypes.training import model_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.backends.local.jobs.spec import JobHost, LocalJob
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject


def store_model(store: ObjectStore, job: LocalJob, request: JsonObject) -> None:
    """Upload the hosts' /opt/ml/model, merged; of two files with one path the first host's."""
    uri = model_uri(request, job.name)
    merged = _merge(job, "model")
    if uri.endswith("/"):
        store.take_folder(merged, uri)
    else:
        _store_archive(store, job, merged, uri)


def store_output_data(store: ObjectStore, job: LocalJob, request: JsonObject) -> None:
    """Upload the hosts' /opt/ml/output/data as output.tar.gz, unless it is empty."""
    merged = _merge(job, "output/data")
    if any(merged.iterdir()):
        base = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        _store_archive(store, job, merged, f"{base}/{job.name}/output/output.tar.gz")


def make_output_folders(job: LocalJob, request: JsonObject) -> None:
    """Create every processing output's folder on every host.

    Raises:
        JobRefusedError: a `LocalPath` lies outside /opt/ml.
    """
    for output in _uploaded_outputs(request):
        for host in job.hosts:
            host_path(host, output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)


def store_outputs(store: ObjectStore, job: LocalJob, request: JsonObject) -> None:
    """Move every processing output of every host there; one that shares files is copied."""
    targets = [output["S3Output"] for output in _uploaded_outputs(request)]
    folders = [PurePosixPath(target["LocalPath"]) for target in targets]
    for target, local in zip(targets, folders, strict=True):
        shared = sum(local.is_relative_to(one) or one.is_relative_to(local) for one in folders) > 1
        store_folder = store.upload_folder if shared else store.take_folder
        for host in job.hosts:
            folder = host_path(host, target["LocalPath"])
            make_self_contained(folder, host)
            store_folder(folder, target["S3Uri"])


def _uploaded_outputs(request: JsonObject) -> list[JsonObject]:
    """List the processing outputs that the service itself uploads."""
    listed = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return [one for one in listed if one.get("S3Output") and not one.get("AppManaged")]


def _merge(job: LocalJob, path: str) -> Path:
    """Return one folder with the files of all hosts; with one host it is that host's folder."""
    for host in job.hosts:
        make_self_contained(host.ml / path, host)
    folders = [host.ml / path for host in job.hosts]
    first = folders[0]
    for other in folders[1:]:
        for file in _files(other):
            target = first / file.relative_to(other)
            if not os.path.lexists(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                file.rename(target)
    return first


def _files(folder: Path) -> Iterable[Path]:
    return [
        Path(directory, name) for directory, _, names in os.walk(folder) for name in sorted(names)
    ]


def _store_archive(store: ObjectStore, job: LocalJob, folder: Path, uri: str) -> None:
    archive = job.hosts[0].root / "archive.tar.gz"
    pack(folder, archive)
    store.take_file(uri, archive)
    archive.unlink(missing_ok=True)


def make_self_contained(folder: Path, host: JobHost) -> None:
    """Replace links by their targets; remove dead links, cycles, pipes and sockets.

    An archive with a link in it cannot be extracted by SageMaker, and a link to /opt/ml means
    nothing outside the job. Files that the job has locked, or copied from a read-only place, are
    made readable for their owner again: in the service root reads them. A folder that the job has
    removed is empty.

    Raises:
        JobRefusedError: the job has put something else in the folder's place.
    """
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise JobRefusedError(f"the job has replaced its folder {folder} by a file")
        folder.mkdir(parents=True)
    _unlock(folder)
    replace_links(folder, lambda path: _real(path, host))
    for directory, subfolders, names in os.walk(folder):
        for name in (*subfolders, *names):
            path = Path(directory, name)
            if path.is_dir() or path.is_file():
                _unlock(path)
            else:
                path.unlink()


def _real(path: str, host: JobHost) -> str:
    """Resolve a path; /opt/ml is the job's own."""
    link = Path(path)
    for _ in range(_MOST_LINKS):
        if not link.is_symlink():
            break
        written = PurePosixPath(link.readlink())
        in_opt_ml = written.is_relative_to(ROOT)
        link = host.ml / written.relative_to(ROOT) if in_opt_ml else link.parent / written
    return os.path.realpath(link)


_MOST_LINKS = 40
"""How many links in a row are followed, as on Linux; a cycle is then a dead link."""


def _unlock(path: Path) -> None:
    if not path.exists():
        return
    mode = path.stat().st_mode
    needed = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR
    if mode & needed != needed:
        path.chmod(mode | needed)
