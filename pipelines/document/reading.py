"""The rim of the loader: the one place where a document's file is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.diagnostics.model import Diagnostic, Severity
from pipelines.document.model import Parsed
from pipelines.document.parser import LIMITS, parse

if TYPE_CHECKING:
    from pipelines.document.model import DocumentLimits


def read(path: Path, source: str, limits: DocumentLimits = LIMITS) -> Parsed:
    """Read a file as a document; one that cannot be read is a finding without a place.

    Args:
        path: the file.
        source: its name as the user wrote it, for the places.
        limits: what it may be at most.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.size + 1)
    except FileNotFoundError:
        return _unreadable(source, "there is no such file", "name the file with `-f FILE`")
    except IsADirectoryError:
        return _unreadable(source, "this is a folder", "name the file in it with `-f FILE`")
    except PermissionError:
        return _unreadable(source, "you may not read this file", "change its permissions")
    except OSError as error:
        return _unreadable(source, f"this file cannot be read: {error.strerror}", None)
    return parse(data, source, limits)


def _unreadable(source: str, why: str, remedy: str | None) -> Parsed:
    message = f"`{source}`: {why}"
    return Parsed(None, (Diagnostic("SP111", message, Severity.ERROR, None, (), remedy),))
