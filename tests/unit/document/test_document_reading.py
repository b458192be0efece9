"""The rim: files that are not there, not files, or not text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.document import DocumentLimits, read


def test_a_file_is_read_with_its_given_name(tmp_path: Path) -> None:
    """The source is what the user wrote, not the absolute path; a mark is skipped."""
    path = tmp_path / "p.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n")
    document = read(path, "x/p.yaml").document
    assert document is not None
    assert (document.source, document.data) == ("x/p.yaml", {"a": 1, "b": "é"})
    assert document.text == "a: 1\nb: é\n"


def test_a_missing_file_and_a_folder_are_findings_without_a_place(tmp_path: Path) -> None:
    """There is nothing to point at."""
    missing = read(tmp_path / "p.yaml", "p.yaml")
    folder = read(tmp_path, "here")
    assert missing.document is None
    assert [(found.code, found.span) for found in missing.findings] == [("SP111", None)]
    assert missing.findings[0].message == "`p.yaml`: there is no such file"
    assert folder.findings[0].message == "`here`: this is a folder"


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"a: 1\nb: \xe9\n", "the file is not UTF-8: byte 0xe9 at offset 8", (2, 4)),
        ("a: 1\n".encode("utf-16"), "the file is UTF-16", (1, 1)),
    ],
)
def test_what_is_not_utf8_is_refused_at_its_place(
    data: bytes, message: str, place: tuple[int, int], tmp_path: Path
) -> None:
    """Latin-1 and UTF-16 are the usual ones."""
    path = tmp_path / "p.yaml"
    path.write_bytes(data)
    parsed = read(path, "p.yaml")
    found = parsed.findings[0]
    assert (found.code, found.message) == ("SP111", message)
    assert found.span is not None
    assert (found.span.line, found.span.column) == place


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    """A file of any size costs no more than the limit; a character cut in two is no matter."""
    path = tmp_path / "p.yaml"
    path.write_bytes(b"a: " + "é".encode() * 1000)
    assert [found.code for found in read(path, "p.yaml", DocumentLimits(size=100)).findings] == [
        "SP108"
    ]


def test_a_file_the_system_refuses_is_a_finding(tmp_path: Path) -> None:
    """The system's own words say why."""
    found = read(tmp_path / ("x" * 5000), "p.yaml").findings[0]
    assert found.code == "SP111"
    assert found.message.startswith("`p.yaml`: this file cannot be read: ")
