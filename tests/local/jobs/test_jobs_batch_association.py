"""Joining and filtering: the fast ways write what reading and writing each record would."""

from __future__ import annotations

import csv
import io
import json

import pytest

from pipelines.backends.local.jobs.batch.association import Association
from pipelines.json_types import Json


def association(kind: str, **data: Json) -> Association:
    """Make one of records by line."""
    request = {
        "TransformInput": {"ContentType": kind, "SplitType": "Line"},
        "DataProcessing": data,
    }
    found = Association.of(request)
    assert found is not None
    return found


def slowly(lines: list[bytes], chosen: slice) -> bytes:
    """Filter CSV by the csv module."""
    text = io.StringIO()
    rows = csv.reader(io.StringIO(b"\n".join(lines).decode()))
    csv.writer(text, lineterminator="\n").writerows(row[chosen] for row in rows)
    return text.getvalue().removesuffix("\n").encode()


@pytest.mark.parametrize(
    "lines",
    [
        [b"1,2,3", b"4,5,6"],
        [b'1,"a,b",3', b'4,"say ""no""",6'],
        ["1,ü,3".encode(), b"4,,6"],
        [b",,", b"4,5,6"],
        [b"1", b"4,5,6"],
        [b"1,,", b"2,,"],
    ],
)
def test_filtered_lines_are_those_of_the_csv_module(lines: list[bytes]) -> None:
    """With quotes, empty cells, lines of other lengths, and what is not ASCII."""
    records = tuple(lines)
    assert association("text/csv", InputFilter="$[1:]").payload(records) == slowly(
        lines, slice(1, None)
    )
    joined = association("text/csv", JoinSource="Input", OutputFilter="$[0:2]")
    response = b"\n".join(b"0.5" for _ in lines)
    with_result = [line + b",0.5" for line in lines]
    assert joined.output(records, response) == slowly(with_result, slice(0, 2))


def test_json_records_get_their_results() -> None:
    """An object gets a member more; empty lines of a response count for nothing."""
    joined = association("application/jsonlines", JoinSource="Input")
    records = (b'{"x": 1, "s": "\xc3\xbc"}', b"[2]")
    found = joined.output(records, b'{"y": 2}\r\n\n{"y": 4}\n').decode().split("\n")
    assert [json.loads(line) for line in found] == [
        {"x": 1, "s": "ü", "SageMakerOutput": {"y": 2}},
        {"SageMakerInput": [2], "SageMakerOutput": {"y": 4}},
    ]
