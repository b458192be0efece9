"""A request and its answer → one object of data capture, in the service's form (JSON lines).

Keys and members are those of the developer guide, "Capture data from real-time endpoint". The
service gathers several in a file; here each has one of its own.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from datetime import UTC, datetime

from pipelines.backends.local.hosting.values import Invocation, InvocationResponse
from pipelines.backends.local.objects import ObjectStore
from pipelines.json_types import JsonObject

_CSV, _JSON = ("text/csv",), ("application/json",)
_ALL = 100.0


def is_due(config: JsonObject) -> bool:
    """Return whether a request is among the share that is kept."""
    percent = config["InitialSamplingPercentage"] if config.get("EnableCapture", True) else 0
    return random.random() * _ALL < percent  # noqa: S311 - a share, not a secret


def keep(
    objects: ObjectStore,
    config: JsonObject,
    place: str,
    exchange: tuple[Invocation, InvocationResponse],
    now: float,
) -> None:
    """Write a request and its answer.

    Args:
        objects: the object store.
        config: the endpoint's DataCaptureConfig.
        place: `endpoint/variant`.
        exchange: the request and the answer.
        now: seconds since 1970.
    """
    moment = datetime.fromtimestamp(now, UTC)
    event = str(uuid.uuid4())
    record = {
        "captureData": dict(_captured(config, exchange)),
        "eventMetadata": {
            "eventId": event,
            "inferenceTime": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
        "eventVersion": "0",
    }
    name = f"{moment:%Y/%m/%d/%H/%M-%S}-{moment.microsecond // 1000:03}-{event}.jsonl"
    uri = f"{config['DestinationS3Uri'].rstrip('/')}/{place}/{name}"
    objects.put_bytes(uri, (json.dumps(record) + "\n").encode())


def _captured(
    config: JsonObject, exchange: tuple[Invocation, InvocationResponse]
) -> list[tuple[str, JsonObject]]:
    invocation, response = exchange
    modes = {one["CaptureMode"] for one in config["CaptureOptions"]}
    both = "InputAndOutput" in modes
    found = []
    if both or "Input" in modes:
        content = _content(config, "INPUT", invocation.content_type, invocation.body)
        found.append(("endpointInput", content))
    if both or "Output" in modes:
        content = _content(config, "OUTPUT", response.content_type, response.body)
        found.append(("endpointOutput", content))
    return found


def _content(config: JsonObject, mode: str, media_type: str, body: bytes) -> JsonObject:
    types = config.get("CaptureContentTypeHeader") or {}
    plain = media_type.partition(";")[0].strip().lower()
    encoding = "BASE64"
    if plain in types.get("CsvContentTypes", _CSV):
        encoding = "CSV"
    elif plain in types.get("JsonContentTypes", _JSON):
        encoding = "JSON"
    try:
        data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": media_type, "mode": mode, "data": data, "encoding": encoding}
