"""SavedModels, served as AWS's TensorFlow Serving images serve them: by TensorFlow in this process.

A request goes through `input_handler(data, context)`, the REST interface of TensorFlow Serving
and `output_handler(response, context)`; or `handler(data, context)` asks that interface itself, at
the context's address; or, without code, it is put into the interface's words and goes there.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from . import formats
from .failures import FailureReport
from .handler import InvocationReply, InvocationRequest, import_program, one_line
from .saved_model import RestResponse, SavedModels
from .toolkits import ServingCodeError

_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_FAILED, _UNSUPPORTED = 500, 415
_LINES = ("application/jsonlines", "application/jsons", "application/x-jsonlines")


class TensorflowContext(NamedTuple):
    """What a handler learns of a request, by the image's names."""

    model_name: str | None
    model_version: str | None
    method: str | None
    rest_uri: str
    grpc_port: str | None
    channel: object
    custom_attributes: str | None
    request_content_type: str
    accept_header: str
    content_length: int


def load_saved_models(report: FailureReport, program: str, model_dir: str) -> TensorflowHandler:
    """Load the newest version of each SavedModel, and the code around them if there is any.

    Raises:
        ServingCodeError: TensorFlow is not installed, there is no SavedModel below a folder with a
            number, or the code lacks its handlers.
    """
    if not program:
        return TensorflowHandler(report, SavedModels.load(model_dir), None)
    module = import_program(report, program)
    handler = getattr(module, "handler", None)
    before, after = getattr(module, "input_handler", None), getattr(module, "output_handler", None)
    if handler is None and (before is None or after is None):
        raise ServingCodeError(
            f"`{program}` has neither input_handler(data, context) and output_handler(response,"
            " context) nor handler(data, context)"
        )
    models = SavedModels.load(model_dir)
    return TensorflowHandler(report, models, handler or _around(models, before, after))


def _around(models: SavedModels, before: Any, after: Any) -> Callable[[Any, Any], Any]:
    def handle(data: io.BytesIO, context: TensorflowContext) -> Any:
        return after(models.answer(context.rest_uri, _bytes(before(data, context))), context)

    return handle


def _bytes(body: Any) -> bytes:
    return (
        body.encode()
        if isinstance(body, str)
        else bytes(body.read() if hasattr(body, "read") else body)
    )


class TensorflowHandler:
    """Loaded SavedModels, and the user's handler around them; None for none."""

    def __init__(
        self, report: FailureReport, models: SavedModels, handler: Callable[[Any, Any], Any] | None
    ) -> None:
        self._report = report
        self._models = models
        self._handler = handler
        self._port = _listen(models)

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Process a request; an exception in the user's code becomes a 500, traceback on stderr."""
        context = self._context(request)
        if self._handler is None:
            return self._direct(request, context)
        try:
            body, content_type = self._handler(io.BytesIO(request.body), context)
            return InvocationReply(200, _bytes(body), str(content_type))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
            self._report.write()
            return _json_reply(_FAILED, {"error": str(error) or one_line(error)})

    def _direct(self, request: InvocationRequest, context: TensorflowContext) -> InvocationReply:
        try:
            body = _in_words(request.body, context.request_content_type)
        except formats.UnsupportedFormatError as error:
            return _json_reply(_UNSUPPORTED, {"error": str(error)})
        except ValueError as error:
            return _json_reply(400, {"error": str(error)})
        answer = self._models.answer(context.rest_uri, body)
        return InvocationReply(answer.status_code, answer.content, formats.JSON)

    def _context(self, request: InvocationRequest) -> TensorflowContext:
        given = request.headers.get(_ATTRIBUTES)
        pairs = (pair.strip().partition("=") for pair in (given or "").split(","))
        wanted = {name: value for name, _, value in pairs if name.startswith("tfs-")}
        name, version = wanted.get("tfs-model-name"), wanted.get("tfs-model-version")
        path = f"/v1/models/{name or self._models.default}"
        path += f"/versions/{version}" if version else ""
        accept = request.accept if request.accept not in {"", formats.ANY} else formats.JSON
        return TensorflowContext(
            name,
            version,
            wanted.get("tfs-method"),
            f"http://127.0.0.1:{self._port}{path}:{wanted.get('tfs-method', 'predict')}",
            None,
            None,
            given,
            request.content_type or formats.JSON,
            accept,
            len(request.body),
        )


def _in_words(body: bytes, content_type: str) -> bytes:
    """Put a request without code around it into the words of the interface."""
    media = formats.media_type(content_type)
    if media == formats.CSV:
        lines = [line for line in body.decode().splitlines() if line.strip()]
        return json.dumps(
            {"instances": [[_cell(c) for c in line.split(",")] for line in lines]}
        ).encode()
    if media in _LINES:
        lines = [line for line in body.decode().splitlines() if line.strip()]
        return json.dumps({"instances": [json.loads(line) for line in lines]}).encode()
    if media != formats.JSON:
        raise formats.UnsupportedFormatError(media, (formats.JSON, formats.CSV, _LINES[0]))
    value = json.loads(body)
    if isinstance(value, dict) and value.keys() & {"instances", "inputs", "examples"}:
        return body
    is_rows = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    return json.dumps({"instances": value if is_rows else [value]}).encode()


def _cell(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text.strip().strip('"')


def _json_reply(status: int, value: Mapping[str, str]) -> InvocationReply:
    return InvocationReply(status, json.dumps(value).encode(), formats.JSON)


def _listen(models: SavedModels) -> int:
    """Serve the REST interface on a loopback port, for a `handler` that asks it itself."""

    class Rest(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._send(models.answer(self.path, self.rfile.read(length)))

        def do_GET(self) -> None:
            self._send(models.status(self.path))

        def _send(self, answer: RestResponse) -> None:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", formats.JSON)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Write nothing: the log is the user's."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Rest)
    except (
        OSError
    ):  # a machine without loopback: `input_handler` and `output_handler` do without it
        return 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read when TensorFlow is imported
