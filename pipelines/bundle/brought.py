"""A script's syntax tree → what it brings into its container itself, before it imports it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipelines.frozen import frozen

UNKNOWN = "?"
"""Stands for packages whose names the text does not tell."""

_INSTALLERS = frozenset({"pip", "pip3", "conda", "mamba"})
_BEFORE = frozenset({"-m", "&&", ";", "uv", "sudo"})
_MODULES = frozenset({"os", "subprocess", "sys", "shlex"})
_BRINGS = re.compile(rb"\b(?:pip3?|conda|mamba|addsitedir)\b|\bsys[\s\\]*\.[\s\\]*path\b")


@frozen
class Brought:
    """What code adds to its container.

    Args:
        requirements: the packages that it installs, as in a requirements file, or `UNKNOWN`.
        elsewhere: whether it imports from a folder outside the bundle, such as a channel's.
    """

    requirements: tuple[str, ...] = ()
    elsewhere: bool = False

    def __or__(self, other: Brought) -> Brought:
        """Return what two files bring together."""
        requirements = dict.fromkeys((*self.requirements, *other.requirements))
        return Brought(tuple(requirements), self.elsewhere or other.elsewhere)


def brought_by(code: bytes, tree: ast.Module) -> Brought:
    """Read what a file adds: `pip install` as its code runs it, and entries of `sys.path`."""
    if not _BRINGS.search(code):
        return Brought()
    statements = [node for node in ast.walk(tree) if _is_simple(node)]
    return Brought(
        tuple(dict.fromkeys(line for one in statements for line in _installed(one))),
        any(map(_leads_elsewhere, statements)),
    )


def _is_simple(node: ast.AST) -> bool:
    """Return whether a node is a statement without others in it, and no docstring."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return False
        case _:
            return isinstance(node, ast.stmt) and not hasattr(node, "body")


def _installed(statement: ast.AST) -> Iterator[str]:
    """Yield what a statement installs, as `check_call([…, "-m", "pip", "install", "shap"])`."""
    if _imports_pip(statement):
        yield UNKNOWN
        return
    words = list(_words(statement))
    starts = [
        index
        for index, word in enumerate(words)
        if word == "install" and any(one in _INSTALLERS for one in words[:index])
    ]
    if not starts:
        return
    given = words[starts[0] + 1 :]
    packages = [word for word in given if not word.startswith("-")]
    yield from packages or [UNKNOWN]
    if any(word.startswith(("-r", "--requirement")) for word in given):
        yield UNKNOWN


def _imports_pip(statement: ast.AST) -> bool:
    """Return whether pip is called as a library, by whatever name."""
    match statement:
        case ast.Import(names=names):
            return any(alias.name.partition(".")[0] == "pip" for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            return module.partition(".")[0] == "pip"
        case _:
            return False


def _words(statement: ast.AST) -> Iterator[str]:
    """Yield the words of a statement's strings in order; `UNKNOWN` for a variable."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Constant | ast.Name)]
    for node in sorted(nodes, key=lambda one: (one.lineno, one.col_offset)):
        match node:
            case ast.Constant(value=str(text)):
                yield from _of_command(text.split())
            case ast.Name(id=name) if name not in _MODULES:
                yield UNKNOWN
            case _:
                pass


def _of_command(words: list[str]) -> Iterator[str]:
    """Yield words, the installer's name only where it is what is run, not what is talked of."""
    for before, word in zip([None, *words], words, strict=False):
        name = word.rpartition("/")[2]
        if name not in _INSTALLERS:
            yield word
        elif before is None or before in _BEFORE:
            yield name


def _leads_elsewhere(statement: ast.AST) -> bool:
    """Return whether a statement puts a folder outside the bundle on `sys.path`."""
    nodes = list(ast.walk(statement))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if not any(map(_is_path, nodes)) and "addsitedir" not in names | attributes:
        return False
    texts = [one.value for one in nodes if isinstance(one, ast.Constant)]
    is_absolute = any(isinstance(text, str) and text.startswith("/") for text in texts)
    return is_absolute or bool((names | attributes) & {"environ", "getenv"})


def _is_path(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
            return True
        case _:
            return False
