"""Relative imports that Python refuses → findings at their dots."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator

from pipelines.bundle.project import Project
from pipelines.bundle.trace import Import, Stray
from pipelines.diagnostics import Finding, Path, Place, Severity, Span


def of_strays(strays: Iterable[Stray], path: Path, project: Project) -> Iterator[Finding]:
    """Find relative imports that lead above their package; `path` leads to what is started."""
    for stray in strays:
        file = stray.at.file
        if stray.depth == 0:
            message = f"a relative import fails: `{file}` is used on its own, not in a package"
            help_text = "write the name without the dots: the script's own folder is searched"
        else:
            message = f"a relative import fails: it leads above the packages of `{file}`"
            help_text = "write the whole name, without dots at its beginning"
        severity = Severity.ERROR if stray.is_reached else Severity.WARNING
        place = _dots(stray.at, project)
        yield Finding("SP303", message, path, help=help_text, severity=severity, place=place)


def _dots(one: Import, project: Project) -> Place:
    text = importlib.util.decode_source(project.read(one.file)).split("\n")[one.line - 1]
    after = len(text.encode()[: one.offset].decode("utf-8", "ignore"))
    start = max(text.find(".", after), after)  # behind a backslash they are on the next line
    end = start + one.level
    source = str(project.root / one.file)
    return Place(Span(source, one.line, start + 1, one.line, end + 1), text)
