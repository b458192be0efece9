"""Serving code, against what the model server of its image calls → errors where they stand.

Only the names at the top of the module are read: what a server finds by `getattr`.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipelines.bundle.need import ProjectFile
from pipelines.bundle.project import Project
from pipelines.bundle.statements import nodes, statements
from pipelines.bundle.trace import parsed
from pipelines.diagnostics import Finding, Path, Place, Severity, Span
from pipelines.diagnostics.nearest import nearest
from pipelines.frozen import frozen
from pipelines.images import Image
from pipelines.images.contracts import REPLACED, HandlerContract, contract_of, every_handler
from pipelines.json_types import JsonObject

_INNER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""What has names of its own."""

_WITH_STATEMENTS: Final = (ast.stmt, ast.ExceptHandler, ast.match_case)
_OPENING: Final = frozenset({"*", "__getattr__", "globals", "vars", "setattr", "exec"})
"""Names by which a module may get others, which nobody can read in it."""


@frozen
class ServingCode:
    """The serving code of a step.

    Args:
        step: the path of the step.
        image: the image that serves it, and `image_name`, what the spec calls it.
        entry: the module that the server loads.
        config: of the program that packages it: `source` and `entry`.
    """

    step: Path
    image: Image
    image_name: str
    entry: ProjectFile
    config: JsonObject


def check_handlers(codes: Iterable[ServingCode], project: Project) -> Iterator[Finding]:
    """Find functions that a server would not call, or cannot, and those that it lacks."""
    for code in codes:
        contract = contract_of(code.image)
        if contract is None or not project.is_file(code.entry.path):
            continue
        if contract.entry not in {None, code.config["entry"]}:
            yield _misnamed(code, contract)
        try:
            module = _Module.read(project, code.entry.path)
        except (SyntaxError, ValueError):  # said where its imports are followed
            continue
        check = _Check(code, contract, module)
        yield from check.uncalled()
        yield from check.replaced()
        yield from check.parameters()
        yield from check.missing()


def _misnamed(code: ServingCode, contract: HandlerContract) -> Finding:
    message = f"{contract.server} of `{code.image_name}` loads `{contract.entry}` and no other file"
    help_text = f"rename it `{contract.entry}`, and remove `entry:`"
    return Finding("SP409", message, (*code.step, *code.entry.at), help=help_text)


@frozen
class _Defined:
    """A name at the top of a module; `node` is its function, None for anything else."""

    name: str
    line: int
    node: ast.FunctionDef | ast.AsyncFunctionDef | None


@frozen
class _Module:
    """The names of a module.

    Args:
        source: the file, for places.
        lines: its text.
        names: what is defined, by name.
        tree: its syntax tree.
    """

    source: str
    lines: tuple[str, ...]
    names: Mapping[str, _Defined]
    tree: ast.Module

    @classmethod
    def read(cls, project: Project, path: str) -> _Module:
        content = project.read(path)
        tree = parsed(content, path)
        lines = tuple(importlib.util.decode_source(content).split("\n"))
        names = {one.name: one for one in _defined(tree)}
        return cls(str(project.root / path), lines, names, tree)

    @property
    def used(self) -> frozenset[str]:
        """The names that its own code reads."""
        read = (n for n in nodes(self.tree) if isinstance(n, ast.Name))
        return frozenset(one.id for one in read if isinstance(one.ctx, ast.Load))

    @property
    def is_open(self) -> bool:
        """Whether `import *`, or what it does with its own names, may bring more."""
        return bool(_OPENING & (self.names.keys() | self.used))

    def place(self, one: _Defined) -> Place:
        text = self.lines[one.line - 1]
        found = re.search(rf"\b{re.escape(one.name)}\b", text)
        start = found.start() if found else 0
        end = found.end() if found else len(text)
        return Place(Span(self.source, one.line, start + 1, one.line, end + 1), text)


def _defined(tree: ast.Module) -> Iterator[_Defined]:
    for node, within in statements(tree.body, ()):
        if isinstance(node, ast.Global):
            yield from (_Defined(name, node.lineno, None) for name in node.names)
        if any(isinstance(one, _INNER) for one in within):
            continue
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield _Defined(name, node.lineno, node)
            case ast.ClassDef(name=name):
                yield _Defined(name, node.lineno, None)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (_Defined(one.asname or one.name, one.lineno, None) for one in names)
            case _:
                yield from _assigned(node)


def _assigned(node: ast.stmt) -> Iterator[_Defined]:
    """Find the names that a statement binds, those of the statements in it excepted."""
    parts = (one for one in ast.iter_child_nodes(node) if not isinstance(one, _WITH_STATEMENTS))
    for one in (inner for part in parts for inner in ast.walk(part)):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield _Defined(one.id, one.lineno, None)


