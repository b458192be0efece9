"""The statements of a script, and which of them allow for the imports in them to fail."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

_CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_ASKING = frozenset(
    {"TYPE_CHECKING", "__package__", "version_info", "hexversion", "platform", "system"}
    | {"find_spec", "environ", "getenv", "modules"}
)
"""What a condition names that asks what there is, before something is imported."""
_COMPOUND = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor),
    *(ast.While, ast.With, ast.AsyncWith, ast.Match, ast.Try, ast.TryStar),
)
"""The statements that hold others."""
_ASKING_NAME = re.compile(r"(?i)_?(has|have)_|.*(available|installed|importable)$")


@functools.lru_cache(maxsize=64)
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return all nodes of a file, as `ast.walk` yields them; several checks want them."""
    found: list[ast.AST] = [tree]
    for node in found:  # what is appended is walked, too: `ast.walk`, in a third of its time
        for name in node._fields:
            below = getattr(node, name, None)
            if isinstance(below, list):
                found.extend([one for one in below if isinstance(one, ast.AST)])
            elif isinstance(below, ast.AST):
                found.append(below)
    return tuple(found)


def statements(
    body: list[ast.stmt], within: tuple[ast.stmt, ...]
) -> Iterator[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
    """Walk statements only, each with those around it: an import stands in no expression."""
    for node in body:
        yield node, within
        if not isinstance(node, _COMPOUND):
            continue
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if block:
                yield from statements(block, (*within, node))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from statements(part.body, (*within, node))


def is_condition(node: ast.stmt) -> bool:
    """Return whether a statement allows for imports in it to fail or to be left out."""
    match node:
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            return any(one.type is None or _names(one.type) & _CATCHING for one in handlers)
        case ast.If(test=test):
            return _asks(test) or (isinstance(test, ast.Constant) and not test.value)
        case ast.Match(subject=subject):
            return _asks(subject)
        case ast.With(items=items):
            called = {name for item in items for name in _names(item.context_expr)}
            return "suppress" in called and bool(called & _CATCHING)
        case _:
            return False


def is_function(node: ast.stmt) -> bool:
    """Return whether the statements in this one are not executed with it."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _asks(test: ast.expr) -> bool:
    """Return whether a condition asks for what there is, as the Python or an environment."""
    names = _names(test)
    if {"os", "name"} <= names:
        return True
    return bool(names & _ASKING) or any(map(_ASKING_NAME.match, names))


def _names(expression: ast.expr) -> frozenset[str]:
    """Return the names and attributes in an expression."""
    nodes = list(ast.walk(expression))
    return frozenset(
        {node.id for node in nodes if isinstance(node, ast.Name)}
        | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    )
