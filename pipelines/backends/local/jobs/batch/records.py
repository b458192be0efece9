"""An input object → the payloads of the requests, each a batch of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final

from pipelines.backends.local.jobs.batch.binary import Record, RecordsError, record_io, tf_records
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_MEGABYTE = 1 << 20
_DEFAULT_MEGABYTES = 6


class PayloadError(Exception):
    """An object cannot be cut into payloads."""


@frozen
class Batching:
    """How an object is cut into payloads.

    Args:
        split: `SplitType`: what a record is; None for the whole object.
        single: whether a payload holds one record.
        longest: bytes of a payload; None for any number.
    """

    split: str
    single: bool
    longest: int | None

    @classmethod
    def of(cls, request: JsonObject) -> Batching:
        """Read a CreateTransformJob request."""
        megabytes = request.get("MaxPayloadInMB", _DEFAULT_MEGABYTES)
        return cls(
            split=request["TransformInput"].get("SplitType", "None"),
            single=request.get("BatchStrategy") == "SingleRecord",
            longest=megabytes * _MEGABYTE or None,
        )

    @property
    def by_line(self) -> bool:
        """Whether each line is a record."""
        return self.split == "Line"

    def payloads(self, source: IO[bytes]) -> Iterator[tuple[bytes, ...]]:
        """Yield the records of each payload, as they are sent.

        Of a binary record, what stands round its content is sent with several records in a payload,
        and is not with one (CreateTransformJob API, `SplitType`).

        Raises:
            PayloadError: a record is too long, or the object has no such records.
        """
        batch, size = list[bytes](), 0
        between = len(self._separator)
        try:
            for content, framed in _READERS[self.split](source):
                self._check_fits(content)
                record = content if self.single else framed
                if batch and (self.single or self._is_full(size + len(record) + between)):
                    yield tuple(batch)
                    batch, size = [], 0
                batch.append(record)
                size += len(record) + between
        except RecordsError as error:
            raise PayloadError(str(error)) from None
        if batch:
            yield tuple(batch)

    def joined(self, records: tuple[bytes, ...]) -> bytes:
        """Return the payload of records."""
        return self._separator.join(records)

    @property
    def _separator(self) -> bytes:
        return b"\n" if self.by_line else b""

    def _is_full(self, size: int) -> bool:
        return self.longest is not None and size > self.longest

    def _check_fits(self, content: bytes) -> None:
        if self._is_full(len(content)):
            raise PayloadError(
                f"Too much data for max payload size: a record of {len(content)} bytes,"
                f" MaxPayloadInMB is {(self.longest or 0) // _MEGABYTE}"
            )


def _whole(source: IO[bytes]) -> Iterator[Record]:
    content = source.read()
    yield content, content


def _lines(source: IO[bytes]) -> Iterator[Record]:
    for line in source:
        content = line.rstrip(b"\r\n")
        yield content, content


_READERS: Final[Mapping[str, Callable[[IO[bytes]], Iterator[Record]]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": record_io,
    "TFRecord": tf_records,
}
