"""InvokeEndpointAsync behind its response: requests that wait, and what each one leaves in S3."""

from __future__ import annotations

import json
import threading
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

TTL_SECONDS = 21_600
"""How long a request may wait, by default (FACTS 2.5)."""

_ENDED = "the local SageMaker ended before this request was processed"


@frozen
class AsynchronousRequest:
    """A request that was accepted.

    Args:
        endpoint: the endpoint.
        inference: its id.
        config: the endpoint's AsyncInferenceConfig.
        source: where its body is; None for one that came with it.
        body: reads the body.
        ask: the body → the answer and its media type.
        output: the URI of the answer.
        failure: the URI of the error.
        received: seconds since 1970.
        ttl: how long it may wait, in seconds.
        log: the file that gets the notifications.
    """

    endpoint: str
    inference: str
    config: JsonObject
    source: str | None
    body: Callable[[], bytes]
    ask: Callable[[bytes], tuple[bytes, str]]
    output: str
    failure: str
    received: float
    ttl: int
    log: Path


class AsynchronousRequests:
    """Requests in the background: of one endpoint in order, and so many at once as it takes.

    Args:
        objects: where bodies and answers are.
        now: returns seconds since 1970.
    """

    def __init__(self, objects: ObjectStore, now: Callable[[], float]) -> None:
        self._objects = objects
        self._now = now
        self._guard = threading.Lock()
        self._waiting: defaultdict[str, deque[AsynchronousRequest]] = defaultdict(deque)
        self._busy: Counter[str] = Counter()
        self._closed = False

    def submit(self, request: AsynchronousRequest, most: int) -> None:
        """Process a request as soon as fewer than `most` of its endpoint are processed."""
        name = request.endpoint
        with self._guard:
            is_late = self._closed
            starts = not is_late and self._busy[name] < most
            if not is_late:
                self._waiting[name].append(request)
            if starts:
                self._busy[name] += 1
        if is_late:
            self._fail(request, _ENDED)
        if starts:
            thread = threading.Thread(target=self._run, args=(name,), daemon=True)
            thread.name = "asynchronous"
            thread.start()

    def close(self) -> None:
        """Process no further request; those that wait have failed."""
        with self._guard:
            self._closed = True
            left = [request for waiting in self._waiting.values() for request in waiting]
            self._waiting.clear()
        for request in left:
            self._fail(request, _ENDED)

    def _run(self, endpoint: str) -> None:
        while (request := self._next(endpoint)) is not None:
            try:
                self._process(request)
            except Exception as error:  # noqa: BLE001 - the outermost frame of this thread
                self._log(request, traceback.format_exc())
                self._fail(request, f"the local SageMaker failed: {error!r}")

    def _next(self, endpoint: str) -> AsynchronousRequest | None:
        """Take the request that has waited longest; None ends the thread that asks."""
        with self._guard:
            if waiting := self._waiting.get(endpoint):
                return waiting.popleft()
            self._busy[endpoint] -= 1
            return None

    def _process(self, request: AsynchronousRequest) -> None:
        if self._now() - request.received > request.ttl:
            self._fail(request, f"the request waited for more than {request.ttl} seconds")
            return
        try:
            content, media_type = request.ask(request.body())
            self._objects.put_bytes(request.output, content)
        except (PipelinesError, OSError) as error:
            self._fail(request, str(error))
            return
        response = {"contentType": media_type, "outputLocation": request.output}
        self._notify(request, "SuccessTopic", {"responseParameters": response})

    def _fail(self, request: AsynchronousRequest, reason: str) -> None:
        self._log(request, f"the asynchronous request {request.inference} failed: {reason}\n")
        try:
            self._objects.put_bytes(request.failure, reason.encode("utf-8", "replace"))
        except (PipelinesError, OSError) as error:
            self._log(request, f"its error could not be written: {error}\n")
        self._notify(request, "ErrorTopic", {"failureReason": reason})

    def _notify(self, request: AsynchronousRequest, member: str, outcome: JsonObject) -> None:
        """Write to the log what SNS would send, where the endpoint has a topic for it."""
        topics = request.config["OutputConfig"].get("NotificationConfig") or {}
        topic = topics.get(member)
        if topic is None:
            return
        message = {
            "eventTime": _moment(self._now()),
            "receivedTime": _moment(request.received),
            "invocationStatus": "Completed" if member == "SuccessTopic" else "Failed",
            "requestParameters": {
                "endpointName": request.endpoint,
                **({"inputLocation": request.source} if request.source else {}),
            },
            **outcome,
            "inferenceId": request.inference,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        self._log(request, f"notification to {topic}: {json.dumps(message)}\n")

    def _log(self, request: AsynchronousRequest, text: str) -> None:
        with suppress(OSError), request.log.open("a", encoding="utf-8", errors="replace") as log:
            log.write(text)  # a log that cannot be written holds up no request


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
