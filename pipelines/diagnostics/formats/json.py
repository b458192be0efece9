"""Diagnostics for programs: one JSON object whose keys stay as they are.

```
{"version": 1,
 "diagnostics": [{"code": "SP102", "severity": "error", "message": "…", "help": "…" or null,
                  "path": ["steps", "train", 0], "source": "pipeline.yaml" or null,
                  "line": 31, "column": 5, "end_line": 31, "end_column": 18}],
 "errors": 1, "warnings": 0}
```

Lines and columns count characters from 1, the end is exclusive; all four are null where
`source` is. New keys may come, with the same version; none goes or changes its meaning.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.diagnostics.model import Severity

if TYPE_CHECKING:
    from pipelines.diagnostics.formats import Report
    from pipelines.diagnostics.model import Diagnostic
    from pipelines.json_types import JsonObject


def render(report: Report) -> str:
    """Return the object, indented, on lines of its own; also when there is no diagnostic."""
    document = {
        "version": 1,
        "diagnostics": [_entry(found) for found in report.diagnostics],
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _entry(found: Diagnostic) -> JsonObject:
    span = found.span
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "help": found.help,
        "path": list(found.path),
        "source": span.source if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
    }
