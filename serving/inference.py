"""Serve the delay model: raw flights in, the chance of a late arrival out.

The server calls `model_fn` once per worker and `transform_fn` per request. A request is JSON
(`{"instances": [{…}, …]}`, a list of flights, or one flight) or CSV (with a header line, or the
features in the order of `metadata.json`). The answer to JSON is
`{"predictions": [{"probability": 0.31, "late": false}, …]}`, to CSV one probability a line; the
Accept header chooses between the two. A bad request gets a 4xx with a reason.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

JSON, CSV = "application/json", "text/csv"
MAX_ROWS = 100_000
_LARGEST = float(np.finfo(np.float32).max)
_BAD_REQUEST, _NOT_ACCEPTABLE, _UNSUPPORTED_MEDIA_TYPE = 400, 406, 415


class BadRequestError(Exception):
    """The caller's fault: the reason, and the HTTP status that goes with it."""

    def __init__(self, reason: str, status: int = _BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Feature:
    """An input of the model: its name, and `string` or `number`."""

    name: str
    type: str

    def parse(self, value: object) -> str | float:
        """Return a value as the model takes it; a missing one is "" or NaN.

        Raises:
            BadRequestError: the value is of another type.
        """
        if self.type == "string":
            if value is None:
                return ""
            if isinstance(value, str) and value.isprintable():  # half a surrogate pair is not
                return value
        elif value is None or value == "":
            return math.nan
        elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return self._number(value)
        raise BadRequestError(f"`{self.name}` is a {self.type}, not {json.dumps(value)[:60]}")

    def _number(self, value: float | str) -> float:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.inf
        if abs(number) > _LARGEST:  # float32, as the model takes it
            raise BadRequestError(f"`{self.name}` is a number, not {json.dumps(value)[:60]}")
        return number


@dataclass(frozen=True)
class Model:
    """The session, the features in the order of `metadata.json`, and the threshold of `late`."""

    session: Any
    features: tuple[Feature, ...]
    target: str
    threshold: float

    def predict(self, rows: list[dict[str, object]]) -> list[float]:
        """Return one probability per row."""
        columns = {
            feature.name: np.array(
                [[feature.parse(row[feature.name])] for row in rows],
                dtype=object if feature.type == "string" else np.float32,
            )
            for feature in self.features
        }
        probability = self.session.run(["probability"], columns)[0]
        return [float(chance) for chance in np.reshape(probability, -1)]


def model_fn(model_dir: str) -> Model:
    """Load model.onnx, on the CPU, and what metadata.json says of its inputs."""
    folder = Path(model_dir)
    described = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the server runs one worker per request
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    features = tuple(Feature(one["name"], one["type"]) for one in described["features"])
    return Model(session, features, described["target"], described["threshold"])


def transform_fn(model: Model, data: str | bytes, content_type: str, accept: str) -> Any:
    """Answer one request; see the module for what goes in and what comes out."""
    try:
        answered = _media_type(accept)
        rows = read_request(model, data, _media_type(content_type))
        return _respond(write_answer(model, model.predict(rows), answered), 200, answered)
    except BadRequestError as error:
        return _respond(json.dumps({"error": str(error)}), error.status, JSON)


def read_request(model: Model, data: str | bytes, content_type: str) -> list[dict[str, object]]:
    """Read the rows of a request: each has every feature of the model.

    Raises:
        BadRequestError: the body is not what its content type says, or a feature is missing.
    """
    if content_type not in (JSON, CSV):
        raise BadRequestError(
            f"content type `{content_type}` is not known: send {JSON} or {CSV}",
            _UNSUPPORTED_MEDIA_TYPE,
        )
    try:
        text = data if isinstance(data, str) else bytes(data).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequestError("the request is not UTF-8") from None
    rows = _read_json(text) if content_type == JSON else _read_csv(text, model.features)
    if not rows:
        raise BadRequestError("the request holds no rows")
    if len(rows) > MAX_ROWS:
        raise BadRequestError(f"the request holds {len(rows)} rows, more than {MAX_ROWS}")
    for number, row in enumerate(rows, 1):
        missing = [f"`{one.name}`" for one in model.features if one.name not in row]
        if missing:
            raise BadRequestError(f"row {number} has no {', '.join(missing)}")
    return rows


def write_answer(model: Model, probabilities: list[float], accept: str) -> str:
    """Write the probabilities as the caller wants them.

    Raises:
        BadRequestError: in no way that is known here.
    """
    if accept == CSV:
        return "".join(f"{chance:.9g}\n" for chance in probabilities)
    if accept in (JSON, "*/*", "application/*", ""):
        predictions = [
            {"probability": chance, model.target: chance >= model.threshold}
            for chance in probabilities
        ]
        return json.dumps({"predictions": predictions})
    raise BadRequestError(f"cannot answer in `{accept}`: accept {JSON} or {CSV}", _NOT_ACCEPTABLE)


def _read_json(text: str) -> list[dict[str, object]]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequestError("the request is not JSON") from None
    rows = body.get("instances", [body]) if isinstance(body, dict) else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRequestError('send {"instances": [{…}]}, a list of objects, or one object')
    return rows


def _read_csv(text: str, features: tuple[Feature, ...]) -> list[dict[str, object]]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise BadRequestError(f"the request is not CSV: {error}") from None
    names = [feature.name for feature in features]
    header = lines.pop(0) if lines and set(lines[0]) & set(names) else names
    for name in names:
        if header.count(name) > 1:
            raise BadRequestError(f"the header has `{name}` twice")
    for number, line in enumerate(lines, 1):
        if len(line) != len(header):
            raise BadRequestError(
                f"row {number} has {len(line)} values, not {len(header)} ({', '.join(header)})"
            )
    return [dict(zip(header, line, strict=True)) for line in lines]


def _media_type(header: str | None) -> str:
    """Return the first media type of a header, without parameters such as the charset."""
    return (header or "").split(",")[0].split(";")[0].strip().lower()


def _respond(body: str, status: int, media_type: str) -> Any:
    """Return the toolkit's response; without a toolkit (a test, another server) a plain tuple."""
    media_type = media_type if media_type in (JSON, CSV) else JSON
    try:
        worker = importlib.import_module("sagemaker_containers.beta.framework").worker
    except ImportError:
        return body, status, media_type
    return worker.Response(response=body, status=status, mimetype=media_type)
