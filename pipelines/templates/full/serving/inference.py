"""Answer requests: `{"instances": [{…}, …]}` in, `{"predictions": [{…}, …]}` out.

The server calls `model_fn` once per worker and `transform_fn` per request. A prediction is
`{"probability": 0.93, "male": true}`. A bad request gets a 4xx with a reason, never a traceback.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

JSON = "application/json"
OK, BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE = 200, 400, 415
LARGEST = float(np.finfo(np.float32).max)


class BadRequestError(Exception):
    """The caller's fault; the text is the reason."""


def model_fn(model_dir: str) -> dict[str, Any]:
    """Load what training wrote."""
    folder = Path(model_dir)
    described = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the server runs several workers
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    return {"session": session, **described}


def transform_fn(model: dict[str, Any], data: str | bytes, content_type: str, _accept: str) -> Any:
    """Answer one request."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        reason = f"content type `{content_type}` is not known: send {JSON}"
        return _respond({"error": reason}, UNSUPPORTED_MEDIA_TYPE)
    try:
        return _respond({"predictions": predict(model, read(data))}, OK)
    except BadRequestError as error:
        return _respond({"error": str(error)}, BAD_REQUEST)


def read(data: str | bytes) -> list[dict[str, Any]]:
    """Return the rows of a request.

    Raises:
        BadRequestError: it has none.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequestError("the request is not JSON") from None
    rows = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequestError('send {"instances": [{…}, …]}, at least one')
    return rows


def predict(model: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one prediction per row.

    Raises:
        BadRequestError: a feature is missing or of another type.
    """
    inputs = {one["name"]: _column(one, rows) for one in model["features"]}
    chances = model["session"].run(["probability"], inputs)[0]
    return [
        {"probability": float(chance), model["target"]: bool(chance >= model["threshold"])}
        for chance in chances
    ]


def _column(feature: dict[str, str], rows: list[dict[str, Any]]) -> np.ndarray:
    name, is_text = feature["name"], feature["type"] == "string"
    for number, row in enumerate(rows, 1):
        if not (is_string if is_text else is_number)(row.get(name)):
            raise BadRequestError(f"row {number}: `{name}` must be a {feature['type']}")
    values = [[row[name]] for row in rows]
    return np.array(values, dtype=object if is_text else np.float32)


def is_string(value: object) -> bool:
    """Whether it is text; half a surrogate pair, which JSON can hold, is none."""
    return isinstance(value, str) and value.isprintable()


def is_number(value: object) -> bool:
    """Whether it is a number that the model's float32 can hold: neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST


def _respond(body: dict[str, Any], status: int) -> Any:
    """Return the toolkit's response; without the toolkit (a test, another server) a tuple."""
    try:
        worker = importlib.import_module("sagemaker_containers.beta.framework").worker
    except ImportError:
        return json.dumps(body), status, JSON
    return worker.Response(response=json.dumps(body), status=status, mimetype=JSON)
