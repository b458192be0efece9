"""Graphs: order, cycles and branches of any wiring of steps."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import kinds
from pipelines.document import parse
from pipelines.graph.build import Built, build
from pipelines.json_types import JsonObject
from pipelines.spec.load import load

EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14)


def _built(steps: JsonObject) -> Built:
    document = parse(b"spec: 1", "pipeline.yaml").document
    assert document is not None
    document.data.update({"pipeline": "p", "steps": steps})
    loaded = load(document, kinds.step_models(), {})
    assert loaded.spec is not None
    return build(loaded.spec, steps)


def _steps(edges: list[tuple[int, int]]) -> JsonObject:
    names = [f"s{n}" for n in range(7)]
    after = {name: sorted({f"s{a}" for a, b in edges if f"s{b}" == name}) for name in names}
    job = {"kind": "processing", "script": "a.py"}
    return {name: {**job, "after": after[name]} for name in names}


@settings(max_examples=100)
@given(EDGES)
def test_a_wiring_is_either_ordered_or_its_cycle_is_named(edges: list[tuple[int, int]]) -> None:
    """Every step comes after what it waits for; with a cycle there is a finding of its chain."""
    built = _built(_steps(edges))
    place = {name: index for index, name in enumerate(built.graph.order)}
    for before, behind in edges:
        if f"s{behind}" in place:
            assert place[f"s{before}"] < place[f"s{behind}"]
    cyclic = [f for f in built.findings if f.code == "SP210"]
    assert bool(cyclic) == (len(place) < 7)
    for finding in cyclic:
        chain = finding.message.partition(": ")[2].split(" → ")
        assert chain[0] == chain[-1]
        pairs = {(f"s{a}", f"s{b}") for a, b in edges}
        assert all((b, a) in pairs for a, b in pairwise(chain))


@settings(max_examples=50)
@given(EDGES)
def test_steps_that_wait_for_nothing_keep_the_documents_order(
    edges: list[tuple[int, int]],
) -> None:
    """Ties are decided by where a step was written, so that the order is the reader's."""
    order = _built(_steps(edges)).graph.order
    waiting = {f"s{behind}" for _, behind in edges}
    free = [name for name in order if name not in waiting]
    assert free == sorted(free)


def test_a_step_of_a_branch_waits_for_its_condition() -> None:
    """The condition comes first, whatever the order in the document."""
    steps = {
        "inner": {"kind": "processing", "script": "a.py"},
        "choose": {"kind": "condition", "if": "execution.id == 'x'", "then": ["inner"]},
    }
    built = _built(steps)
    assert built.findings == ()
    assert built.graph.order == ("choose", "inner")
    branch = built.graph.nodes["inner"].branch
    assert branch is not None
    assert (branch.condition, branch.side) == ("choose", "then")
