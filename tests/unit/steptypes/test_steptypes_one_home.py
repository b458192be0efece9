"""What is known of a Type is declared on the Type: no other module tells Types apart by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelines
from pipelines.steptypes import module_name, names

ROOT = Path(pipelines.__file__).parent

ALLOWED = {
    # Members of a condition of type `Not`, which is no step.
    ("definition/checks/conditions.py", "Condition"),
    ("definition/checks/comparisons.py", "Condition"),
    ("kinds/condition.py", "Condition"),
    # A kind names the Types whose requests its program makes.
    ("kinds/deployment.py", "Model"),
    ("kinds/deployment.py", "EndpointConfig"),
    ("kinds/deployment.py", "Endpoint"),
    ("kinds/deployment.py", "RegisterModel"),
    ("kinds/deployment.py", "Transform"),
    # A kind names the Types that it becomes.
    ("kinds/experiments.py", "Training"),
    ("kinds/registration.py", "Processing"),
    ("kinds/transform.py", "Processing"),
    ("kinds/transform.py", "Model"),
    # The jobs that steps of an earlier version of the state have run.
    ("backends/local/state/schema.py", "Training"),
    ("backends/local/state/schema.py", "Processing"),
    # The heading of a column.
    ("results/page/page.py", "Endpoint"),
}
"""Where the text is not the name of a step's Type, or where a kind emits one."""

TEMPLATE_WORDS = frozenset({"Condition", "Endpoint"})
"""Members of statements in IAM policies and of CloudFormation's resources, which `infra` writes."""

READER = ROOT / "backends" / "local" / "events" / "template.py"
"""Reads these templates."""


def _told_apart(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what values are compared with or looked up by: keys, members, operands, patterns."""
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys):
                yield from (key for key in keys if key is not None)
            case ast.Set(elts=members) | ast.Tuple(elts=members) | ast.List(elts=members):
                yield from members
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)
            case ast.Subscript(slice=key):
                yield key
            case ast.MatchValue(value=value):
                yield value
            case ast.MatchMapping(keys=keys):
                yield from keys
            case _:
                pass


def _offences(source: str) -> set[str]:
    known = {name for name in names() if f'"{name}"' in source}
    if not known:
        return set()
    told_apart = _told_apart(ast.parse(source))
    texts = (node.value for node in told_apart if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text in known}


def _own(path: Path) -> frozenset[str] | set[str]:
    """Return the Type of an executor, which may name it, and words of templates."""
    if path.is_relative_to(ROOT / "infra") or path == READER:
        return TEMPLATE_WORDS
    executors = ROOT / "backends/local/executors"
    is_executor = path.parent == executors
    return {name for name in names() if is_executor and path.stem == module_name(name)}


def test_no_module_tells_types_apart_by_their_names() -> None:
    """A table keyed by Types would forget the next one."""
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.rglob("*.py")
        if not path.is_relative_to(ROOT / "steptypes")
        for name in _offences(path.read_text(encoding="utf-8")) - _own(path)
    }
    assert found - ALLOWED == set()


@pytest.mark.parametrize(
    "source",
    [
        'if step["Type"] == "Training": pass',
        'JOBS = {"Training": 1}',
        'JOBS = frozenset({"Processing"})',
        'JOBS = ("Processing", "Other")',
        'TABLE["Fail"]',
        'match step:\n    case {"Type": "Condition"}: pass',
        'match kind:\n    case "Condition" | "x": pass',
    ],
)
def test_every_way_to_tell_types_apart_is_seen(source: str) -> None:
    """The test above would pass if it saw nothing."""
    assert _offences(source)


def test_a_type_has_a_module_and_shapes_and_at_most_an_executor() -> None:
    """Nothing else is named after a Type."""
    modules = {module_name(name) for name in names()}
    executors = {path.stem for path in (ROOT / "backends/local/executors").glob("*.py")}
    assert executors - {"__init__", "as_job", "contract", "stub"} <= modules
    assert modules <= {path.stem for path in (ROOT / "steptypes").glob("*.py")}
