"""How the checks of a definition make findings."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.keys import KeyMistakes, compare_keys
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


def error(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return an error on a value."""
    return Finding(code, message, path, help=help_text)


def error_on_key(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return an error on a key."""
    return Finding(code, message, path, at="key", help=help_text)


def warning(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return a warning on a value."""
    return Finding(code, message, path, help=help_text, severity=Severity.WARNING)


@frozen
class Keys:
    """The keys of one sort of object.

    Args:
        code: the code of findings about them.
        place: how a message names the object, as `a parameter`.
        known: the keys that may stand in it.
        required: those that have to.
    """

    code: str
    place: str
    known: tuple[str, ...]
    required: tuple[str, ...] = ()

    def compare(self, value: JsonObject) -> KeyMistakes:
        """Return what is wrong with the keys of such an object."""
        return compare_keys(value, self.known, [key for key in self.required if key not in value])

    def check(self, value: JsonObject, path: Path) -> Iterator[Finding]:
        """Yield what is wrong with the keys of such an object."""
        mistakes = self.compare(value)
        yield from self.unknown(mistakes, path)
        for key in mistakes.missing:
            yield error(self.code, path, f"`{key}` is missing in {self.place}")

    def unknown(self, mistakes: KeyMistakes, path: Path) -> Iterator[Finding]:
        """Yield the unknown keys alone."""
        for key, help_text in mistakes.unknown.items():
            message = f"unknown key `{key}` in {self.place}"
            yield error_on_key(self.code, (*path, key), message, help_text)
