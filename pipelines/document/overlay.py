"""One environment of a document → the document with it merged in, places included.

Maps merge, lists and scalars replace, null removes a key. What comes from the environment
keeps the place where it was written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from pipelines.diagnostics.model import Finding, Path, Severity
from pipelines.diagnostics.sentences import suggestion
from pipelines.document.model import Document, Parsed, TextPosition
from pipelines.errors import UsageError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.diagnostics.model import Diagnostic
    from pipelines.json_types import Json, JsonObject

Pattern: TypeAlias = tuple[str, ...]
"""A path in which `*` stands for any one key."""

ENVIRONMENTS = "environments"


@frozen
class MergeRules:
    """What a merge has to know of the language.

    Args:
        exclusive: of which keys a mapping may hold one only: the path of the mapping and the
            keys; the environment's key then replaces the other ones.
        frozen: values that an environment may not change where the document has them.
    """

    exclusive: tuple[tuple[Pattern, frozenset[str]], ...] = ()
    frozen: tuple[Pattern, ...] = ()


NO_RULES = MergeRules()


def choose(document: Document, environment: str, rules: MergeRules = NO_RULES) -> Parsed:
    """Merge the environment of this name over the document; `environments` itself goes.

    Raises:
        UsageError: the document has no environment of this name.
    """
    environments = document.data.get(ENVIRONMENTS)
    known = list(environments) if isinstance(environments, dict) else []
    if environment not in known:
        remedy = suggestion(environment, known) or "this file has no `environments:`"
        raise UsageError(f"there is no environment `{environment}`", remedy)
    return overlay(document, (ENVIRONMENTS, environment), rules)


def overlay(document: Document, path: Path, rules: MergeRules = NO_RULES) -> Parsed:
    """Merge the mapping at a path of the document over the document.

    The first key of the path is left out of the result. A path that leads to null, as of an
    empty environment, changes nothing else.
    """
    merge = _Merge(document, path, rules)
    value = _at(document.data, path)
    base = {key: part for key, part in document.data.items() if key != path[0]}
    merge.spans[()] = document.spans[()]
    if value is None:
        value = {}
    if not isinstance(value, dict):
        merge.report("SP112", "an environment is a mapping of what it changes", path, None)
        value = {}
    data = merge.mapping(base, value, ())
    merged = replace(document, data=data, spans=merge.spans, added=frozenset(merge.added))
    return Parsed(merged, tuple(merge.findings), document.text)


class _Merge:
    """One merge; `spans`, `findings` and `added` fill while it goes on."""

    def __init__(self, document: Document, written: Path, rules: MergeRules) -> None:
        self.spans: dict[Path, TextPosition] = {}
        self.findings: list[Diagnostic] = []
        self.added: set[Path] = set()
        self._document = document
        self._written = written
        self._rules = rules

    def report(
        self,
        code: str,
        message: str,
        path: Path,
        remedy: str | None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        finding = Finding(code, message, path, at="key", help=remedy, severity=severity)
        self.findings.append(self._document.locate(finding))

    def mapping(self, base: JsonObject, over: JsonObject, path: Path) -> JsonObject:
        """Merge a mapping of the environment over one of the document at the same path."""
        removed = self._replaced(base, over, path)
        merged: JsonObject = {}
        for key, value in base.items():
            place = (*path, key)
            if key not in over:
                if key not in removed:
                    merged[key] = self._taken(value, place, place)
            elif self._is_frozen(place, value, over[key]):
                merged[key] = self._taken(value, place, place)
            elif over[key] is not None:
                merged[key] = self._value(value, over[key], place)
        return {**merged, **self._added(base, over, path)}

    def _added(self, base: JsonObject, over: JsonObject, path: Path) -> JsonObject:
        """Return what the environment has and the document has not."""
        added: JsonObject = {}
        for key, value in over.items():
            place = (*path, key)
            if key in base:
                continue
            if value is None:
                self._removes_nothing(place)
            else:
                added[key] = self._taken(value, place, (*self._written, *place))
                self.added.add(place)
        return added

    def _value(self, base: Json, over: Json, path: Path) -> Json:
        if isinstance(base, dict) and isinstance(over, dict):
            self.spans[path] = self._document.spans[path]
            return self.mapping(base, over, path)
        return self._taken(over, path, (*self._written, *path))

    def _taken(self, value: Json, path: Path, written: Path) -> Json:
        """Take a value as it is, with the places of everything in it."""
        self.spans[path] = self._document.spans[written]
        if isinstance(value, dict):
            return {
                key: self._taken(part, (*path, key), (*written, key)) for key, part in value.items()
            }
        if isinstance(value, list):
            return [
                self._taken(part, (*path, index), (*written, index))
                for index, part in enumerate(value)
            ]
        return value

    def _replaced(self, base: JsonObject, over: JsonObject, path: Path) -> set[str]:
        """Return the keys of the document that make way for one of the environment."""
        replaced: set[str] = set()
        for pattern, keys in self._rules.exclusive:
            if not _matches(path, pattern):
                continue
            if any(over.get(key) is not None for key in keys):
                replaced |= {key for key in keys if key in base and key not in over}
        return replaced

    def _is_frozen(self, path: Path, base: Json, over: Json) -> bool:
        if not any(_matches(path, pattern) for pattern in self._rules.frozen):
            return False
        if over != base:
            owner = f" of `{path[-2]}`" if len(path) > 1 else ""
            self.report(
                "SP112",
                f"an environment cannot change the `{path[-1]}`{owner}",
                (*self._written, *path),
                f"it is `{base}` in every environment: remove this line, "
                "or add a step with another name",
            )
        return True

    def _removes_nothing(self, path: Path) -> None:
        self.report(
            "SP116",
            f"null removes `{path[-1]}`, which is not there",
            (*self._written, *path),
            "remove this line, or check the spelling of the key",
            Severity.WARNING,
        )


def _matches(path: Path, pattern: Pattern) -> bool:
    return len(path) == len(pattern) and all(
        wanted in ("*", step) for step, wanted in zip(path, pattern, strict=True)
    )


def _at(data: Json, path: Path) -> Json:
    for step in path:
        data = data[step]
    return data
