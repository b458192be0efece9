"""Whatever the pages for contributors name is there: files, names in them, make targets, links.

How the pages write it: a path is in backticks and begins at the repository's root or in
`pipelines/`; `<type>` in it stands for any name. What a module defines follows it, as in
`` `steptypes/caching.py`: `compared` `` or, for several, `` `a.py`: `f`, `Class.method` ``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "docs/architecture.md")
QUESTIONS = (
    "cache key", "endpoint's process", "state.db", "add a kind", "add a command", "add a check",
    "add a Type", "add an API operation", "add a diagnostic", "retries", "hyperparameter",
)  # fmt: skip

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w./<>*-]+(?:/|\.(?:py|md|toml|txt|json|ya?ml))|[\w.<>*-]+(?:/[\w.<>*-]+)+")
_NAMES = re.compile(r"`([\w./<>-]+\.py)`:\s((?:`[\w.]+`(?:,\s|\sand\s)?)+)")
_DOTTED = re.compile(r"(?:pipelines|tests|tools|benchmarks)(?:\.\w+)+")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_PLACEHOLDER = re.compile(r"<\w+>")
_UNTRACKED = ("/", ".pipelines/", ".venv", "build/", "data/", "s3:")
"""Where paths begin that no checkout has: those of a job, of a run, of what `make` writes."""


def _text(page: str) -> str:
    return _FENCE.sub("", (ROOT / page).read_text("utf-8"))


def _found(path: str) -> list[Path]:
    """Return the files that a path of a page stands for; none when there is no such file."""
    pattern = _PLACEHOLDER.sub("*", path).rstrip("/")
    for base in (ROOT, ROOT / "pipelines"):
        if files := sorted(base.glob(pattern)):
            return files
    return []


@cache
def _defined(file: Path) -> frozenset[str]:
    """Return the names at the top of a module, and `Class.member` for what its classes have."""
    return frozenset(_names(ast.parse(file.read_text("utf-8")).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.ClassDef(name=name, body=members):
                yield prefix + name
                yield from _names(members, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name
            case _:
                pass


def _missing_paths(text: str) -> Iterator[str]:
    for span in _SPAN.findall(text):
        if _PATH.fullmatch(span) and not span.startswith(_UNTRACKED) and not _found(span):
            yield span


def _missing_names(text: str) -> Iterator[str]:
    for path, names in _NAMES.findall(text):
        files = _found(path)
        for name in _SPAN.findall(names):
            if not files or any(name not in _defined(file) for file in files):
                yield f"{path}: {name}"


def _missing_modules(text: str) -> Iterator[str]:
    for span in _SPAN.findall(text):
        if _DOTTED.fullmatch(span) and not _is_importable(span):
            yield span


def _is_importable(dotted: str) -> bool:
    path = dotted.replace(".", "/")
    module, _, name = path.rpartition("/")
    if (ROOT / path).is_dir() or (ROOT / f"{path}.py").is_file():
        return True
    files = [file for file in (f"{module}.py", f"{module}/__init__.py") if (ROOT / file).is_file()]
    return any(name in _defined(ROOT / file) for file in files)


def _missing_targets(text: str) -> Iterator[str]:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for span in _SPAN.findall(text):
        if span.startswith("make ") and span.split()[1] not in targets:
            yield span


def _missing_links(page: str, text: str) -> Iterator[str]:
    folder = (ROOT / page).parent
    return (target for target in _LINK.findall(text) if not (folder / target).exists())


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    """A file that moved takes its line in the page along; so do links and make targets."""
    text = _text(page)
    assert [*_missing_paths(text), *_missing_targets(text), *_missing_links(page, text)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_a_page_names_is_defined_in_its_module(page: str) -> None:
    """`` `module.py`: `name` `` names a function, class, constant or `Class.member` of it."""
    text = _text(page)
    assert [*_missing_names(text), *_missing_modules(text)] == []


def test_the_questions_are_answered_in_one_line_each_with_a_file() -> None:
    """Each is an item of "Questions" that names at least one file."""
    section = _text("docs/architecture.md").partition("\n## Questions\n")[2].partition("\n## ")[0]
    items = [" ".join(item.split()) for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    for question in QUESTIONS:
        answers = [item for item in items if question in item.partition("?")[0]]
        assert len(answers) == 1, question
        assert any(map(_PATH.fullmatch, _SPAN.findall(answers[0]))), question


def test_the_checks_find_what_is_not_there() -> None:
    """Each way of naming something is refused when the thing is missing, and only then."""
    good = "`kinds/` `spec/steps.py`: `StepSpec.after` and `JobStep`; `make test`"
    assert [*_missing_paths(good), *_missing_names(good), *_missing_targets(good)] == []
    assert list(_missing_paths("`kinds/nothing.py`, `nothing/`, `.pipelines/x`")) == [
        "kinds/nothing.py",
        "nothing/",
    ]
    assert list(_missing_names("`spec/steps.py`: `StepSpec`, `Nothing` here")) == [
        "spec/steps.py: Nothing"
    ]
    assert list(_missing_modules("`pipelines.spec.steps.StepSpec` `pipelines.spec.nothing`")) == [
        "pipelines.spec.nothing"
    ]
    assert list(_missing_targets("`make nothing`")) == ["make nothing"]
    assert list(_missing_links("docs/spec.md", "[a](errors.md) [b](nothing.md)")) == ["nothing.md"]
