"""Transform jobs: the objects of a prefix through the model servers that endpoints use too."""

from __future__ import annotations

import gzip
import os
import tempfile
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
)
from pipelines.backends.local.hosting.variants import model_container
from pipelines.backends.local.jobs.batch.association import Association, ResultError
from pipelines.backends.local.jobs.batch.paths import PathError
from pipelines.backends.local.jobs.batch.records import Batching, PayloadError
from pipelines.backends.local.jobs.channels import placed_objects, unpacking
from pipelines.backends.local.jobs.kind import JobKind
from pipelines.backends.local.jobs.sources import S3Source
from pipelines.backends.local.jobs.spec import REASON_LENGTH, JobRefusedError
from pipelines.backends.local.jobs.states import JobOutcome, JobPhase, JobStatus
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.state.local_state import LocalState
from pipelines.frozen import frozen
from pipelines.steptypes.transform import STEP_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.objects import ObjectInfo
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject

_POLL_SECONDS: Final = 0.2
_TIMEOUT_SECONDS: Final = 600  # ModelClientConfig's defaults
_RETRIES: Final = 3
_SERVER_ERROR: Final = 500
_REFUSED: Final = 400
_SHOWN: Final = 300  # characters of a model's response in a reason


class _StoppedError(Exception):
    """Somebody has asked for the end of the job."""


class _InvocationError(Exception):
    """The model did not process a payload; the text is one line."""


@frozen
class _Transform:
    """A transform job whose model is loaded."""

    order: JobOrder
    fleet: Fleet
    store: ObjectStore
    batching: Batching
    association: Association | None
    pool: ThreadPoolExecutor

    @property
    def request(self) -> JsonObject:
        """The request."""
        return self.order.request

    def write(self, info: ObjectInfo, source: S3Source, target: str) -> None:
        """Transform one object; it is stored if all of it was processed."""
        with _temporary(self.store) as output:
            for one in self._in_order(info, source):
                output.write(one)
            output.flush()
            self.store.put_file(target, Path(output.name))

    def _in_order(self, info: ObjectInfo, source: S3Source) -> Iterator[bytes]:
        """Yield what is kept of each payload; several are with the model at once."""
        by_line = self.request["TransformOutput"].get("AssembleWith") == "Line" or (
            self.association is not None and self.batching.by_line
        )
        waiting: deque[tuple[tuple[bytes, ...], Future[bytes]]] = deque()
        with ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(info.path.open("rb"))
            if source.gunzip:
                stack.enter_context(unpacking(info, source))
                file = stack.enter_context(gzip.open(file))  # type: ignore[arg-type]  # binary
            for records in self.batching.payloads(file):
                waiting.append((records, self.pool.submit(self._sent, records)))
                if len(waiting) > 2 * self.fleet.spec.workers:
                    yield _line(self._kept(*waiting.popleft()), by_line)
            while waiting:
                yield _line(self._kept(*waiting.popleft()), by_line)

    def _result(self, future: Future[bytes]) -> bytes:
        while True:
            if _is_stopped(self.order):
                raise _StoppedError
            try:
                return future.result(_POLL_SECONDS)
            except NotYetError:
                if future.done():
                    raise

    def _sent(self, records: tuple[bytes, ...]) -> bytes:
        """Return the response to what is sent of records."""
        association = self.association
        if association is None:
            return self._invoke(self.batching.joined(records))
        return self._invoke(association.payload(records))

    def _kept(self, records: tuple[bytes, ...], response: Future[bytes]) -> bytes:
        """Return what is kept of a response; the model processes the next payload meanwhile."""
        body = self._result(response)
        return body if self.association is None else self.association.output(records, body)

    def _invoke(self, payload: bytes) -> bytes:
        source, output = self.request["TransformInput"], self.request["TransformOutput"]
        invocation = Invocation(
            payload,
            source.get("ContentType") or "application/octet-stream",
            output.get("Accept") or "*/*",
        )
        config = self.request.get("ModelClientConfig") or {}
        problem = ""
        for _ in range(1 + config.get("InvocationsMaxRetries", _RETRIES)):
            if self.order.stop.is_set():
                break
            try:
                response = self.fleet.invoke(invocation)
            except FleetStoppedError:
                raise
            except FleetBusy:
                problem = "every model server is busy"
                continue
            except FleetError as error:
                problem = error.reason
                continue
            if response.status < _REFUSED:
                return response.body
            said = response.body.decode(errors="replace").strip()[:_SHOWN]
            problem = f"Bad HTTP status received from algorithm: {response.status}: {said}"
            if response.status < _SERVER_ERROR:
                break
        raise _InvocationError(problem)


