"""Upload what a job left in its hosts' /opt/ml to the object store."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.opt_ml import ROOT, host_path
from pipelines.runtime.archive import pack
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
        store.upload_folder(merged, uri)
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
    """Upload every processing output of every host."""
    for output in _uploaded_outputs(request):
        target = output["S3Output"]
        for host in job.hosts:
            folder = host_path(host, target["LocalPath"])
            make_self_contained(folder, host)
            store.upload_folder(folder, target["S3Uri"])


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
    store.put_file(uri, archive)
    archive.unlink()


def make_self_contained(folder: Path, host: JobHost) -> None:
    """Replace links that lead out of a folder by their targets; drop dead links and specials.

    An archive with a link out of it would be refused when it is unpacked, and a link to /opt/ml
    means nothing outside the job. Files that the job has locked, or copied from a read-only
    place, are made readable for their owner again: in the service root reads them.
    """
    _unlock(folder)
    for directory, subfolders, names in os.walk(folder):
        for name in (*subfolders, *names):
            path = Path(directory, name)
            if path.is_symlink():
                _resolve(path, folder, host)
            elif path.is_dir() or path.is_file():
                _unlock(path)
            else:
                path.unlink()


def _unlock(path: Path) -> None:
    if not path.exists():
        return
    mode = path.stat().st_mode
    needed = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR
    if mode & needed != needed:
        path.chmod(mode | needed)


def _resolve(link: Path, folder: Path, host: JobHost) -> None:
    written = PurePosixPath(link.readlink())
    in_opt_ml = written.is_relative_to(ROOT)
    target = host.ml / written.relative_to(ROOT) if in_opt_ml else link.parent / written
    try:
        real = target.resolve(strict=True)
    except (OSError, RuntimeError):  # a dead link, or a cycle
        link.unlink()
        return
    link.unlink()
    home = folder.resolve()
    if real.is_relative_to(home) and not link.resolve().is_relative_to(real):
        link.symlink_to(os.path.relpath(real, link.parent.resolve()))
    elif real.is_file():
        shutil.copyfile(real, link)
    elif real.is_dir() and not home.is_relative_to(real):
        shutil.copytree(real, link, symlinks=True, ignore=_specials)
        make_self_contained(link, host)


def _specials(directory: str, names: list[str]) -> list[str]:
    """List what is not a file, folder or link: copying a pipe would block forever."""
    paths = {name: Path(directory, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if not (path.is_symlink() or path.is_file() or path.is_dir())
    ]
