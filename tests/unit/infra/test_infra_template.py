"""Plain data → YAML that people read: comments, blocks, short lists on a line."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.infra.template import Template, ref, when, yaml_text

_SIGN = st.one_of(st.just("\n"), st.characters(exclude_categories=("C", "Zl", "Zp")))
_KEY = st.text(_SIGN, min_size=1, max_size=8).filter(lambda key: not key.startswith("# "))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(_SIGN, max_size=80)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEY, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.dictionaries(_KEY, _JSON, max_size=4))
def test_whatever_is_written_is_read_back(value: dict[str, object]) -> None:
    """Texts like numbers, several lines, signs of YAML: all stay what they are."""
    assert yaml.safe_load(yaml_text(value)) == value


def test_a_comment_stands_before_what_it_explains() -> None:
    """At the depth of its key, the first key of a list's item too."""
    written = yaml_text({"a": {"# Why b.": None, "b": 1}, "c": [{"# Why d.": None, "d": "x\ny\n"}]})
    assert written == ("a:\n  # Why b.\n  b: 1\nc:\n  # Why d.\n  - d: |\n      x\n      y\n")


def test_a_long_comment_is_wrapped() -> None:
    """No line of a template is wider than a screen because of it."""
    written = yaml_text({"a": {"# " + "word " * 60: None, "b": 1}})
    assert max(map(len, written.splitlines())) <= 98
    assert yaml.safe_load(written) == {"a": {"b": 1}}


def test_a_template_has_the_sections_that_it_needs_in_one_order() -> None:
    """Empty ones are left out; comments are no part of the document."""
    template = Template(
        "A stack.",
        resources={"Queue": {"# Why.": None, "Type": "AWS::SQS::Queue"}},
        conditions={"Has": {"Fn::Equals": [ref("A"), ""]}},
        parameters={"A": {"Type": "String"}},
    )
    document = template.document()
    assert list(document) == [
        "AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources",
    ]  # fmt: skip
    assert document["Resources"] == {"Queue": {"Type": "AWS::SQS::Queue"}}
    assert yaml.safe_load(template.text()) == document


def test_a_condition_without_another_value_leaves_the_member_out() -> None:
    """As CloudFormation says it."""
    assert when("Has", 1) == {"Fn::If": ["Has", 1, {"Ref": "AWS::NoValue"}]}
