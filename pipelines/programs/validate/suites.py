"""Suite files as Great Expectations 1.x saves them → `Suite`.

Great Expectations, which takes seconds, is not imported here: `validate` reads suites at the desk
with this module, the job before it reads any data. Problems are in the words of the author.
"""

from __future__ import annotations

import functools
import json
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NamedTuple as Record
else:
    from pipelines.runtime.record import Record

# Words of an expectation that name one column, and those that name several.
COLUMN_KEYS = ("column", "column_A", "column_B")
COLUMN_LIST_KEY = "column_list"


class ExpectationSeverity(IntEnum):
    """Great Expectations' three severities, the gravest highest."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @classmethod
    def parse(cls, word: object, where: str) -> ExpectationSeverity:
        """Return the severity of that name; raise JobError naming the nearest one."""
        names = [severity.name.lower() for severity in cls]
        if isinstance(word, str) and word.lower() in names:
            return cls[word.upper()]
        raise JobError(f"{where}: unknown severity `{word}`{nearest(str(word), names)}")


class Expectation(Record):
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
    severity: ExpectationSeverity
    meta: Mapping[str, object]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its arguments name."""
        single = [self.kwargs[key] for key in COLUMN_KEYS if key in self.kwargs]
        several = self.kwargs.get(COLUMN_LIST_KEY)
        found = [*single, *(several if isinstance(several, list) else [])]
        return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


class Suite(Record):
    """The expectations on one table, in the order of the file."""

    file: str
    name: str
    expectations: tuple[Expectation, ...]


class SuiteError(JobError):
    """A file is not a suite that Great Expectations can evaluate.

    Args:
        problems: every problem in one sentence, without the file's name.
        file: the file.
    """

    def __init__(self, problems: Sequence[str], file: str) -> None:
        super().__init__("\n".join(f"The suite `{file}`: {problem}" for problem in problems))
        self.problems = tuple(problems)
        self.file = file


def load_suite(path: Path) -> Suite:
    """Read a suite file.

    Raises:
        SuiteError: the file cannot be read, or is not a Great Expectations suite.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise SuiteError(["it is not in the bundle."], str(path)) from None
    return parse_suite(content, str(path))


def parse_suite(content: bytes, file: str) -> Suite:
    """Read the content of a suite file; `validate` calls this at the desk, the job before it runs.

    Raises:
        SuiteError: it is not a Great Expectations suite; every problem is in it.
    """
    document = _document(content, file)
    entries = document.get("expectations") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise SuiteError(["it has no list `expectations`; save it with Great Expectations."], file)
    if not entries:
        raise SuiteError(["it holds no expectations, so it would check nothing."], file)
    expectations: list[Expectation] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            expectations.append(_expectation(entry, number))
        except JobError as error:
            problems.append(str(error))
    if problems:
        raise SuiteError(problems, file)
    name = document.get("name")
    title = name if isinstance(name, str) else PurePosixPath(file).stem
    return Suite(file, title, tuple(expectations))


def _document(content: bytes, file: str) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SuiteError(["it is not UTF-8."], file) from None
    except RecursionError:
        raise SuiteError(["it is nested too deeply."], file) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SuiteError([f"it is not valid JSON at {place}."], file) from None


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `; did you mean …?` with the nearest choice, or a full stop."""
    import difflib  # noqa: PLC0415 - only on a mistake: every `validate` reads suites

    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else "."


def _expectation(entry: object, number: int) -> Expectation:
    """Read one entry; raise JobError in the words of its author."""
    where = f"expectation {number}"
    if not isinstance(entry, dict):
        raise JobError(f"{where} is not an object with `type` and `kwargs`.")
    if "type" not in entry and "expectation_type" in entry:
        raise JobError(
            f"{where} has the format of Great Expectations 0.x: "
            "write `type` for `expectation_type`, or save the suite again with version 1."
        )
    kind, kwargs, meta = entry.get("type"), entry.get("kwargs", {}), entry.get("meta") or {}
    if not isinstance(kind, str):
        raise JobError(f"{where} has no `type`.")
    where = f"{where} (`{kind}`)"
    if not isinstance(kwargs, dict) or not isinstance(meta, dict):
        raise JobError(f"{where}: `kwargs` and `meta` have to be objects.")
    _check_arguments(kind, kwargs, where)
    word = entry.get("severity") or meta.get("severity") or "critical"
    return Expectation(number, kind, kwargs, ExpectationSeverity.parse(word, where), meta)


def _check_arguments(kind: str, kwargs: Mapping[str, object], where: str) -> None:
    """Raise JobError for a type or an argument that Great Expectations does not have."""
    table = _known()
    taken = table["types"].get(kind)
    if taken is None:
        hint = nearest(kind, table["types"])
        raise JobError(f"{where}: Great Expectations has no such expectation{hint}")
    names = [*taken["required"], *taken["optional"], *table["common"]]
    for name in kwargs:
        if name not in names:
            raise JobError(f"{where}: it takes no `{name}`{nearest(name, names)}")
    for name in taken["required"]:
        if name not in kwargs:
            raise JobError(f"{where}: `{name}` is missing in `kwargs`.")
    place = _parameter(kwargs)
    if place is not None:
        raise JobError(
            f"{where}: `{place}` is read from a `$PARAMETER`, which has no value here; "
            "write the value itself."
        )


@functools.cache
def _known() -> Any:
    """Return what each expectation takes (`tools/generate_expectations.py`)."""
    return json.loads(Path(__file__).with_name("expectations.json").read_bytes())


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
