"""PyYAML's error → the mistake that was probably made, in our words, with its place.

PyYAML's two parsers (libyaml and the one in Python) word their errors differently, so the
decision rests on the text around the place and on words that both share.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.document.extents import Extent
from pipelines.document.failure import in_quotes, parse_failure
from pipelines.document.nodes import ScalarNode
from pipelines.document.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaml import MarkedYAMLError

    from pipelines.document.failure import ParseFailure
    from pipelines.document.nodes import Node
    from pipelines.document.problem import Before

_GLUED = re.compile(r"\s*(?:- +)?([\w.-]+):([^\s:/].*)")
_ESCAPE = re.compile(r"\\(?:u\w{0,4}|U\w{0,8}|x\w{0,2}|.)")
_KEY = re.compile(r"\s*(?:- +)*[^\s#][^:#]*:(?:\s|$)")


def problem(error: MarkedYAMLError, text: str, before: Before) -> Problem:
    """Return what is wrong where the parser gave up.

    Args:
        error: PyYAML's.
        text: the text it read.
        before: what it made of the text up to there.
    """
    failure = parse_failure(error, text, before)
    for rule in _RULES:
        found = rule(failure)
        if found is not None:
            return found
    return failure.problem(
        "this is not valid YAML: the parser did not expect this",
        failure.at,
        "look at this line and the one above; text with special characters goes in quotes",
    )


def no_mapping(root: Node, text: str) -> Problem:
    """Return that the document is a list or a single value, and why it may be one."""
    first = text.split("\n")[root.extent.line - 1]
    glued = _GLUED.match(first)
    if isinstance(root, ScalarNode) and glued is not None:
        message = "a space is missing after the colon"
        return Problem("SP101", message, root.extent, f"write `{glued[1]}: {glued[2]}`")
    what = "a single value" if isinstance(root, ScalarNode) else "a list"
    return Problem(
        "SP115", f"the file is {what}, not a mapping", root.extent, "begin with `pipeline: NAME`"
    )


def _tab(failure: ParseFailure) -> Problem | None:
    first = failure.at - failure.column(failure.at)
    match = re.compile(r"[ ]*(\t+)").match(failure.text, first)
    if match is None or "cannot start any token" not in failure.says:
        return None
    if failure.at >= match.end():
        return None
    message = "a tab is used for indentation"
    return failure.problem(message, match.start(1), "write spaces instead", len(match[1]))


def _tab_among_spaces(failure: ParseFailure) -> Problem | None:
    """Find a tab in the indentation of a line, or of the one above, where no other rule holds."""
    first = failure.at - failure.column(failure.at)
    for start in (first, failure.text.rfind("\n", 0, max(first - 1, 0)) + 1):
        match = re.compile(r" *(\t+)").match(failure.text, start)
        if match is not None:
            message = "a tab is used for indentation"
            return failure.problem(message, match.start(1), "write spaces instead", len(match[1]))
    return None


def _unclosed_quote(failure: ParseFailure) -> Problem | None:
    if any(end in failure.says for end in ("end of stream", "document indicator", "separator")):
        if "scalar" not in failure.says:
            return None
        quote = failure.text[failure.since]
        return failure.problem(
            "this quote is never closed", failure.since, f"write `{quote}` at the end of the text"
        )
    last = failure.last
    if last is None or last.style not in ("'", '"'):
        return None
    if last.extent.end_line == last.extent.line or last.extent.end_line != failure.number(
        failure.at
    ):
        return None
    extent = Extent(last.extent.line, last.extent.column, last.extent.line, last.extent.column + 1)
    return Problem(
        "SP101",
        f"the quote opened here ends only on line {last.extent.end_line}",
        extent,
        f"write `{last.style}` at the end of the text",
    )


def _after_quote(failure: ParseFailure) -> Problem | None:
    last = failure.last
    if last is None or last.style not in ("'", '"') or "block" not in failure.says:
        return None
    if last.extent.end_line != failure.number(failure.at):
        return None
    if last.style == "'" and failure.text[failure.at : failure.at + 1] not in ("'", '"', ""):
        remedy = "put the whole text in quotes; a `'` inside of '…' is written twice"
    else:
        remedy = "put the whole text in quotes, or none of it"
    return failure.problem("text follows after the closing quote", failure.at, remedy)


def _escape(failure: ParseFailure) -> Problem | None:
    if "escape" not in failure.says and "hexa" not in failure.says:
        return None
    start = failure.text.rfind("\\", 0, failure.at + 1)
    if start < 0:
        return None
    match = _ESCAPE.match(failure.text, start)
    written = match.group() if match else "\\"
    return failure.problem(
        f'`{written}` is not a valid escape inside "…"',
        start,
        "use '…', where a backslash is a backslash, or write `\\\\`",
        len(written),
    )


def _special_start(failure: ParseFailure) -> Problem | None:
    char = failure.text[failure.at : failure.at + 1]
    if "cannot start any token" not in failure.says or not char:
        return None
    value = failure.rest(failure.at)
    shown = "a backtick" if char == "`" else f"`{char}`"
    return failure.problem(
        f"a value cannot begin with {shown}", failure.at, f"put it in quotes: `{in_quotes(value)}`"
    )


def _indicator(failure: ParseFailure) -> Problem | None:
    """`*.csv`, `&text`, `> text`, `| text`, `!text`: an indicator that was meant as text."""
    char = failure.text[failure.since : failure.since + 1]
    if char not in ("*", "&", ">", "|", "!") or "scanning" not in failure.says:
        return None
    value = failure.rest(failure.since)
    return failure.problem(
        f"`{char}` at the beginning of a value has a special meaning in YAML",
        failure.since,
        f"put the text in quotes: `{in_quotes(value)}`",
    )


def _glued_key(failure: ParseFailure) -> Problem | None:
    index = failure.since
    if "mapping values" in failure.says and failure.last is not None:
        index = failure.index(failure.last.extent)
    if "expected ':'" not in failure.says and "mapping values" not in failure.says:
        return None
    match = _GLUED.match(failure.line(index))
    first = index - failure.column(index)
    if match is None or not first + match.start(1) <= index < first + match.end(2):
        return None
    return failure.problem(
        "a space is missing after the colon",
        first + match.start(1),
        f"write `{match[1]}: {match[2]}`",
        len(match[1]) + 1,
    )


def _missing_colon(failure: ParseFailure) -> Problem | None:
    if "expected ':'" not in failure.says:
        return None
    return failure.problem(
        "this line is not a `key: value`",
        failure.since,
        "write a colon and a space after the key; a text of several lines begins with `|`",
        max(1, len(failure.line(failure.since)) - failure.column(failure.since)),
    )


def _colon(failure: ParseFailure) -> Problem | None:
    if "mapping values" not in failure.says or failure.last is None:
        return None
    start = failure.index(failure.last.extent)
    if failure.number(start) == failure.number(failure.at):
        value = failure.rest(start)
        return failure.problem(
            "a value with `: ` in it needs quotes", failure.at, f"write `{in_quotes(value)}`"
        )
    return failure.problem(
        f"this key is indented below line {failure.number(start)}, which already has a value",
        failure.at - failure.column(failure.at) + failure.indent(),
        "give both lines the same indentation, or remove the value above",
        max(1, failure.column(failure.at) - failure.indent()),
    )


def _unclosed_bracket(failure: ParseFailure) -> Problem | None:
    if "flow" not in failure.says:
        return None
    ended = not failure.text[failure.at :].strip()
    bracket = failure.since
    if ended and failure.before.opened is not None:
        bracket = failure.index(failure.before.opened)
    opened = failure.text[bracket : bracket + 1]
    closing = {"{": "}", "[": "]"}.get(opened)
    if closing is not None and (ended or failure.number(bracket) < failure.number(failure.at)):
        return failure.problem(
            f"this `{opened}` is never closed", bracket, f"write `{closing}` at its end"
        )
    return failure.problem(
        "a comma or a closing bracket is missing here" if closing else "a value is missing here",
        failure.at,
        "values inside of `{…}` and `[…]` are separated by commas; "
        "text with brackets or commas goes in quotes",
    )


def _stray_bracket(failure: ParseFailure) -> Problem | None:
    char = failure.text[failure.at : failure.at + 1]
    if char not in ("}", "]", ","):
        return None
    return failure.problem(
        f"this `{char}` is not expected here", failure.at, "remove it, or put the text in quotes"
    )


def _dash(failure: ParseFailure) -> Problem | None:
    if "sequence entries" in failure.says:
        return failure.problem(
            "a list cannot begin here", failure.at, "begin it on the next line, or write `[…]`"
        )
    char = failure.text[failure.at : failure.at + 2]
    if "'-' indicator" in failure.says or "block collection" in failure.says:
        return failure.problem(
            "this line is in a list but does not begin with `- `",
            failure.at,
            "begin it with `- `, or change its indentation",
        )
    if char in ("- ", "-\n", "-"):
        return failure.problem(
            "there is a list item between the keys of a mapping",
            failure.at,
            "write the list below a key of its own, or change its indentation",
        )
    return None


def _indentation(failure: ParseFailure) -> Problem | None:
    if "block mapping" not in failure.says and "document start" not in failure.says:
        return None
    line = failure.line(failure.at)
    if failure.column(failure.at) != failure.indent() or not _KEY.match(line):
        return None
    return failure.problem(
        "the indentation of this line matches no line above",
        failure.at,
        f"keys of one mapping begin in the same column, here {failure.column(failure.since) + 1}",
    )


_RULES: tuple[Callable[[ParseFailure], Problem | None], ...] = (
    _tab,
    _unclosed_quote,
    _escape,
    _special_start,
    _indicator,
    _glued_key,
    _missing_colon,
    _colon,
    _after_quote,
    _unclosed_bracket,
    _stray_bracket,
    _dash,
    _indentation,
    _tab_among_spaces,
)
