"""The binary formats of records: MXNet's RecordIO and TensorFlow's TFRecord.

Sources: MXNet, "Create a Dataset Using RecordIO" and dmlc-core `recordio.h` (a record: magic, flag
and length, content, padding to four bytes; one that holds the magic comes in parts); TensorFlow,
"TFRecord and tf.train.Example" (a record: length, its checksum, content, the content's checksum).
The checksum of a length is checked, which tells a TFRecord from anything else; that of a content
is not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import IO, Final, TypeAlias

RECORD_IO_MAGIC: Final = 0xCED7230A
_MAGIC: Final = struct.pack("<I", RECORD_IO_MAGIC)
_LENGTH_BITS: Final = 29
_WHOLE, _FIRST, _INNER, _LAST = range(4)
_CASTAGNOLI: Final = 0x82F63B78  # CRC-32C, reflected
_MASK_DELTA: Final = 0xA282EAD8
_LONGEST: Final = 1 << 31  # of a TFRecord's content: tf.train.Example is a message of protobuf

Record: TypeAlias = tuple[bytes, bytes]
"""Its content, and all of its bytes."""


class RecordsError(Exception):
    """The bytes are not such records; the text is one line."""


def wrapped(content: bytes) -> bytes:
    """Return a RecordIO record with this content."""
    return _MAGIC + struct.pack("<I", len(content)) + content + bytes(-len(content) % 4)


def record_io(source: IO[bytes]) -> Iterator[Record]:
    """Yield the records of a RecordIO file.

    Raises:
        RecordsError: it is not one.
    """
    parts, framed = list[bytes](), b""
    while head := source.read(8):
        if len(head) < 8 or head[:4] != _MAGIC:
            raise RecordsError("it is not a RecordIO file: a record has no magic number")
        (word,) = struct.unpack("<I", head[4:])
        flag, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
        if flag > _LAST or (flag in (_WHOLE, _FIRST)) == bool(parts):
            raise RecordsError("it is not a RecordIO file: the parts of a record are in disorder")
        body = _exactly(source, length + -length % 4, "RecordIO")
        parts.append(body[:length])
        framed += head + body
        if flag in (_WHOLE, _LAST):
            yield _MAGIC.join(parts), framed
            parts, framed = [], b""
    if parts:
        raise RecordsError("it is not a whole RecordIO file: the last record is cut off")


def tf_records(source: IO[bytes]) -> Iterator[Record]:
    """Yield the records of a TFRecord file.

    Raises:
        RecordsError: it is not one.
    """
    while head := source.read(12):
        if len(head) < 12 or struct.unpack("<I", head[8:]) != (_masked_checksum(head[:8]),):
            raise RecordsError("it is not a TFRecord file: the checksum of a length does not match")
        (length,) = struct.unpack("<Q", head[:8])
        if length > _LONGEST:
            raise RecordsError(f"it is not a TFRecord file: a record of {length} bytes")
        body = _exactly(source, length + 4, "TFRecord")
        yield body[:length], head + body


def _exactly(source: IO[bytes], number: int, format_: str) -> bytes:
    found = source.read(number)
    if len(found) < number:
        raise RecordsError(f"it is not a whole {format_} file: the last record is cut off")
    return found


def _masked_checksum(data: bytes) -> int:
    """Return CRC-32C as TFRecords have it: rotated, and a constant added."""
    table, checksum = _table(), 0xFFFFFFFF
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    checksum ^= 0xFFFFFFFF
    return ((checksum >> 15 | checksum << 17) + _MASK_DELTA) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)
