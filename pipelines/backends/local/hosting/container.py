"""A container as CreateModel describes it → its folders, environment and command on this machine.

The image is not emulated: what AWS's serving toolkits read (`SAGEMAKER_PROGRAM`,
`SAGEMAKER_SUBMIT_DIRECTORY`, the archive's `code/`) decides which module is served. For an
image with a server of its own, this machine's `serve` runs, or a stub says that there is none.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipelines.backends.local.hosting.boot import server_of, worker_words
from pipelines.backends.local.hosting.values import FleetError, FleetSpec
from pipelines.backends.local.hosting.worker.located import (
    FOLDER,
    OWN,
    PROGRAM,
    STUB,
    ServingCode,
    locate,
)
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
from pipelines.backends.local.settings import LocalSettings
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.runtime.archive import unpack
from pipelines.runtime.archive_members import ArchiveError
from pipelines.runtime.server import PORT, is_free

_MODEL, _SUBMITTED = "/opt/ml/model", "/opt/ml/code"


@frozen
class PreparedContainer:
    """What a server needs to start.

    Args:
        job: its folders and isolation.
        words: the command, without the socket's address at its end.
        environment: the whole environment.
        network: as `start_host` takes it.
        stub: why nothing of the image runs here; None where a model answers.
    """

    job: LocalJob
    words: tuple[str, ...]
    environment: Mapping[str, str]
    network: str = "shared"
    stub: str | None = None

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
            served = _served(spec.container, host, objects)
            kept = spec.log.absolute().with_suffix(".code")
            project = settings.home.absolute().parent
            inner = (served.server, *served.code, _MODEL, str(kept), str(project))
            words = command_words(job, host, worker_words("main", *inner), settings)
            if spec.workers > 1:
                share = max(1, (os.cpu_count() or 1) // spec.workers)
                variables = {"OMP_NUM_THREADS": str(share), **variables}
            if served.server == OWN:  # without namespaces, /opt/ml/model is elsewhere
                variables = {"SM_MODEL_DIR": _MODEL, **variables}
            environment = host_environment(
                job, host, settings, requested=variables, outside=os.environ
            )
            network = _network(job, served.server, spec.log)
            yield PreparedContainer(job, words, environment, network, served.stub)
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


@frozen
class _Served:
    """What answers: `server` and `code` as `worker/main.py` takes them."""

    server: str
    code: ServingCode

    @property
    def stub(self) -> str | None:
        """Why it is a stub; None where it is none."""
        return self.code.program if self.server == STUB else None


def _served(container: JsonObject, host: JobHost, objects: ObjectStore) -> _Served:
    """Find what answers in the container's image.

    Code that lies where the toolkits look for it is served like theirs in an image that nobody
    knows: it may be made of one of theirs.

    Raises:
        FleetError: the model has no code for a server that needs some.
    """
    image, variables = str(container.get("Image") or ""), container.get("Environment") or {}
    server = server_of(image)
    is_own = server == OWN or (not server and not variables.keys() & {PROGRAM, FOLDER})
    try:
        if server != OWN:
            return _Served(server, _serving_code(server, variables, host, objects))
    except FileNotFoundError as error:
        if not is_own:
            raise FleetError(
                f"the model has no serving code: {error.filename} does not exist"
            ) from None
    serve = shutil.which("serve")
    if serve is not None:
        return _Served(OWN, ServingCode("", serve))
    reason = (
        f"no model answered: the server of the image {image or 'that is not named'} is its own, and"
        " this machine has no `serve` on the PATH to run in its place"
    )
    return _Served(STUB, ServingCode("", reason))


def _serving_code(
    server: str, variables: Mapping[str, str], host: JobHost, objects: ObjectStore
) -> ServingCode:
    """Return the serving code, as the container sees it; raises FileNotFoundError as `locate`."""
    submitted = variables.get(FOLDER, "")
    if submitted.startswith("s3://") and server != "tensorflow-serving":
        host_path(host, _SUBMITTED).mkdir(parents=True)
        _unpack(objects, submitted.rstrip("/"), host_path(host, _SUBMITTED))
        variables = {**variables, FOLDER: _SUBMITTED}
    return locate(server, variables, _MODEL, lambda path: host_path(host, path).is_file())


def _network(job: LocalJob, server: str, log: Path) -> str:
    """Return which network a server gets: one of its own where the port of containers is taken.

    A server that knows no other port could not listen on it otherwise.
    """
    if server != OWN or job.isolation != "namespaces" or is_free(PORT):
        return "shared"
    with log.open("a", encoding="utf-8") as file:
        file.write(
            f"port {PORT} is taken on this machine: the server runs in a network of its own,"
            " without a connection to others\n"
        )
    return "own"
