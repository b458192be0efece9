"""Suite files as Great Expectations 1.x saves them → `Suite`.

Only the shape is read here, without importing Great Expectations: a file that is no suite
fails at once, in the words of its author.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# Words of an expectation that name one column, and those that name several.
COLUMN_KEYS = ("column", "column_A", "column_B")
COLUMN_LIST_KEY = "column_list"


class Severity(IntEnum):
    """Great Expectations' three severities, the gravest highest."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @classmethod
    def parse(cls, word: object, where: str) -> Severity:
        """Return the severity of that name; raise JobError naming the nearest one."""
        names = [severity.name.lower() for severity in cls]
        if isinstance(word, str) and word.lower() in names:
            return cls[word.upper()]
        raise JobError(f"{where}: unknown severity `{word}`{nearest(str(word), names)}")


@dataclass(frozen=True)
class Expectation:
    """One entry of a suite.

    Args:
        number: its position in the file, from 1.
        type: the type in snake_case, `expect_…`.
        kwargs: its arguments as they stand in the file.
        severity: its own field, or `meta.severity` where that is missing.
        meta: free notes.
    """

    number: int
    type: str
    kwargs: Mapping[str, object]
    severity: Severity
    meta: Mapping[str, object]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its arguments name."""
        single = [self.kwargs[key] for key in COLUMN_KEYS if key in self.kwargs]
        several = self.kwargs.get(COLUMN_LIST_KEY)
        found = [*single, *(several if isinstance(several, list) else [])]
        return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


@dataclass(frozen=True)
class Suite:
    """The expectations on one table, in the order of the file."""

    file: str
    name: str
    expectations: tuple[Expectation, ...]


def load_suite(path: Path) -> Suite:
    """Read a suite file.

    Raises:
        JobError: the file cannot be read, or is no Great Expectations suite.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JobError(f"The suite file `{path}` is not in the bundle.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise JobError(f"The suite file `{path}` is not JSON: {error}") from None
    entries = document.get("expectations") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise JobError(
            f"`{path}` is not a Great Expectations suite: it needs a list `expectations`."
        )
    if not entries:
        raise JobError(f"The suite `{path}` holds no expectations, so it would check nothing.")
    expectations = tuple(_expectation(entry, n, path) for n, entry in enumerate(entries, 1))
    name = document.get("name")
    return Suite(str(path), name if isinstance(name, str) else path.stem, expectations)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean …?` with the nearest choice, or a full stop."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else "."


def _expectation(entry: object, number: int, path: Path) -> Expectation:
    where = f"Expectation {number} of `{path}`"
    if not isinstance(entry, dict):
        raise JobError(f"{where} is not an object with `type` and `kwargs`.")
    if "type" not in entry and "expectation_type" in entry:
        raise JobError(
            f"{where} is written for Great Expectations 0.x: "
            "save the suite with 1.x, where `expectation_type` is called `type`."
        )
    kind, kwargs, meta = entry.get("type"), entry.get("kwargs", {}), entry.get("meta") or {}
    if not isinstance(kind, str):
        raise JobError(f"{where} has no `type`.")
    if not isinstance(kwargs, dict) or not isinstance(meta, dict):
        raise JobError(f"{where} (`{kind}`): `kwargs` and `meta` are objects.")
    place = _parameter(kwargs)
    if place is not None:
        raise JobError(
            f"{where} (`{kind}`): `{place}` reads a `$PARAMETER`, which has no value here: "
            "write the value itself."
        )
    word = entry.get("severity") or meta.get("severity") or "critical"
    return Expectation(number, kind, kwargs, Severity.parse(word, f"{where} (`{kind}`)"), meta)


def _parameter(kwargs: Mapping[str, object]) -> str | None:
    """Return the argument that a suite parameter of Great Expectations stands in, or None."""
    for name, value in kwargs.items():
        pending = [value]
        while pending:
            part = pending.pop()
            if isinstance(part, dict):
                if "$PARAMETER" in part:
                    return name
                pending.extend(part.values())
            elif isinstance(part, list):
                pending.extend(part)
    return None
