"""Take what a job left in its hosts' /opt/ml to the object store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.opt_ml import inside
from pipelines.backends.local.jobs.settle import settle
from pipelines.runtime.archive import pack
from pipelines.steptypes.training import model_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.backends.local.jobs.spec import Job
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject


def store_model(store: ObjectStore, job: Job, request: JsonObject) -> None:
    """Upload the hosts' /opt/ml/model, merged; of two files with one path the first host's."""
    uri = model_uri(request, job.name)
    merged = _merge(job, "model")
    if uri.endswith("/"):
        store.upload_folder(merged, uri)
    else:
        _store_archive(store, job, merged, uri)


def store_output_data(store: ObjectStore, job: Job, request: JsonObject) -> None:
    """Upload the hosts' /opt/ml/output/data as output.tar.gz, when there is anything in it."""
    merged = _merge(job, "output/data")
    if any(merged.iterdir()):
        base = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        _store_archive(store, job, merged, f"{base}/{job.name}/output/output.tar.gz")


def output_specs(request: JsonObject) -> list[JsonObject]:
    """List the processing outputs that the service itself uploads."""
    listed = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return [one for one in listed if one.get("S3Output") and not one.get("AppManaged")]


def make_output_folders(job: Job, request: JsonObject) -> None:
    """Make every processing output's folder on every host.

    Raises:
        JobRefusedError: a `LocalPath` lies outside /opt/ml.
    """
    for output in output_specs(request):
        for host in job.hosts:
            inside(host, output["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)


def store_outputs(store: ObjectStore, job: Job, request: JsonObject) -> None:
    """Upload every processing output of every host."""
    for output in output_specs(request):
        target = output["S3Output"]
        for host in job.hosts:
            folder = inside(host, target["LocalPath"])
            settle(folder, host)
            store.upload_folder(folder, target["S3Uri"])


def _merge(job: Job, path: str) -> Path:
    """Give one folder with the files of all hosts; with one host it is that host's folder."""
    for host in job.hosts:
        settle(host.ml / path, host)
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


def _store_archive(store: ObjectStore, job: Job, folder: Path, uri: str) -> None:
    archive = job.hosts[0].root / "archive.tar.gz"
    pack(folder, archive)
    store.put_file(uri, archive)
    archive.unlink()
