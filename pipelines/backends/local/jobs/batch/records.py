"""An input object → the payloads of the requests, each a batch of records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_MEGABYTE = 1 << 20
_DEFAULT_MEGABYTES = 6


class PayloadError(Exception):
    """A record is longer than a payload may be."""


@frozen
class Batching:
    """How an object is cut into payloads.

    Args:
        by_line: whether each line is a record; else the whole object is one.
        single: whether a payload holds one record.
        longest: bytes of a payload; None for any number.
    """

    by_line: bool
    single: bool
    longest: int | None

    @classmethod
    def of(cls, request: JsonObject) -> Batching:
        """Read a CreateTransformJob request."""
        megabytes = request.get("MaxPayloadInMB", _DEFAULT_MEGABYTES)
        return cls(
            by_line=request["TransformInput"].get("SplitType", "None") == "Line",
            single=request.get("BatchStrategy") == "SingleRecord",
            longest=megabytes * _MEGABYTE or None,
        )

    def payloads(self, source: IO[bytes]) -> Iterator[tuple[bytes, ...]]:
        """Yield the records of each payload.

        Raises:
            PayloadError: a record is too long.
        """
        if not self.by_line:
            yield (self._fitting(source.read()),)
            return
        batch, size = list[bytes](), 0
        for line in source:
            record = self._fitting(line.rstrip(b"\r\n"))
            if batch and (self.single or self._is_full(size + len(record) + 1)):
                yield tuple(batch)
                batch, size = [], 0
            batch.append(record)
            size += len(record) + 1
        if batch:
            yield tuple(batch)

    def _is_full(self, size: int) -> bool:
        return self.longest is not None and size > self.longest

    def _fitting(self, record: bytes) -> bytes:
        if self._is_full(len(record)):
            raise PayloadError(
                f"Too much data for max payload size: a record of {len(record)} bytes,"
                f" MaxPayloadInMB is {(self.longest or 0) // _MEGABYTE}"
            )
        return record
