"""`${…}` in texts: templates, literals, and what is no reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.spec.environ import substitute
from pipelines.spec.references import Reference, ReferenceSyntaxError, Template, parse_text

NAME = st.from_regex(r"[A-Za-z0-9_]{1,5}", fullmatch=True)
PATH = st.lists(NAME, min_size=1, max_size=4).map(".".join)
LITERAL = st.text(alphabet="ab {}.\nü", max_size=6)


@given(st.text())
def test_escaped_text_reads_as_itself(text: str) -> None:
    """`$${` is the one escape: with it any text can be written."""
    assert parse_text(text.replace("${", "$${")) == text


@given(st.lists(st.tuples(LITERAL, PATH), min_size=1, max_size=4), LITERAL)
def test_template_holds_what_was_written(parts: list[tuple[str, str]], last: str) -> None:
    """References keep their path and their place; writing a template gives its text again."""
    text = "".join(f"{literal}${{{path}}}" for literal, path in parts) + last
    template = parse_text(text)
    assert isinstance(template, Template)
    assert str(template) == text
    assert [r.text for r in template.references] == [path for _, path in parts]
    assert all(text[r.start : r.end] == r.text for r in template.references)


@pytest.mark.parametrize(
    ("text", "parts", "below"),
    [
        ("${steps.a.report.x.y}", ("steps", "a", "report", "x", "y"), "x.y"),
        ("${steps.a.report.list[2].x}", ("steps", "a", "report", "list", 2, "x"), "list[2].x"),
        ("${steps.a.report['odd key']}", ("steps", "a", "report", "odd key"), "['odd key']"),
        ("${steps['a'].report.x}", ("steps", "a", "report", "x"), "x"),
        ("${steps.a['report'].x[0]}", ("steps", "a", "report", "x", 0), "x[0]"),
        ("${ steps.a-b.out_1 }", ("steps", "a-b", "out_1"), ""),
    ],
)
def test_path_is_read_part_by_part(text: str, parts: tuple[str | int, ...], below: str) -> None:
    """Names, indexes and quoted keys; what lies below an output is passed on as written."""
    template = parse_text(text)
    assert isinstance(template, Template)
    reference = template.only
    assert isinstance(reference, Reference)
    assert reference.parts == parts
    assert reference.below(3) == below


@pytest.mark.parametrize("text", ["${", "${}", "${a", "${.a}", "${a..b}", "${a b}", "${a[x]}"])
def test_what_is_no_reference_is_an_error(text: str) -> None:
    """Nothing that looks like a reference is passed on as plain text."""
    with pytest.raises(ReferenceSyntaxError):
        parse_text(text)


def test_environment_variable_is_text_and_never_read_again() -> None:
    """A variable's value cannot smuggle a reference in."""
    data, found = substitute({"a": ["x-${env.ONE}", "$${env.ONE}"]}, {"ONE": "${parameters.p}"})
    assert data == {"a": ["x-$${parameters.p}", "$${env.ONE}"]}
    assert found == []
