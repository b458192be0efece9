"""`kind: experiments`: rows of a matrix, and what the members wait for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kinds.base.matrix import Row, member_name, rows
from pipelines.kinds.experiments import ExperimentsStep, _chained
from pipelines.spec.model import STEP_NAME
from pipelines.spec.values import scalar_text

Waits = Mapping[str, Mapping[str, str]]


def _step(**keys: object) -> ExperimentsStep:
    return ExperimentsStep.model_validate(
        {
            "kind": "experiments",
            "matrix": {"rate": [1]},
            "best": {"metric": "score", "goal": "maximize"},
            **keys,
        }
    )


def test_rows_are_combinations_without_those_excluded_and_with_those_included() -> None:
    """An entry of `exclude` may name a part of a row; an entry of `include` is a row."""
    matrix = _step(
        matrix={
            "rate": [0.1, 0.3],
            "deep": [True, False],
            "exclude": [{"rate": 0.3, "deep": True}],
            "include": [{"rate": 1}],
        }
    ).matrix
    assert rows(matrix) == (
        {"rate": 0.1, "deep": True},
        {"rate": 0.1, "deep": False},
        {"rate": 0.3, "deep": False},
        {"rate": 1},
    )


def test_an_included_entry_is_added_to_the_combinations_that_it_fits() -> None:
    """As in a matrix of GitHub Actions, whose guide has this one; an excluded row can come back."""
    matrix = _step(
        matrix={
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "exclude": [{"fruit": "pear", "animal": "cat"}],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
                {"fruit": "pear", "animal": "cat"},
            ],
        }
    ).matrix
    assert rows(matrix) == (
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
        {"fruit": "pear", "animal": "cat"},
    )


_VALUES = st.text("ab/ .-_é", max_size=40) | st.integers() | st.floats(0, 1) | st.booleans()
_ROWS = st.lists(
    st.dictionaries(st.sampled_from(["rate", "deep", "image"]), _VALUES, min_size=1),
    unique_by=lambda row: tuple(sorted((key, scalar_text(row[key])) for key in row)),
)


@given(st.from_regex(r"[a-z-]{1,57}", fullmatch=True), _ROWS)
def test_the_name_of_a_member_is_legal_and_its_own(step: str, found: list[Row]) -> None:
    """Whatever its values are, and in whatever order it names them."""
    names = [member_name(step, row) for row in found]
    assert len({*names}) == len(names)
    assert all(STEP_NAME.fullmatch(name) and name.startswith(f"{step}-") for name in names)
    assert names == [member_name(step, dict(reversed([*row.items()]))) for row in found]


def test_a_value_that_is_added_renames_no_other_member() -> None:
    """The service's cache looks for a result under the name of the step."""
    few, more = (
        {member_name("sweep", row) for row in rows(_step(matrix=matrix).matrix)}
        for matrix in (
            {"rate": [0.1, 0.3], "deep": [2, 8]},
            {"deep": [1, 2, 8], "rate": [0.05, 0.1, 0.3], "include": [{"rate": 1.5}]},
        )
    )
    assert "sweep-2-0_1-" in {name[:-6] for name in few}
    assert few < more
    assert len(more) == 10


def _most_at_once(waits: Waits) -> int:
    """Return how many run at once where each starts as soon as it may and the shortest ends first.

    Members end in every order that a chain allows: the width of what is not ordered is the answer.
    """
    after: dict[str, set[str]] = {}
    for name, direct in waits.items():
        after[name] = set(direct).union(*(after[one] for one in direct))
    names = list(waits)
    running: list[set[str]] = [set()]
    for name in names:
        together = [
            s for s in running if all(name not in after[o] and o not in after[name] for o in s)
        ]
        running += [{*s, name} for s in together]
    return max(map(len, running))


@given(st.integers(1, 7), st.integers(1, 4), st.booleans())
def test_no_more_than_max_parallel_run_at_once(count: int, width: int, fail_fast: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever order they end in, since the service bounds parallel steps per execution only."""
    names = tuple(f"sweep-{n}" for n in range(1, count + 1))
    waits = _chained(names, _step(max_parallel=width, fail_fast=fail_fast))
    assert _most_at_once(waits) == min(count, width)


@pytest.mark.parametrize(("fail_fast", "trigger"), [(False, "any"), (True, "completed")])
def test_a_failed_member_ends_the_rest_only_where_asked(fail_fast: bool, trigger: str) -> None:  # noqa: FBT001 - a case
    """A member waits with trigger Any, else for all that were started before it to complete."""
    names = ("a", "b", "c", "d", "e")
    waits = _chained(names, _step(max_parallel=2, fail_fast=fail_fast))
    assert {kind for direct in waits.values() for kind in direct.values()} == {trigger}
    assert [len(direct) for direct in waits.values()] == (
        [0, 0, 2, 2, 2] if fail_fast else [0, 0, 1, 1, 1]
    )
