"""What commands print for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from pipelines.cli import printing
from pipelines.cli.sizes import size

CLI = Path(printing.__file__).parent


def test_times_are_written_in_iso_8601() -> None:
    """As other programs read them; what has no JSON besides is its text."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    text = printing.as_json({"at": moment, "in": Path("a/b"), "n": [1, None]})
    assert json.loads(text) == {"at": "2026-01-02T03:04:05+00:00", "in": "a/b", "n": [1, None]}
    assert text.endswith("}\n")


def test_no_command_writes_times_in_another_way() -> None:
    """`json.dumps(…, default=str)` would write a space in the place of the T."""
    for file in CLI.rglob("*.py"):
        assert "default=str" not in file.read_text("utf-8"), file


def test_a_number_that_is_none_is_null() -> None:
    """A metric may be NaN or infinite, and JSON has neither: jq and JavaScript would refuse it."""
    values = {"auc": float("nan"), "rows": [1.5, float("inf"), (float("-inf"), True)]}
    text = printing.as_json({"at": datetime(2026, 1, 2, tzinfo=UTC), **values})
    read = json.loads(text, parse_constant=lambda name: f"not JSON: {name}")
    assert read["auc"] is None
    assert read["rows"] == [1.5, None, [None, True]]
    assert read["at"] == "2026-01-02T00:00:00+00:00"


def test_one_byte_is_one() -> None:
    """Not `1 bytes`."""
    assert [size(count) for count in (0, 1, 2, 1000)] == ["0 bytes", "1 byte", "2 bytes", "1.0 kB"]
