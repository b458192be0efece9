"""Everything that commands print: a terminal obeys no control character of somebody's data.

Reasons, names, logs and messages may hold escape sequences that move the cursor, rewrite what
stands above, or set the window's title. They are shown as escapes; our own styles are marked, so
that data cannot imitate them.
"""

from __future__ import annotations

import os
import re
import sys
from math import isfinite
from typing import Any

import click

from pipelines.diagnostics.excerpts import visible

_MARK = os.urandom(8).hex()
_COLOURS = r"\x1b\[[0-9;]*m"
_STYLE = rf"({_COLOURS}){_MARK}"
_KEPT = "\n\t"


def echo(text: str = "", *, err: bool = False) -> None:
    """Print a text and a line break."""
    click.echo(escaped(text), err=err)


def style(text: str, **style: Any) -> str:
    """Style a text for `echo`, by the arguments of `click.style`."""
    marked = re.sub(_COLOURS, rf"\g<0>{_MARK}", click.style("\0", **style))
    return marked.replace("\0", text)


def escaped(text: str) -> str:
    """Write control characters as escapes, except line breaks, tabs and the marks of `style`."""
    pieces = re.split(_STYLE, text) if _MARK in text else [text]
    pieces[::2] = [visible(piece, kept=_KEPT) for piece in pieces[::2]]
    return "".join(pieces)


def echo_data(text: str) -> None:
    """Print a text for programs: exactly, where no person reads it on a terminal."""
    click.echo(escaped(text) if sys.stdout.isatty() else text, nl=False)


def as_json(value: object) -> str:
    """Write what an API answered as JSON, its times in ISO 8601; a number that is none is null."""
    import json  # noqa: PLC0415 - most commands print none

    try:
        text = json.dumps(value, indent=2, default=_text, allow_nan=False)
    except ValueError:  # JSON knows neither NaN nor Infinity, and jq refuses them
        text = json.dumps(_finite(value), indent=2, default=_text)
    return f"{text}\n"


def _finite(value: object) -> object:
    match value:
        case float():
            return value if isfinite(value) else None
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value


def _text(value: object) -> str:
    from datetime import datetime  # noqa: PLC0415 - as above

    return value.isoformat() if isinstance(value, datetime) else str(value)


def echo_raw(text: str) -> None:
    """Print a text as it is, for those who ask for that, and a line break."""
    click.echo(text, color=True)


def log_line(line: str) -> str:
    """Write a line of a log: without colours and the carriage returns of progress bars."""
    return escaped(re.sub(_COLOURS, "", line).rstrip("\r").rpartition("\r")[2])


def escape_log_records() -> None:
    """Let what Python's logging prints, such as tracebacks of the local API, be escaped too."""
    import logging  # noqa: PLC0415 - most commands log nothing

    class EscapingFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return escaped(super().format(record))

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(EscapingFormatter())
