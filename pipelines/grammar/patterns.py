"""Regular expressions that take exponential time on some texts.

Such an expression repeats something that matches the same text in more than one way, and goes on
with something that may fail: `(a+)+b` tries every way to cut a run of `a` into pieces. What is
counted here is those ways, on short texts that are made from the expression.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, TypeAlias

_parser: Final[Any] = import_module("re._parser")

_Node: TypeAlias = tuple[Any, Any]
"""An operation of Python's own parse tree and what belongs to it."""

_Ways: TypeAlias = dict[int, int]
"""Where a match may end, and in how many ways."""

_LETTERS: Final = "aZ0_ \t.,:=-/é"
"""Texts are made of these and of the letters of the expression."""

_TIMES: Final = 4
_LONGEST_WORD: Final = 12
_MANY: Final = 20
"""A repetition of at most so many times takes no time to speak of."""

JAVA_NAME: Final = re.compile(r"\(\?<(?![=!])")
"""How the service's expressions name a group; Python writes `(?P<`."""


def compiled(expression: str) -> re.Pattern[str]:
    """Compile an expression of the service, which reads Java's.

    Raises:
        re.error: it is not valid, or not one that Python has as well.
    """
    try:
        with _unwarned():
            return re.compile(JAVA_NAME.sub("(?P<", expression))
    except (OverflowError, RecursionError) as error:
        raise re.error(str(error)) from None


@contextmanager
def _unwarned() -> Iterator[None]:
    """Let Python not warn of `[[` in somebody's expression, in one thread at a time."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


_WARNINGS: Final = threading.Lock()


def exponential(expression: str) -> str | None:
    """Return a text on which an expression takes exponential time; None where none is found."""
    try:
        with _unwarned():
            tree = list(_parser.parse(JAVA_NAME.sub("(?P<", expression)))
        return next(_explosions(tree, _letters(tree), may_fail=False), None)
    except (re.error, OverflowError, RecursionError):
        return None


def _explosions(nodes: Sequence[_Node], letters: str, *, may_fail: bool) -> Iterator[str]:
    """Yield a text for each repetition that explodes; `may_fail` is whether something after may."""
    for index, node in enumerate(nodes):
        fails = may_fail or any(not _is_optional(later) for later in nodes[index + 1 :])
        body = _repeated(node)
        if body is not None and fails:
            for word in (*letters, *_words(body)):
                if _ways_of_some(body, word) > 1:
                    yield word * _MANY
                    break
        for inner in _inside(node):
            yield from _explosions(inner, letters, may_fail=fails)


def _ways_of_some(body: Sequence[_Node], word: str) -> int:
    """Return in how many ways one repetition of a body matches a word, or some of them in a row.

    With two the repetitions match n words in a number of ways that grows exponentially with n.
    """
    text = word * _TIMES
    ends = _Counter(text).sequence(body, 0)
    return sum(ends.get(len(word) * times, 0) for times in range(1, _TIMES + 1))


class _Counter:
    """Counts the ways in which parts of an expression match parts of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[tuple[int, int], _Ways] = {}

    def sequence(self, nodes: Sequence[_Node], start: int) -> _Ways:
        """Return where nodes, one after the other, may end that begin at a place."""
        ends = {start: 1}
        for node in nodes:
            ends = _sum((self._node(node, at), ways) for at, ways in ends.items())
        return ends

    def _node(self, node: _Node, start: int) -> _Ways:
        key = id(node), start
        if key not in self._known:
            self._known[key] = self._count(node, start)
        return self._known[key]

    def _count(self, node: _Node, start: int) -> _Ways:
        if _is_letter(node):
            met = start < len(self._text) and _takes(node, self._text[start])
            return {start + 1: 1} if met else {}
        bounds = _bounds(node)
        if bounds is not None:
            ends = self._repeat(*bounds, start)
            return _first(ends) if _op(node) == "POSSESSIVE_REPEAT" else ends
        if _op(node) == "ATOMIC_GROUP":
            return _first(self.sequence(list(node[1]), start))
        if _op(node) == "BRANCH":
            return _sum((self.sequence(list(one), start), 1) for one in node[1][1])
        if _op(node) in {"GROUPREF", "GROUPREF_EXISTS", "FAILURE"}:
            return {}
        inside = list(_inside(node))
        return self.sequence(inside[0], start) if inside else {start: 1}

    def _repeat(self, low: int, high: int, body: Sequence[_Node], start: int) -> _Ways:
        ends, now = ({start: 1} if low == 0 else {}), {start: 1}
        for times in range(1, min(high, len(self._text) + 1) + 1):
            following = _sum((self.sequence(body, at), ways) for at, ways in now.items())
            now = {at: ways for at, ways in following.items() if at not in now or times <= low}
            if times >= low:
                ends = _sum(((ends, 1), (now, 1)))
            if not now:
                break
        return ends


