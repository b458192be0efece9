"""Diagnostics as SARIF 2.1.0, the form that code scanning services read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.diagnostics.codes import all_codes, explain

if TYPE_CHECKING:
    from pipelines.diagnostics.formats import Report
    from pipelines.diagnostics.model import Diagnostic
    from pipelines.json_types import JsonObject

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report) -> str:
    """Return one SARIF log with one run; its rules are the codes that occur."""
    codes = sorted({found.code for found in report.diagnostics})
    driver = {"name": "pipelines", "rules": [_rule(code) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, codes.index(found.code)) for found in report.diagnostics],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> JsonObject:
    if code not in all_codes():
        return {"id": code}
    known = explain(code)
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "help": {"text": known.text, "markdown": known.text},
    }


def _result(found: Diagnostic, rule: int) -> JsonObject:
    text = found.message if found.help is None else f"{found.message}\nhelp: {found.help}"
    result: JsonObject = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.value,
        "message": {"text": text},
    }
    span = found.span
    if span is not None:
        result["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(span.source.replace("\\", "/"))},
                    "region": {
                        "startLine": span.line,
                        "startColumn": span.column,
                        "endLine": span.end_line,
                        "endColumn": span.end_column,
                    },
                }
            }
        ]
    return result
