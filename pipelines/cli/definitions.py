"""A definition JSON in the place of a spec file, ours or anybody's: recognised, read, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipelines.cli.options import ChosenSpec, report
from pipelines.definition import check_definition
from pipelines.diagnostics import CheckedText, Diagnostic, Severity, Span
from pipelines.document import Document, DocumentLimits, Parsed, parse
from pipelines.errors import SpecError, UsageError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.places import value_at

_LIMITS: Final = DocumentLimits(size=2 << 20, depth=256)
"""The service takes 1 MiB of definition, and indentation comes on top; a Condition inside another
takes three levels, and one has been seen with 31 of them."""
_ANSWER: Final = "PipelineDefinition"
"""What DescribePipeline answers and CreatePipeline takes: the definition as a text."""
_FORM: Final = 'a definition begins with {"Version": "2020-12-01", "Steps": ['
_MARKS: Final = frozenset({"Version", "Steps", _ANSWER})


@frozen
class LoadedDefinition:
    """A definition that may be run: the pipeline's name, made of the file's, and the JSON."""

    name: str
    text: str


def is_definition(chosen: ChosenSpec) -> bool:
    """Return whether a file holds a definition and no spec.

    Raises:
        UsageError: it does, and an environment or a copy is asked for, which only a spec has.
    """
    path = chosen.file
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    content = path.read_bytes()
    value = _json(content)
    found = isinstance(value, str) or (
        isinstance(value, dict) and (not _MARKS.isdisjoint(value) or isinstance(_body(value), str))
    )
    if value is None:  # nearly JSON: what is wrong with it is said of a definition
        found = all(mark in content for mark in (b"Version", b"Steps"))
    if found and chosen.env is not None:
        raise UsageError(f"{path} is a definition, which has no environments", "remove --env")
    if found and chosen.copy is not None:
        raise UsageError(f"{path} is a definition, which has no copies", "remove --as")
    return found


def read_definition(path: Path, output_format: str, *, err: bool) -> Document:
    """Read and check a definition; print what is wrong with it.

    Raises:
        SpecError: it is no definition; the diagnostics were printed.
    """
    parsed = _parsed(path)
    diagnostics = [_of_definition(found) for found in parsed.findings]
    if not diagnostics:
        diagnostics += _beyond_json(parsed.text, str(path))
    if parsed.document is not None:
        diagnostics += map(parsed.document.locate, check_definition(parsed.document.data))
    report(CheckedText(parsed.text, tuple(diagnostics)), path, output_format, err=err)
    if parsed.document is None:
        raise SpecError("")
    return parsed.document


def load_definition(path: Path) -> LoadedDefinition:
    """Read and check a definition that is to be run.

    Raises:
        UsageError: there is no such file.
        SpecError: it is not a definition; the diagnostics were printed.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "compile one: pipelines compile -o build/")
    if path.suffix.lower() in {".yaml", ".yml"}:
        raise UsageError(
            f"{path} is a spec, not a definition", f"run it: python -m pipelines run -f {path}"
        )
    document = read_definition(path, "text", err=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.stem).strip("-") or "definition"
    return LoadedDefinition(name, json.dumps(document.data))


def _of_definition(found: Diagnostic) -> Diagnostic:
    """Explain how a definition begins where the parser explains it of a spec."""
    return replace(found, help=_FORM) if found.code in {"SP105", "SP115"} else found


def _parsed(path: Path) -> Parsed:
    """Parse a definition; of an answer of the service, and of a text in JSON, what is inside."""
    content = path.read_bytes()
    value = _json(content)
    inside = (value.get(_ANSWER) or _body(value)) if isinstance(value, dict) else value
    return parse(inside if isinstance(inside, str) else content, str(path), _LIMITS)


def _body(template: JsonObject) -> Json:
    """Return the definition in a template of CloudFormation with one pipeline; None in others."""
    resources = template.get("Resources")
    found = [
        value_at(one, "Properties.PipelineDefinition.PipelineDefinitionBody")
        for one in (resources.values() if isinstance(resources, dict) else ())
        if isinstance(one, dict) and one.get("Type") == "AWS::SageMaker::Pipeline"
    ]
    return found[0] if len(found) == 1 else None


def _beyond_json(text: str, source: str) -> Iterator[Diagnostic]:
    """Yield where a text that could be read is no JSON: the service takes nothing else."""
    place: tuple[int, int] | None = None
    words: list[str] = []
    try:
        json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_constant=words.append)
    except json.JSONDecodeError as error:
        place = error.lineno, error.colno
    except RecursionError:  # as deep as that the service's own limit is in the way
        return
    if words:
        before = text[: text.index(words[0])]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
    if place is not None:
        line, column = place
        yield Diagnostic(
            code="SP101",
            message="this is not JSON, which a definition has to be",
            severity=Severity.ERROR,
            span=Span(source, line, column, line, column + 1),
            path=(),
            help="use double quotes, no comma before `}` or `]`, no comments, no NaN",
        )


def _json(content: bytes) -> Json:
    try:
        return json.loads(content, parse_int=str)  # of thousands of digits Python makes no number
    except (ValueError, RecursionError):  # the parser of documents says what is wrong
        return None
