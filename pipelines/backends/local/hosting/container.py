"""A container as CreateModel describes it → its folders, environment and command on this machine.

The image is not emulated: what AWS's serving toolkits read (`SAGEMAKER_PROGRAM`,
`SAGEMAKER_SUBMIT_DIRECTORY`, the archive's `code/`) decides which module is served.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.hosting.values import FleetError, FleetSpec
from pipelines.backends.local.jobs.environment import command_words, host_environment
from pipelines.backends.local.jobs.opt_ml import host_path
from pipelines.backends.local.jobs.spec import (
    HostPlan,
    JobHost,
    JobIdentity,
    JobRefusedError,
    LocalJob,
)
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.images import describe
from pipelines.json_types import JsonObject
from pipelines.runtime.archive import unpack
from pipelines.runtime.archive_members import ArchiveError

_MODEL, _SUBMITTED = "/opt/ml/model", "/opt/ml/code"
_PROGRAM, _FOLDER = "SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"
_WORKER = Path(__file__).parent / "worker"
_BOOT = """\
import importlib.util as u, sys
def load(name, folder):
    spec = u.spec_from_file_location(name, folder + "/__init__.py")
    sys.modules[name] = u.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
load("_model_worker", sys.argv[1])
load("_model_worker.runtime", sys.argv[2])
from _model_worker.main import main
main(sys.argv[3:])
"""
"""The worker's own modules have names that the user's code cannot shadow."""


@frozen
class PreparedContainer:
    """What a server needs to start.

    Args:
        job: its folders and isolation.
        words: the command, without the socket's address at its end.
        environment: the whole environment.
    """

    job: LocalJob
    words: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def host(self) -> JobHost:
        """The only host."""
        return self.job.hosts[0]


@contextmanager
def prepare_container(
    spec: FleetSpec, settings: LocalSettings, objects: ObjectStore
) -> Iterator[PreparedContainer]:
    """Unpack a model and find its serving code; everything is removed at the end.

    Raises:
        FleetError: the model is missing or damaged, or has no serving code.
    """
    name = f"endpoint-{uuid.uuid4().hex[:12]}"
    try:
        identity = JobIdentity(name, name, name)
        with workspace(settings, identity, [HostPlan("model-server")]) as job:
            host = job.hosts[0]
            _place_model(spec.container, host, objects)
            variables: dict[str, str] = dict(spec.container.get("Environment") or {})
            server = _server(spec.container)
            code, program = _serving_code(server, variables, host, objects)
            kept = spec.log.absolute().with_suffix(".code")
            project = settings.home.absolute().parent
            inner = [
                str(_WORKER),
                str(_runtime()),
                server,
                code,
                program,
                _MODEL,
                str(kept),
                str(project),
            ]
            words = command_words(job, host, ["python3", "-P", "-c", _BOOT, *inner], settings)
            if spec.workers > 1:
                share = max(1, (os.cpu_count() or 1) // spec.workers)
                variables = {"OMP_NUM_THREADS": str(share), **variables}
            environment = host_environment(
                job, host, settings, requested=variables, outside=os.environ
            )
            yield PreparedContainer(job, words, environment)
    except JobRefusedError as error:
        raise FleetError(str(error)) from error


def _place_model(container: JsonObject, host: JobHost, objects: ObjectStore) -> None:
    """Lay a model out as /opt/ml/model: an archive unpacked, what is not compressed copied.

    Raises:
        FleetError: it is missing, or its archive is damaged or leads out of its folder.
    """
    folder = host_path(host, _MODEL)
    folder.mkdir(parents=True)
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    url = container.get("ModelDataUrl") or source.get("S3Uri")
    if url is None:
        return
    if source.get("S3DataType") == "S3Prefix" or source.get("CompressionType") == "None":
        _copy(objects, url, folder)
    else:
        _unpack(objects, url, folder)


def _copy(objects: ObjectStore, url: str, folder: Path) -> None:
    try:
        found = objects.download(url, folder)
    except PipelinesError as error:
        raise FleetError(f"the model data {url} cannot be used: {error}") from error
    if not found:
        raise FleetError(f"the model data {url} does not exist")


def _unpack(objects: ObjectStore, url: str, folder: Path) -> None:
    try:
        unpack(objects.info(url).path, folder)
    except (ArchiveError, PipelinesError) as error:
        raise FleetError(f"the model data {url} cannot be used: {error}") from error


def _server(container: JsonObject) -> str:
    """Return what calls the code in the container's image: as `worker/main.py` takes it."""
    image = describe(str(container.get("Image") or ""))
    is_toolkit = image.serving == "sagemaker-toolkit"
    return (image.framework if is_toolkit else image.serving) or ""


def _serving_code(
    server: str, variables: Mapping[str, str], host: JobHost, objects: ObjectStore
) -> tuple[str, str]:
    """Return the folder of the serving code, as the container sees it, and the module's file."""
    if server == "tensorflow-serving":  # it asks no variable, and needs no code
        has_code = (host_path(host, _MODEL) / "code" / "inference.py").is_file()
        return f"{_MODEL}/code", "inference.py" if has_code else ""
    folder = variables.get(_FOLDER, f"{_MODEL}/code").removeprefix("file://").rstrip("/")
    if folder.startswith("s3://"):
        host_path(host, _SUBMITTED).mkdir(parents=True)
        _unpack(objects, folder, host_path(host, _SUBMITTED))
        folder = _SUBMITTED
    program = variables.get(_PROGRAM, "inference.py")
    if not (host_path(host, folder) / program).is_file():
        raise FleetError(
            f"the model has no serving code: {folder}/{program} does not exist, and an image's own"
            " server cannot run without a container"
        )
    return folder, program


def _runtime() -> Path:
    import pipelines.runtime  # noqa: PLC0415 - only its location is needed

    return Path(pipelines.runtime.__path__[0])