class _Check:
    """One module against one contract."""

    def __init__(self, code: ServingCode, contract: HandlerContract, module: _Module) -> None:
        self._code = code
        self._contract = contract
        self._module = module

    def uncalled(self) -> Iterator[Finding]:
        """Find functions of other model servers: errors where nothing else is for this one."""
        is_served = not self._lacked() and bool(
            self._module.names.keys() & self._contract.functions.keys()
        )
        for name, parameters in every_handler().items():
            one = self._module.names.get(name)
            if one is None or one.node is None or name in self._contract.functions:
                continue
            if name in self._module.used or (
                name == "handler" and not _is_for(one.node, parameters)
            ):
                continue  # a function of the user's own
            severity = Severity.WARNING if is_served or self._module.is_open else Severity.ERROR
            message = f"`{name}` is never called: {self._server} calls {self._called()}"
            yield self._find(message, self._instead(), one, severity)

    def replaced(self) -> Iterator[Finding]:
        """Find what `transform_fn` stands for, beside it."""
        names = self._module.names
        if "transform_fn" not in names or "transform_fn" not in self._contract.functions:
            return
        for name in REPLACED:
            if name in names:
                message = f"`{name}` stands beside `transform_fn`, which {self._server} refuses"
                help_text = "transform_fn replaces the three others: remove it or them"
                yield self._find(message, help_text, names[name])

    def parameters(self) -> Iterator[Finding]:
        """Find functions that take another number of arguments than they are called with."""
        for name, wanted in self._contract.functions.items():
            one = self._module.names.get(name)
            if one is None or one.node is None or one.node.decorator_list:
                continue
            extra = 1 if self._contract.takes_context else 0
            if _takes(one.node, len(wanted)) or (extra and _takes(one.node, len(wanted) + extra)):
                continue
            context = " (a further one gets the context)" if extra else ""
            message = (
                f"`{name}` does not take {len(wanted)} arguments, with which"
                f" {self._server} calls it{context}"
            )
            yield self._find(message, f"write `def {self._contract.signature(name)}:`", one)

    def missing(self) -> Iterator[Finding]:
        """Find what a module lacks altogether."""
        lacked = self._lacked()
        if not lacked or self._is_uncalled:
            return
        names, path = self._module.names, self._code.entry.path
        near = nearest(lacked[0], [n for n in names if n not in self._contract.functions])
        message = f"`{path}` has no {' and no '.join(lacked)}, which {self._server} needs"
        help_text = f"rename `{near}` `{lacked[0]}`" if near else self._write(lacked)
        yield self._find(message, help_text, names[near] if near else None)

    @property
    def _is_uncalled(self) -> bool:
        """Whether the code is for another server, which is said with what to write instead."""
        return next(self.uncalled(), None) is not None

    @property
    def _server(self) -> str:
        return f"{self._contract.server} of `{self._code.image_name}`"

    def _called(self) -> str:
        known = tuple(self._contract.functions)
        return f"{', '.join(known[:-1])} and {known[-1]}" if known else "no code of yours"

    def _instead(self) -> str:
        if lacked := self._lacked():
            return self._write(lacked)
        return "remove it, or name an image whose model server calls it"

    def _write(self, names: Iterable[str]) -> str:
        return "write " + " and ".join(f"`def {self._contract.signature(n)}:`" for n in names)

    def _lacked(self) -> list[str]:
        """Return the functions to add: those that complete what is there, else the longest set."""
        names = self._module.names
        sets = self._contract.required
        if not sets or any(names.keys() >= set(r) for r in sets) or self._module.is_open:
            return []
        begun = [r for r in sets if names.keys() & set(r)]
        return [name for name in (begun or sets)[-1] if name not in names]

    def _find(
        self,
        message: str,
        help_text: str,
        one: _Defined | None,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        return Finding(
            "SP409",
            message,
            (*self._code.step, *self._code.entry.at),
            help=help_text,
            place=self._module.place(one) if one else None,
            severity=severity,
        )


def _positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args]


def _is_for(node: ast.FunctionDef | ast.AsyncFunctionDef, parameters: tuple[str, ...]) -> bool:
    """Return whether a function has the parameters that a server knows, by number."""
    return len(_positional(node)) == len(parameters)


def _takes(node: ast.FunctionDef | ast.AsyncFunctionDef, count: int) -> bool:
    """Return whether a function can be called with this many positional arguments."""
    most = len(_positional(node))
    least = most - len(node.args.defaults)
    needs_keyword = any(default is None for default in node.args.kw_defaults)
    return not needs_keyword and least <= count and (count <= most or node.args.vararg is not None)