def _first(ends: _Ways) -> _Ways:
    """Return the one end of what gives nothing back."""
    return {max(ends): 1} if ends else {}


def _sum(parts: Any) -> _Ways:
    total: _Ways = {}
    for ends, times in parts:
        for at, ways in ends.items():
            total[at] = total.get(at, 0) + ways * times
    return total


def _op(node: _Node) -> str:
    return str(node[0])


def _bounds(node: _Node) -> tuple[int, int, Sequence[_Node]] | None:
    """Return least, greatest and body of a repetition."""
    if _op(node) not in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        return None
    low, high, body = node[1]
    return int(low), int(high), list(body)


def _repeated(node: _Node) -> Sequence[_Node] | None:
    """Return the body of a repetition without end that gives back what it took."""
    bounds = _bounds(node)
    if bounds is None or bounds[1] <= _MANY or _op(node) == "POSSESSIVE_REPEAT":
        return None
    return bounds[2]


def _inside(node: _Node) -> Iterator[Sequence[_Node]]:
    """Yield the sequences inside a node, atomic ones apart: they give nothing back."""
    match _op(node):
        case "MAX_REPEAT" | "MIN_REPEAT":
            yield list(node[1][2])
        case "SUBPATTERN":
            yield list(node[1][3])
        case "BRANCH":
            yield from (list(one) for one in node[1][1])
        case _:
            pass


def _is_optional(node: _Node) -> bool:
    """Return whether a node matches wherever it stands, taking nothing."""
    bounds = _bounds(node)
    if bounds is not None:
        return bounds[0] == 0 or all(map(_is_optional, bounds[2]))
    inside = list(_inside(node))
    return bool(inside) and any(all(map(_is_optional, one)) for one in inside)


def _is_letter(node: _Node) -> bool:
    return _op(node) in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}


def _takes(node: _Node, letter: str) -> bool:
    """Return whether a node that matches one letter matches this one."""
    op, what = _op(node), node[1]
    match op:
        case "LITERAL":
            return bool(ord(letter) == what)
        case "NOT_LITERAL":
            return bool(ord(letter) != what)
        case "ANY":
            return letter != "\n"
        case _:
            negated = any(_op(one) == "NEGATE" for one in what)
            return any(_is_among(one, letter) for one in what) is not negated


def _is_among(item: _Node, letter: str) -> bool:
    match _op(item):
        case "LITERAL":
            return bool(ord(letter) == item[1])
        case "RANGE":
            return bool(item[1][0] <= ord(letter) <= item[1][1])
        case "CATEGORY":
            return re.match(_CATEGORIES[str(item[1])], letter) is not None
        case _:
            return False


_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
"""Expressions that are compiled where they are used: most spec files hold none."""


def _letters(nodes: Sequence[_Node]) -> str:
    """Return the letters to make texts of."""
    return "".join(dict.fromkeys((*_LETTERS, *_own_letters(nodes))))


def _own_letters(nodes: Sequence[_Node]) -> Iterator[str]:
    for node in nodes:
        if _op(node) == "LITERAL":
            yield chr(node[1])
        elif _op(node) == "IN":
            for item in node[1]:
                if _op(item) in {"LITERAL", "RANGE"}:
                    yield chr(item[1] if _op(item) == "LITERAL" else item[1][0])
        for inner in _inside(node):
            yield from _own_letters(inner)


def _words(nodes: Sequence[_Node]) -> Iterator[str]:
    """Yield the literal words among nodes, and inside of them."""
    word = ""
    for node in nodes:
        if _op(node) == "LITERAL":
            word += chr(node[1])
            continue
        if 1 < len(word) <= _LONGEST_WORD:
            yield word
        word = ""
        for inner in _inside(node):
            yield from _words(inner)
    if 1 < len(word) <= _LONGEST_WORD:
        yield word
