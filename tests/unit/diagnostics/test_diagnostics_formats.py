"""The formats for programs, and how a format is found."""

from __future__ import annotations

import json

import pytest

from pipelines.diagnostics import Diagnostic, Severity, Span
from pipelines.diagnostics.formats import names
from pipelines.diagnostics.rendering import render
from pipelines.errors import UsageError

_FOUND = [
    Diagnostic(
        "SP103",
        "100% wrong:\nreally, yes",
        Severity.ERROR,
        Span("a b/p:1,2.yaml", 3, 5, 3, 8),
        ("steps", "x", 0),
        "remove one",
    ),
    Diagnostic("SP999", "odd", Severity.WARNING, Span("q.yaml", 1, 2, 4, 1), ()),
    Diagnostic("SP111", "`r.yaml`: there is no such file", Severity.ERROR, None, ()),
]


def test_formats_are_found_by_the_names_of_their_files() -> None:
    """A new format is one new file; an unknown one gets a suggestion."""
    assert names() == ["github", "json", "sarif", "text"]
    with pytest.raises(UsageError, match="there is no format `jsno`") as caught:
        render("jsno", [], {})
    assert caught.value.remedy == "did you mean `json`?"


def test_json_has_stable_keys() -> None:
    """Every key is always there, null where it does not apply; order is that of the places."""
    document = json.loads(render("json", _FOUND, {}))
    assert document == {
        "version": 1,
        "diagnostics": [
            {
                "code": "SP111", "severity": "error", "help": None, "path": [],
                "message": "`r.yaml`: there is no such file", "source": None,
                "line": None, "column": None, "end_line": None, "end_column": None,
            },
            {
                "code": "SP103", "severity": "error", "help": "remove one",
                "path": ["steps", "x", 0], "message": "100% wrong:\nreally, yes",
                "source": "a b/p:1,2.yaml",
                "line": 3, "column": 5, "end_line": 3, "end_column": 8,
            },
            {
                "code": "SP999", "severity": "warning", "help": None, "path": [],
                "message": "odd", "source": "q.yaml",
                "line": 1, "column": 2, "end_line": 4, "end_column": 1,
            },
        ],
        "errors": 2,
        "warnings": 1,
    }  # fmt: skip
    assert json.loads(render("json", [], {})) == {
        "version": 1, "diagnostics": [], "errors": 0, "warnings": 0,
    }  # fmt: skip


def test_github_commands_are_escaped() -> None:
    """Colons and commas in properties, percent and line breaks everywhere else."""
    assert render("github", _FOUND, {}) == (
        "::error title=SP111::`r.yaml`: there is no such file\n"
        "::error file=a b/p%3A1%2C2.yaml,line=3,endLine=3,col=5,endColumn=7,title=SP103::"
        "100%25 wrong:%0Areally, yes%0Ahelp: remove one\n"
        "::warning file=q.yaml,line=1,endLine=4,title=SP999::odd\n"
    )
    assert render("github", [], {}) == ""


def test_sarif_has_rules_and_places() -> None:
    """SARIF 2.1.0: rules from the codes, results pointing at them, columns in code points."""
    log = json.loads(render("sarif", _FOUND, {}))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["SP103", "SP111", "SP999"]
    assert rules[0]["shortDescription"] == {"text": "A key stands twice in one mapping"}
    assert "shortDescription" not in rules[2]
    assert [result["ruleIndex"] for result in run["results"]] == [1, 0, 2]
    assert "locations" not in run["results"][0]
    assert run["results"][1] == {
        "ruleId": "SP103",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "100% wrong:\nreally, yes\nhelp: remove one"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "a%20b/p%3A1%2C2.yaml"},
                    "region": {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 8},
                }
            }
        ],
    }
    assert json.loads(render("sarif", [], {}))["runs"][0]["results"] == []
