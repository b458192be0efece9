"""InvokeEndpointAsync behind its response: requests that wait, and what each one leaves in S3."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

TTL_SECONDS = 21_600
"""How long a request may wait, by default (FACTS 2.5)."""


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
        failure: the URI of the error; None where errors are not kept.
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
    failure: str | None
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
        self._changed = threading.Condition()
        self._waiting: defaultdict[str, deque[AsynchronousRequest]] = defaultdict(deque)
        self._busy: defaultdict[str, int] = defaultdict(int)
        self._closed = False

    def submit(self, request: AsynchronousRequest, most: int) -> None:
        """Process a request as soon as fewer than `most` of its endpoint are processed."""
        with self._changed:
            self._waiting[request.endpoint].append(request)
            if self._busy[request.endpoint] >= most:
                return
            self._busy[request.endpoint] += 1
        name = request.endpoint
        threading.Thread(target=self._run, args=(name,), name="asynchronous", daemon=True).start()

    def close(self) -> None:
        """Process no further request; those that wait have failed."""
        with self._changed:
            self._closed = True
            left = [request for waiting in self._waiting.values() for request in waiting]
            self._waiting.clear()
        for request in left:
            self._fail(request, "the local SageMaker ended before this request was processed")

    def _run(self, endpoint: str) -> None:
        while True:
            with self._changed:
                if self._closed or not self._waiting[endpoint]:
                    self._busy[endpoint] -= 1
                    return
                request = self._waiting[endpoint].popleft()
            self._process(request)

    def _process(self, request: AsynchronousRequest) -> None:
        if self._now() - request.received > request.ttl:
            self._fail(request, f"the request waited for more than {request.ttl} seconds")
            return
        try:
            content, media_type = request.ask(request.body())
        except PipelinesError as error:
            self._fail(request, str(error))
            return
        self._objects.put_bytes(request.output, content)
        response = {"contentType": media_type, "outputLocation": request.output}
        self._notify(request, "SuccessTopic", {"responseParameters": response})

    def _fail(self, request: AsynchronousRequest, reason: str) -> None:
        if request.failure is not None:
            self._objects.put_bytes(request.failure, reason.encode())
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
        with request.log.open("a", encoding="utf-8") as log:
            log.write(f"notification to {topic}: {json.dumps(message)}\n")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
