"""`DataProcessing` of a transform job: what of a record is sent, and what of the result is kept."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Literal

from pipelines.backends.local.jobs.batch.paths import RecordPath, read_path
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

Format = Literal["csv", "json"]
_QUOTED = re.compile(rb'["\r\0]')
"""What CSV is read and written differently for."""

_decoded = json.JSONDecoder().decode
_encoded = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: `json.dumps` makes one of its own for each record."""

_INPUT, _OUTPUT = "SageMakerInput", "SageMakerOutput"


class ResultError(Exception):
    """What a model returned cannot be associated with its records."""


@frozen
class Association:
    """How records and results belong together.

    Args:
        sent: what of a record is sent.
        kept: what of the result, or of record and result joined, is kept.
        joined: whether the result is joined to its record.
        format: how records and results are written.
        by_line: whether a response has a line for each record.
    """

    sent: RecordPath
    kept: RecordPath
    joined: bool
    format: Format
    by_line: bool

    @classmethod
    def of(cls, request: JsonObject) -> Association | None:
        """Read a CreateTransformJob request; None where it leaves everything as it is.

        Raises:
            JobRefusedError: a path is not valid, or the content type is neither CSV nor JSON.
        """
        given = request.get("DataProcessing") or {}
        sent = read_path("DataProcessing.InputFilter", given.get("InputFilter"))
        kept = read_path("DataProcessing.OutputFilter", given.get("OutputFilter"))
        joined = given.get("JoinSource") == "Input"
        if sent.is_whole and kept.is_whole and not joined:
            return None
        source = request["TransformInput"]
        split = source.get("SplitType", "None")
        if split not in ("None", "Line"):
            raise JobRefusedError(
                f"`DataProcessing` cannot read records of the split type {split}",
                "it reads CSV, JSON and JSON Lines: set `TransformInput.SplitType` to Line or None",
            )
        return cls(sent, kept, joined, _format(source.get("ContentType")), split == "Line")

    def payload(self, records: tuple[bytes, ...]) -> bytes:
        """Return what is sent of records."""
        if self.sent.is_whole:
            return b"\n".join(records)
        chosen = (self.sent.select(record) for record in self._read(b"\n".join(records)))
        return self._written([*chosen])

    def output(self, records: tuple[bytes, ...], response: bytes) -> bytes:
        """Return what is kept of a response.

        Raises:
            ResultError: the response has not one result for each record.
            PathError: a result has not what is to be kept.
        """
        plain = self._side_by_side(records, response)
        if plain is not None:
            return plain
        results = self._read(response)
        if self.joined:
            sources = self._read(b"\n".join(records))
            if len(sources) != len(results):
                raise ResultError(
                    f"the model returned {len(results)} results for {len(sources)} records"
                )
            results = [self._join(*pair) for pair in zip(sources, results, strict=True)]
        return self._written([self.kept.select(result) for result in results])

    def _side_by_side(self, records: tuple[bytes, ...], response: bytes) -> bytes | None:
        """Write each record with its result behind it, as texts.

        None where that is not what reading and writing them would give: where anything is
        filtered or quoted, or the lines do not match.
        """
        if not (self.joined and self.kept.is_whole and self.by_line and self.format == "csv"):
            return None
        results = response.removesuffix(b"\n").split(b"\n")
        if len(results) != len(records) or not all(results) or not all(records):
            return None
        text = b"\n".join(map(b",".join, zip(records, results, strict=True)))
        return text if text.isascii() and not _QUOTED.search(text) else None

    def _join(self, source: Json, result: Json) -> Json:
        if self.format == "csv":
            return [*source, *result]
        if isinstance(source, dict):
            return {**source, _OUTPUT: result}
        return {_INPUT: source, _OUTPUT: result}

    def _read(self, text: bytes) -> list[Json]:
        try:
            if self.format == "csv":
                return _rows(text)
            if not self.by_line:
                return [json.loads(text)]
            lines = text.decode("utf-8-sig").split("\n")
            return [_decoded(line) for line in lines if line and not line.isspace()]
        except ValueError as error:
            raise ResultError(f"it is not valid {self.format.upper()}: {error}") from None

    def _written(self, values: list[Json]) -> bytes:
        if self.format == "json":
            return "\n".join(map(_encoded, values)).encode()
        return _csv([value if isinstance(value, list) else [value] for value in values])


def _rows(text: bytes) -> list[Json]:
    """Read CSV; text without quotes and empty lines is cut at its commas, which is faster."""
    decoded = text.decode()
    lines = decoded.removesuffix("\n").split("\n")
    if _QUOTED.search(text) or not all(lines):
        return [*csv.reader(io.StringIO(decoded))]
    return [line.split(",") for line in lines]


def _csv(rows: list[list[str]]) -> bytes:
    """Write CSV; where nothing has to be quoted, by joining, which is faster."""
    lines = list(map(",".join, rows))
    text = "\n".join(lines)
    is_plain = text.count(",") == sum(map(len, rows)) - len(rows) and all(lines)
    if is_plain and text.count("\n") == len(rows) - 1 and not _QUOTED.search(text.encode()):
        return text.encode()
    quoted = io.StringIO()
    csv.writer(quoted, lineterminator="\n").writerows(rows)
    return quoted.getvalue().removesuffix("\n").encode()


def _format(content_type: str | None) -> Format:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "text/csv":
        return "csv"
    if kind in ("application/json", "application/jsonlines"):
        return "json"
    raise JobRefusedError(
        f"`DataProcessing` cannot read records of the content type {content_type}",
        "set `TransformInput.ContentType` to text/csv, application/json or application/jsonlines",
    )
