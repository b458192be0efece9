"""The report of a run: for each fact whether it holds, differs or was not tried."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


class Verdict(StrEnum):
    """What a run says about a fact."""

    HOLDS = "holds"
    DIFFERS = "differs"
    NOT_TRIED = "not tried"


@frozen
class Seen:
    """The outcome of one test.

    Args:
        fact: the number in docs/facts.md.
        what: what was seen instead, or why it was not tried.
    """

    fact: str
    test: str
    unverified: bool
    verdict: Verdict
    what: str


def by_fact(seen: Iterable[Seen]) -> dict[str, tuple[Verdict, list[Seen]]]:
    """Group tests by their facts: one that differs decides, then one that holds."""
    grouped: dict[str, list[Seen]] = {}
    for one in seen:
        grouped.setdefault(one.fact, []).append(one)
    ordered = sorted(grouped, key=lambda fact: [int(part) for part in fact.split(".")])
    return {fact: (_together(grouped[fact]), grouped[fact]) for fact in ordered}


def _together(tests: list[Seen]) -> Verdict:
    verdicts = {one.verdict for one in tests}
    order = (Verdict.DIFFERS, Verdict.HOLDS, Verdict.NOT_TRIED)
    return next(verdict for verdict in order if verdict in verdicts)


def now_known(seen: Iterable[Seen]) -> list[Seen]:
    """Return the tests that decided what nobody could confirm without an account."""
    return [one for one in seen if one.unverified and one.verdict is not Verdict.NOT_TRIED]


def write_report(folder: Path, seen: list[Seen], about: JsonObject) -> Path:
    """Write report.json and report.md; return the second."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        fact: {
            "verdict": verdict,
            "tests": [
                {"test": one.test, "unverified": one.unverified, "verdict": one.verdict}
                | ({"what": one.what} if one.what else {})
                for one in tests
            ],
        }
        for fact, (verdict, tests) in by_fact(seen).items()
    }
    whole = {**about, "facts": facts, "now_known": [one.test for one in now_known(seen)]}
    (folder / "report.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    text = folder / "report.md"
    text.write_text("\n".join(_lines(seen, about)) + "\n", encoding="utf-8")
    return text


def _lines(seen: list[Seen], about: JsonObject) -> list[str]:
    lines = ["# What the account answered", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += ["", "| fact | verdict | test | what was seen, or why it was not tried |"]
    lines += ["|---|---|---|---|"]
    for fact, (_, tests) in by_fact(seen).items():
        lines += [f"| {fact} | {one.verdict} | {one.test} | {_cell(one.what)} |" for one in tests]
    lines += ["", "## UNVERIFIED facts that are now known", ""]
    known = now_known(seen)
    lines += [f"- {one.fact}: {one.test}: {one.verdict}. {one.what}".rstrip() for one in known]
    return lines if known else [*lines, "None."]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
