"""Outcomes → index.html of the data docs.

Great Expectations' own index draws its table with scripts from the network; this one is plain
HTML, reads without a network, and links to the pages of Great Expectations.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.programs.validate.outcome import in_words
from pipelines.programs.validate.report import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.programs.validate.outcome import ExpectationOutcome, TableOutcome

POLICY = (
    "<meta http-equiv='Content-Security-Policy' "
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
"""What a page may load: its own style. Values of the data stand in it, and may hold HTML."""

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #ddd;padding:.35rem .5rem;text-align:left;vertical-align:top}"
    ".ok{color:light-dark(#17692f,#6c9)}.bad{color:light-dark(#a11,#f88)}"
)


def write_index(tables: Sequence[TableOutcome], docs: Path) -> None:
    """Write `index.html` into the docs folder, over the one of Great Expectations."""
    sections = "".join(_section(table, docs) for table in tables)
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "index.html").write_text(
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>{POLICY}"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>Data validation</title><style>{_STYLE}</style></head>"
        f"<body><h1>Data validation</h1>{sections}</body></html>\n",
        encoding="utf-8",
    )


def _section(table: TableOutcome, docs: Path) -> str:
    if table.error is not None:
        return f"<h2>{escape(table.name)}</h2><p class='bad'>{escape(table.error)}</p>"
    met = sum(outcome.success for outcome in table.outcomes)
    page = f"validations/{table.name}.html"
    is_written = (docs / page).is_file()
    links = f"<a href='{quote(page)}'>Great Expectations' page</a>" if is_written else ""
    rows = "".join(_row(outcome) for outcome in table.outcomes)
    size = f"{_counted(table.rows, 'row')} in {_counted(table.files, 'file')}"
    return (
        f"<h2>{escape(table.name)}</h2><p>{size}; "
        f"{met} of {len(table.outcomes)} expectations met. {links}</p>"
        f"<table><tr><th>Met</th><th>Severity</th><th>Expectation</th></tr>{rows}</table>"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _row(outcome: ExpectationOutcome) -> str:
    mark, style = ("yes", "ok") if outcome.success else ("no", "bad")
    text = in_words(outcome.expectation) if outcome.success else describe(outcome)
    severity = outcome.expectation.severity.name.lower()
    return f"<tr><td class='{style}'>{mark}</td><td>{severity}</td><td>{escape(text)}</td></tr>"
