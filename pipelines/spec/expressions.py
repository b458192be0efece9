"""Condition expressions: the text of `if:` → a tree of comparisons.

Grammar, loosest binding first (no `${}` around names):

    expression := conjunction ("or" conjunction)*
    conjunction := negation ("and" negation)*
    negation := "not" negation | "(" expression ")" | comparison
    comparison := operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
                | operand ["not"] "in" "[" operand ("," operand)* "]"
    operand := reference | number | "text" | 'text' | true | false
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal, TypeAlias, assert_never, cast

from pipelines.frozen import frozen
from pipelines.spec.references import ROOTS, Reference, ReferenceSyntaxError, parse_path

Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
Operand: TypeAlias = "Reference | str | int | float | bool"


@frozen
class Comparison:
    """Two operands and the operator between them."""

    left: Operand
    operator: Operator
    right: Operand


@frozen
class Membership:
    """An operand that stands (or, negated, does not stand) in a list."""

    query: Operand
    values: tuple[Operand, ...]


@frozen
class Negation:
    """The opposite of an expression."""

    inner: Expression


@frozen
class Conjunction:
    """All of several expressions."""

    parts: tuple[Expression, ...]


@frozen
class Disjunction:
    """Any of several expressions."""

    parts: tuple[Expression, ...]


Expression: TypeAlias = Comparison | Membership | Negation | Conjunction | Disjunction

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?![A-Za-z_])
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<operator>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
      | (?P<name>[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*|\[[^\]]*\])*)
    )""",
    re.VERBOSE,
)
_DEEPEST = 30
_WORDS = frozenset({"and", "or", "not", "in"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


_INSTEAD = {
    "${": "write references without `${}`",
    "=>": "write `>=`",
    "=<": "write `<=`",
    "=": "compare with `==`",
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    **dict.fromkeys("+*/%", "a condition only compares: let a step compute it"),
    '"': 'close the text with another `"`',
    "'": "close the text with another `'`",
}
"""What to write for signs that other languages have, and for a text that is not closed."""


@frozen
class _Token:
    kind: str
    text: str
    start: int
    end: int


def parse_expression(text: str) -> Expression:
    """Read the text of an `if:`.

    Raises:
        ReferenceSyntaxError: the text is no expression; it says where it stops being one.
    """
    return _Parser(text).parse()


def references_in(expression: Expression) -> tuple[Reference, ...]:
    """The references of an expression, in the order in which they stand."""
    match expression:
        case Comparison(left=left, right=right):
            operands: tuple[Operand, ...] = (left, right)
        case Membership(query=query, values=values):
            operands = (query, *values)
        case Negation(inner=inner):
            return references_in(inner)
        case Conjunction(parts=parts) | Disjunction(parts=parts):
            return tuple(r for part in parts for r in references_in(part))
        case _:
            assert_never(expression)
    return tuple(o for o in operands if isinstance(o, Reference))


def _compared(operand: Operand) -> str | None:
    """Show how a reference alone is written: the service has no truth of a value."""
    return f"such as `{operand} == true`" if isinstance(operand, Reference) else None


def _number(token: _Token) -> int | float:
    number = float(token.text) if re.search("[.eE]", token.text) else int(token.text)
    if isinstance(number, float) and not math.isfinite(number):
        problem = f"`{token.text}` is not a finite number"
        raise ReferenceSyntaxError(problem, token.start, token.end, "JSON has no such number")
    return number


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> Expression:
        if not self._tokens:
            advice = "such as `steps.evaluate.report.auc >= 0.8`"
            raise ReferenceSyntaxError("the condition is empty", 0, len(self._text), advice)
        expression = self._disjunction()
        if self._next < len(self._tokens):
            chained = self._tokens[self._next].text in _COMPARISONS
            raise self._unexpected(advice="write `A < B and B < C`" if chained else None)
        return expression

    def _disjunction(self) -> Expression:
        parts = [self._conjunction()]
        while self._take("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Disjunction(tuple(parts))

    def _conjunction(self) -> Expression:
        parts = [self._negation()]
        while self._take("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Conjunction(tuple(parts))

    def _negation(self) -> Expression:
        token = self._peek()
        if self._take("not"):
            return Negation(self._inside(token, self._negation))
        if self._take("("):
            inner = self._inside(token, self._disjunction)
            if not self._take(")"):
                raise self._unexpected("a `)`")
            return inner
        return self._comparison()

    def _inside(self, token: _Token | None, parse: Callable[[], Expression]) -> Expression:
        """Read what a `not` or a `(` holds."""
        if token is not None and self._depth == _DEEPEST:
            problem = f"the condition is nested more than {_DEEPEST} levels deep"
            advice = "remove parentheses and `not`s that change nothing"
            raise ReferenceSyntaxError(problem, token.start, token.end, advice)
        self._depth += 1
        inner = parse()
        self._depth -= 1
        return inner

    def _comparison(self) -> Expression:
        left = self._operand()
        negated = self._take("not")
        if self._take("in"):
            membership = Membership(left, self._list())
            return Negation(membership) if negated else membership
        token = self._peek()
        if negated or token is None or token.text not in _COMPARISONS:
            raise self._unexpected("a comparison such as `>=` or `in`", _compared(left))
        self._next += 1
        return Comparison(left, cast("Operator", token.text), self._operand())

    def _list(self) -> tuple[Operand, ...]:
        if not self._take("["):
            raise self._unexpected("a list such as `[1, 2]`")
        values = [self._operand()]
        while self._take(","):
            values.append(self._operand())
        if not self._take("]"):
            raise self._unexpected("a `]`")
        return tuple(values)

    def _operand(self) -> Operand:
        token = self._peek()
        if token is None or token.kind == "operator" or token.text in _WORDS:
            raise self._unexpected("a name, a number or a quoted text")
        self._next += 1
        match token.kind:
            case "number":
                return _number(token)
            case "text":
                return token.text[1:-1]
            case _:
                return _named(token)

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.kind == "text" or token.text != text:
            return False
        self._next += 1
        return True

    def _unexpected(
        self, wanted: str = "`and`, `or` or the end", advice: str | None = None
    ) -> ReferenceSyntaxError:
        token = self._peek()
        if token is None:
            length = len(self._text)
            problem = f"the condition ends where {wanted} was expected"
            return ReferenceSyntaxError(problem, 0, length, advice)
        problem = f"expected {wanted}, got `{token.text}`"
        return ReferenceSyntaxError(problem, token.start, token.end, advice)


def _named(token: _Token) -> Operand:
    if token.text in {"true", "false"}:
        return token.text == "true"
    reference = parse_path(token.text, token.start)
    if reference.root not in ROOTS:
        raise ReferenceSyntaxError(
            f"`{token.text}` is neither a reference nor a value",
            token.start,
            token.end,
            f'quote a text: `"{token.text}"`; a reference begins with `steps.` or `parameters.`',
        )
    return reference


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].lstrip()
            start = len(text) - len(rest)
            sign = next((sign for sign in _INSTEAD if rest.startswith(sign)), rest[0])
            raise ReferenceSyntaxError(
                f"`{sign}` is not allowed in a condition",
                start,
                start + len(sign),
                _INSTEAD.get(sign),
            )
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match.group(kind), match.start(kind), match.end(kind)))
        position = match.end()
    return tokens