def _run(order: JobOrder) -> JobOutcome:
    store = ObjectStore(order.settings.home / "s3")
    source, association = _source(order.request), Association.of(order.request)
    spec, placed = _spec(order), placed_objects(store, source)
    order.progress.entered(JobPhase.RUNNING)
    try:
        fleet = Fleet.start(spec, order.settings, store, unwanted=lambda: _is_stopped(order))
    except FleetError as error:
        if order.stop.is_set():
            return JobOutcome(JobStatus.STOPPED)
        return JobOutcome(JobStatus.FAILED, f"AlgorithmError: {error.reason}"[:REASON_LENGTH])
    batching = Batching.of(order.request)
    with ThreadPoolExecutor(fleet.spec.workers, "transform") as pool, _ended(fleet, order.stop):
        transform = _Transform(order, fleet, store, batching, association, pool)
        base = order.request["TransformOutput"]["S3OutputPath"].rstrip("/")
        reasons = list[str]()
        for info, relative in placed:
            try:
                transform.write(info, source, f"{base}/{relative}.out")
            except _StoppedError:
                return JobOutcome(JobStatus.STOPPED)
            except (_InvocationError, FleetError) as error:
                reasons.append(f"AlgorithmError: {info.uri}: {error}")
            except (PayloadError, ResultError, PathError) as error:
                reasons.append(f"ClientError: {info.uri}: {error}")
    if order.stop.is_set():
        return JobOutcome(JobStatus.STOPPED)
    return _outcome(reasons)


def _is_stopped(order: JobOrder) -> bool:
    """Return whether this process, or another one, has asked for the end of a job."""
    order.progress.tick()
    return order.stop.is_set()


def _outcome(reasons: list[str]) -> JobOutcome:
    if not reasons:
        return JobOutcome(JobStatus.COMPLETED)
    more = f"; {len(reasons) - 1} more objects failed" if len(reasons) > 1 else ""
    return JobOutcome(JobStatus.FAILED, f"{reasons[0][: REASON_LENGTH - len(more)]}{more}")


@contextmanager
def _ended(fleet: Fleet, stop: threading.Event) -> Iterator[None]:
    """End the model servers at the end; at once where the job is stopped."""
    try:
        yield
    finally:
        if stop.is_set():
            fleet.interrupt()
        fleet.stop()


def _spec(order: JobOrder) -> FleetSpec:
    """Return what the model servers serve.

    Raises:
        JobRefusedError: the model is not there, or it cannot be served locally.
    """
    request = order.request
    with LocalState(order.settings.home) as state:
        if state.models.find(request["ModelName"]) is None:
            arn = order.settings.arn(f"model/{request['ModelName']}")
            raise JobRefusedError(f'Could not find model "{arn}".')
        try:
            container = model_container(state, request["ModelName"])
        except FleetError as error:
            raise JobRefusedError(error.reason) from error
    concurrent = request.get("MaxConcurrentTransforms") or 1
    strategy = "SINGLE_RECORD" if request.get("BatchStrategy") == "SingleRecord" else "MULTI_RECORD"
    variables = {
        **(container.get("Environment") or {}),
        **(request.get("Environment") or {}),
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(request.get("MaxPayloadInMB", 6)),
        "SAGEMAKER_BATCH_STRATEGY": strategy,
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(concurrent),
    }
    config = request.get("ModelClientConfig") or {}
    return FleetSpec(
        name=order.identity.folder,
        container={**container, "Environment": variables},
        workers=min(concurrent, os.cpu_count() or 1),
        serverless=False,
        log=order.logs / "algo-1.log",
        invocation_seconds=config.get("InvocationsTimeoutInSeconds", _TIMEOUT_SECONDS),
    )


def _source(request: JsonObject) -> S3Source:
    """Read `TransformInput`.

    Raises:
        JobRefusedError: it uses a feature that is not supported locally.
    """
    given = request["TransformInput"]
    s3 = given["DataSource"]["S3DataSource"]
    if s3["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise JobRefusedError(
            f"the input has data type {s3['S3DataType']}, which is not supported locally"
        )
    return S3Source(
        "the transform input",
        s3["S3Uri"],
        "",
        manifest=s3["S3DataType"] == "ManifestFile",
        gunzip=given.get("CompressionType") == "Gzip",
    )


def _line(text: bytes, by_line: bool) -> bytes:  # noqa: FBT001 - as AssembleWith says
    return text + b"\n" if by_line and not text.endswith(b"\n") else text


@contextmanager
def _temporary(store: ObjectStore) -> Iterator[IO[bytes]]:
    """Yield a file for an output, beside the objects; it is removed at the end."""
    store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=store.root.parent) as file:
        yield file


def _describe(_job: JobRecord) -> JsonObject:
    return {}


KIND = JobKind(
    type=STEP_TYPE, run=_run, describe=_describe, order="Descending", listed=("FailureReason",)
)
