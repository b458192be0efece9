"""Conditions: what is emitted for an expression decides as Python decides the same text."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.backends.local.executors.condition import decide
from pipelines.json_types import Json
from pipelines.kinds.base.contract import EmitContext
from pipelines.kinds.condition import ConditionStep, emit
from pipelines.spec.expressions import parse_expression, references_in
from pipelines.spec.model import PipelineSpec
from pipelines.spec.references import Reference, ReferenceSyntaxError

NUMBERS = st.integers(-3, 3)
WORDS = st.sampled_from(["a", "b", "c"])
VALUES = st.fixed_dictionaries(
    {"n": NUMBERS, "m": NUMBERS, "x": st.floats(-2, 2), "word": WORDS, "flag": st.booleans()}
)


def _comparison() -> st.SearchStrategy[str]:
    numbers = st.one_of(st.sampled_from(["parameters.n", "parameters.m"]), NUMBERS.map(str))
    ordered = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    floats = st.builds(
        "parameters.x {} {}".format, st.sampled_from(["<", ">="]), st.floats(-2, 2).map(repr)
    )
    words = st.builds("parameters.word {} '{}'".format, st.sampled_from(["==", "!="]), WORDS)
    flags = st.sampled_from(["parameters.flag == true", "parameters.flag != false"])
    members = st.lists(NUMBERS.map(str), min_size=1, max_size=3).map(", ".join)
    lists = st.builds("{} {} [{}]".format, numbers, st.sampled_from(["in", "not in"]), members)
    return st.one_of(
        st.builds("{} {} {}".format, numbers, ordered, numbers), floats, words, flags, lists
    )


EXPRESSIONS = st.recursive(
    _comparison(),
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        inner.map("not {}".format),
        inner.map("({})".format),
    ),
    max_leaves=6,
)


def _decided(text: str, values: dict[str, Json]) -> bool:
    def resolve(operand: Json) -> Json:
        return values[str(operand.parts[1])] if isinstance(operand, Reference) else operand

    step = ConditionStep.model_validate({"kind": "condition", "if": text})
    spec = PipelineSpec.model_validate({"spec": 1, "pipeline": "p", "steps": {}})
    (emitted,) = emit(step, EmitContext("choose", spec, resolve, {}, None))
    return all(decide(condition) for condition in emitted.arguments["Conditions"])


@settings(max_examples=200)
@given(EXPRESSIONS, VALUES)
def test_emitted_conditions_decide_as_python_does(text: str, values: dict[str, Json]) -> None:
    """The grammar is Python's: precedence, `not`, `in` and brackets mean the same."""
    names = {"parameters": SimpleNamespace(**values), "true": True, "false": False}
    expected = eval(text, {"__builtins__": {}}, names)  # noqa: S307 - the oracle, over our own texts
    assert _decided(text, values) is expected


@given(EXPRESSIONS)
def test_each_reference_knows_where_it_stands(text: str) -> None:
    """A reference's offsets cut exactly its own text out of the expression."""
    for reference in references_in(parse_expression(text)):
        assert text[reference.start : reference.end] == reference.text


@given(st.text(alphabet="ab.()[]<>=!&|'\"${} 10-,not in and or\n", max_size=30))
def test_any_text_is_an_expression_or_a_located_error(text: str) -> None:
    """No text makes the parser fail in another way; the place lies inside of the text."""
    place = (0, 0)
    try:
        parse_expression(text)
    except ReferenceSyntaxError as error:
        place = (error.start, error.end)
    assert 0 <= place[0] <= place[1] <= len(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the condition is empty"),
        ("parameters.a", "the condition ends where a comparison such as `>=` or `in` was expected"),
        ("parameters.a = 1", "`=` is not allowed in a condition"),
        ("parameters.a == 'x", "`'` is not allowed in a condition"),
        ("parameters.a == 1 2", "expected `and`, `or` or the end, got `2`"),
        ("parameters.a in []", "expected a name, a number or a quoted text, got `]`"),
        ("(parameters.a == 1", "the condition ends where a `)` was expected"),
    ],
)
def test_a_text_that_is_no_condition_says_where_it_stops(text: str, problem: str) -> None:
    """The message names what stands there and what was expected."""
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse_expression(text)
    assert caught.value.problem == problem
