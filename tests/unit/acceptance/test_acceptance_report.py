"""The report says for each fact whether it holds, differs or was not tried."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.report import Seen, Verdict, by_fact, write_report

SEEN = [
    Seen("10.2", "test_nested", unverified=True, verdict=Verdict.DIFFERS, what="DID NOT | RAISE"),
    Seen("2.1", "test_names", unverified=False, verdict=Verdict.HOLDS, what=""),
    Seen("10.3", "test_mixed", unverified=True, verdict=Verdict.NOT_TRIED, what="AccessDenied"),
    Seen("2.1", "test_steps", unverified=False, verdict=Verdict.NOT_TRIED, what="throttled"),
]


def test_one_test_that_differs_decides_and_one_that_was_not_tried_does_not() -> None:
    """Facts are in the order of their numbers, not of their text."""
    verdicts = {fact: verdict for fact, (verdict, _) in by_fact(SEEN).items()}
    assert list(verdicts.items()) == [
        ("2.1", Verdict.HOLDS),
        ("10.2", Verdict.DIFFERS),
        ("10.3", Verdict.NOT_TRIED),
    ]


def test_the_report_names_what_is_now_known(tmp_path: Path) -> None:
    """An unverified fact that was tried, whether it holds or not; text and JSON agree."""
    text = write_report(tmp_path / "new", SEEN, {"region": "eu-west-1"}).read_text("utf-8")
    assert "| 10.2 | differs | test_nested | DID NOT \\| RAISE |" in text
    assert "- 10.2: test_nested: differs. DID NOT | RAISE" in text
    whole = json.loads((tmp_path / "new" / "report.json").read_text("utf-8"))
    assert whole["now_known"] == ["test_nested"]
    assert whole["facts"]["10.3"]["verdict"] == "not tried"
