"""A plan in Markdown: bounded, and names and values are nothing but text."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipelines.cli.plan_markdown import LIMIT, code, plan_markdown, prose
from pipelines.plan.caching import Cause, Miss, Reason
from pipelines.plan.diff import Change, ChangeKind
from pipelines.plan.files import FileChange, FileChangeKind
from pipelines.plan.model import GroupPlan, PipelinePlan, Plan, TagChange, Upload

CODE = "s3://b/churn/code/train/2/bundle.pyz"
HOSTILE = (
    "<script>alert(1)</script>",
    "</summary></details>",
    "@everyone",
    "#1 and GH-1",
    "[x](javascript:alert(1))",
    "![x](http://evil/pixel.png)",
    "http://evil.example www.evil.example",
    "``` ```` `",
    "`",
    " ` ",
    "a\n\n# title\r\n- item\u2028b",
    "\u202egnp.exe",
    "| a | b |",
    "**bold** __bold__ ~~gone~~ $x^2$",
    "&lt;b&gt; &#64;everyone",
    "\udcff\x00\x1b[31m",
    ":tada: <!-- -->",
    "",
)


def made(text: str, entries: int = 1) -> Plan:
    """Make a plan that holds a text wherever one can stand."""
    files = tuple(FileChange(f"{text}{n}", FileChangeKind.CHANGED) for n in range(entries))
    changes = tuple(
        Change(ChangeKind.CHANGED, "train", ("Environment", f"{text}{number}"), text, f"{text}!")
        for number in range(entries)
    )
    pipeline = PipelinePlan(
        "churn", "arn", "{}", {}, TagChange({text: text}, (text,)), changes, foreign=True
    )
    reason = Reason(Cause.CHANGED, ("Environment", text), "", text, CODE)
    return Plan(
        "churn",
        (Upload("data", text, ((CODE, Path("x")),), files),),
        (GroupPlan(text, None),),
        (pipeline,),
        "s3://b/d",
        misses=tuple(Miss(f"{text}{number}", (reason,)) for number in range(entries)),
        files={CODE: files},
        warnings=(f"the endpoint {text} is no longer in the spec: `pipelines {text}`",) * entries,
    )


def tokens(markdown: str) -> list[Token]:
    """Read Markdown, HTML included, as GitHub does."""
    blocks = MarkdownIt("commonmark", {"html": True}).enable("strikethrough").parse(markdown)
    return [one for block in blocks for one in (block, *(block.children or ()))]


def outside_of_code(markdown: str) -> str:
    """Return what a reader of the text may interpret."""
    return "\n".join(one.content for one in tokens(markdown) if one.type in {"text", "html_inline"})


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_in_names_and_values_has_no_meaning(text: str) -> None:
    """No HTML but ours, no link, no image, no mention, no heading, no table."""
    markdown = plan_markdown(made(text), f"account {text}", text)
    kinds = [one.type for one in tokens(markdown)]
    assert not {"link_open", "image", "html_inline", "table_open", "s_open"} & {*kinds}
    assert kinds.count("heading_open") == 1
    assert kinds.count("fence") == 1
    html = "".join(one.content for one in tokens(markdown) if one.type == "html_block")
    assert {*re.findall(r"<[^>]*>", html)} <= {
        "<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>"
    }  # fmt: skip
    assert not re.search(r"[@#<\[]|https?:|www\.|GH-", outside_of_code(markdown))
    assert markdown.isprintable() or set(re.findall(r"[^ -~→…!]", markdown)) <= {"\n"}


@given(st.text(max_size=60))
def test_a_code_span_shows_any_text_in_one_line(text: str) -> None:
    """As one token, and nothing beside it."""
    (paragraph,) = (one for one in MarkdownIt("commonmark").parse(code(text)) if one.children)
    assert [one.type for one in paragraph.children or ()] == ["code_inline"]
    assert "\n" not in code(text)


@given(st.text(max_size=200))
def test_a_sentence_is_plain_words_and_code(text: str) -> None:
    """Whatever stands in it."""
    for block in MarkdownIt("commonmark", {"html": True}).parse(f"- {prose(text)}"):
        kinds = {one.type for one in block.children or ()}
        assert kinds <= {"text", "code_inline"}, prose(text)


LONG = ("é" * 300, "`" * 300, "\u202e" * 300, "🎉 " * 300, "x", "a " * 300)


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("entries", [1, 200])
def test_it_stays_below_what_a_comment_may_have(text: str, entries: int) -> None:
    """Whatever the entries are made of."""
    assert len(plan_markdown(made(text, entries), "account 1").encode()) <= LIMIT


def test_it_says_how_much_is_left_out() -> None:
    """In the lists and in what is folded."""
    markdown = plan_markdown(made("x", 3000), "account 1")
    assert len(markdown.encode()) <= LIMIT
    assert re.search(r"^- … and \d+ more: `pipelines plan` shows all$", markdown, re.MULTILINE)
    assert re.search(r"^  … and \d+ more: `pipelines plan` shows all$", markdown, re.MULTILINE)


def test_quoted_words_are_code_and_punctuation_stays_outside() -> None:
    """As sentences of ours have them."""
    assert prose("only `pipelines approve`, or steps/a.py: both.") == (
        "only `pipelines approve`, or `steps/a.py`: both."
    )


def test_the_picture_needs_a_browser() -> None:
    """Without one its script says so, and draws nothing."""
    script = Path(__file__).parents[3] / "tools" / "picture_plan.py"
    ended = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env={"PATH": ""}, check=False
    )
    assert ended.returncode == 1
    assert "no Chromium is installed" in ended.stdout
    assert ended.stderr == ""
