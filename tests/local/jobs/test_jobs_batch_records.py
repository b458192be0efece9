"""How batch transform cuts an object into payloads, for each split type."""

from __future__ import annotations

import io
import struct

import pytest

from pipelines.backends.local.jobs.batch.binary import RECORD_IO_MAGIC, wrapped
from pipelines.backends.local.jobs.batch.records import Batching, PayloadError
from pipelines.json_types import Json

MAGIC = struct.pack("<I", RECORD_IO_MAGIC)
# The first record of every TensorBoard log, but for its content and that one's checksum.
TF_HEAD = bytes.fromhex("1800000000000000a37f4b22")
TF_RECORD = TF_HEAD + b"t" * 24 + b"\0\0\0\0"


def payloads(split: str, data: bytes, strategy: str = "MultiRecord", **more: Json) -> list[bytes]:
    """Cut an object."""
    batching = Batching.of(
        {"TransformInput": {"SplitType": split}, "BatchStrategy": strategy, **more}
    )
    return [batching.joined(records) for records in batching.payloads(io.BytesIO(data))]


@pytest.mark.parametrize(
    ("split", "data", "single", "several"),
    [
        ("None", b"a\nb\n", [b"a\nb\n"], [b"a\nb\n"]),
        ("Line", b"a\r\nb", [b"a", b"b"], [b"a\nb"]),
        ("RecordIO", wrapped(b"one") + wrapped(b"four"), [b"one", b"four"], None),
        ("TFRecord", TF_RECORD * 2, [b"t" * 24] * 2, None),
    ],
)
def test_what_stands_round_a_binary_record_is_sent_with_several_of_them(
    split: str, data: bytes, single: list[bytes], several: list[bytes] | None
) -> None:
    """CreateTransformJob API, `SplitType`: padding is removed for SingleRecord alone."""
    assert payloads(split, data, "SingleRecord") == single
    assert payloads(split, data) == (several or [data])


def test_a_record_that_holds_the_magic_number_comes_in_parts() -> None:
    """MXNet's writer leaves the magic out and cuts there; the content has it."""
    first = MAGIC + struct.pack("<I", 1 << 29 | 3) + b"abc\0"
    inner = MAGIC + struct.pack("<I", 2 << 29 | 1) + b"d\0\0\0"
    last = MAGIC + struct.pack("<I", 3 << 29)
    data = first + inner + last + wrapped(b"e")
    assert payloads("RecordIO", data, "SingleRecord") == [b"abc" + MAGIC + b"d" + MAGIC, b"e"]
    assert payloads("RecordIO", data) == [data]


@pytest.mark.parametrize(
    ("split", "data"),
    [
        ("RecordIO", b"1,2\n3,4\n"),
        ("RecordIO", b"1"),
        ("RecordIO", wrapped(b"four")[:-1]),
        ("RecordIO", MAGIC + struct.pack("<I", 1 << 29 | 4) + b"four"),
        ("RecordIO", MAGIC + struct.pack("<I", 3 << 29 | 4) + b"four"),
        ("RecordIO", MAGIC + struct.pack("<I", 7 << 29 | 4) + b"four"),
        ("TFRecord", b"1,2\n3,4\n5,6\n"),
        ("TFRecord", TF_RECORD[:-1]),
        ("TFRecord", TF_HEAD[:-1] + b"\0" + TF_RECORD[12:]),
        ("TFRecord", TF_HEAD[:5]),
    ],
)
def test_other_bytes_than_records_are_named_as_such(split: str, data: bytes) -> None:
    """Text, and what is cut off, is the user's news."""
    with pytest.raises(PayloadError, match=f"it is not a (whole )?{split} file"):
        payloads(split, data)


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_a_payload_has_as_many_records_as_fit(strategy: str) -> None:
    """`MaxPayloadInMB` bounds a payload, and a record's content."""
    records = [bytes([number]) * 400_000 for number in range(3)]
    cut = payloads("RecordIO", b"".join(map(wrapped, records)), strategy, MaxPayloadInMB=1)
    framed = [*map(wrapped, records)]
    assert cut == (records if strategy == "SingleRecord" else [b"".join(framed[:2]), framed[2]])
    with pytest.raises(PayloadError, match="Too much data"):
        payloads("RecordIO", wrapped(bytes(2 << 20)), strategy, MaxPayloadInMB=1)
