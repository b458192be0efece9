"""Hyperparameters, ranges and arguments, against what their script's argparse takes → warnings.

Only what can be read in the script itself is judged: one parser, whose options are written out, and
which refuses what it does not know.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.bundle.project import Project
from pipelines.bundle.statements import nodes
from pipelines.bundle.trace import parsed
from pipelines.diagnostics import Finding, Severity
from pipelines.diagnostics.sentences import suggestion
from pipelines.graph.model import Graph

_KEYS: Final = ("hyperparameters", "ranges", "arguments")
"""The keys of steps whose names become options of the script."""

_MARK: Final = b"add_argument"
_ADDS: Final = "add_argument"
_PARSES: Final = "parse_args"
_MAKES: Final = "ArgumentParser"
_OPENING: Final = frozenset({"parse_known_args", "parse_known_intermixed_args", "add_subparsers"})
"""Methods by which a parser takes options that are not written out."""


def check_options(graph: Graph, project: Project) -> Iterator[Finding]:
    """Yield a finding for each option that a step gives and its script refuses."""
    for node in graph.nodes.values():
        given = [(key, name) for key in _KEYS for name in getattr(node.step, key, None) or ()]
        code = node.kind.needs(node.name, node.step).code if given else None
        if code is None or code.script is None:
            continue
        known = _known_options(project, code.script.path)
        if known is None:
            continue
        names = sorted(one.removeprefix("--") for one in known)
        for key, name in given:
            if not any(one.startswith(f"--{name}") for one in known):
                message = f"`{code.script.path}` takes no `--{name}`: the job will fail"
                advice = suggestion(name, names) if names else "add it to the script's parser"
                place = (*node.path, key, name)
                yield Finding("SP418", message, place, "key", advice, Severity.WARNING)


def _known_options(project: Project, path: str) -> frozenset[str] | None:
    """Return the options of a script's only parser; None where it may take others."""
    if not path.endswith(".py") or not project.is_file(path):
        return None
    content = project.read(path)
    if _MARK not in content:
        return None
    try:
        tree = parsed(content, path)
    except (SyntaxError, ValueError):
        return None  # said where its imports are followed
    return _options(tree)


def _options(tree: ast.Module) -> frozenset[str] | None:
    parsers = _parsers(tree)
    if len(parsers) != 1:
        return None
    (parser,) = parsers
    calls = [node for node in nodes(tree) if isinstance(node, ast.Call)]
    adding = [call for call in calls if _method(call) == _ADDS]
    uses = [n for n in nodes(tree) if isinstance(n, ast.Name) and n.id == parser]
    read = sum(isinstance(one.ctx, ast.Load) for one in uses)
    called = [call for call in calls if _receiver(call) == parser]
    methods = {_method(call) for call in called}
    if read != len(called) or methods & _OPENING or _PARSES not in methods:
        return None  # somebody else may add to it
    if any(_receiver(call) != parser for call in adding):
        return None
    texts = [_texts(call.args) for call in adding]
    if None in texts:
        return None
    return frozenset(one for found in texts for one in found or () if one.startswith("--"))


def _parsers(tree: ast.Module) -> list[str]:
    """Return the names of the parsers that a script makes; "" for one that has no plain name."""
    made = []
    for node in nodes(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if _makes(call):
                made.append(name)
            case ast.Call() as call if _makes(call):
                made.append("")
    named = [name for name in made if name]
    return named if len(made) == 2 * len(named) else []


def _makes(call: ast.Call) -> bool:
    """Return whether a call makes a parser of its own options alone."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    inherits = any(keyword.arg in {None, "parents"} for keyword in call.keywords)
    return name == _MAKES and not inherits


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _receiver(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return call.func.value.id
    return None


def _texts(arguments: Iterable[ast.expr]) -> tuple[str, ...] | None:
    """Return texts that are written out; None where one is not."""
    found = []
    for one in arguments:
        if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
            return None
        found.append(one.value)
    return tuple(found)
