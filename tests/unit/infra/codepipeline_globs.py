"""CodePipeline's globs as its user guide has them ("Working with glob patterns in syntax")."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\\(?P<escaped>.)|(?P<sign>\*\*|[*?{},])|\[(?P<set>[^\]]+)\]|(?P<plain>.)", re.DOTALL
)
_SIGNS: Final = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}


def matches(pattern: str, path: str) -> bool:
    """Return whether a changed path passes a filter."""
    return re.fullmatch(_TOKEN.sub(_translated, pattern), path, re.DOTALL) is not None


def _translated(token: re.Match[str]) -> str:
    if token["sign"]:
        return _SIGNS[token["sign"]]
    if token["set"]:
        return f"[{re.sub('^!', '^', token['set'])}]"
    return re.escape(token["escaped"] or token["plain"])
