"""`report` and `compare`: one page that loads nothing; executions side by side."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

HOSTILE = '</pre><script>alert("1")</script><img src=x onerror=alert(2)>'
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def draws(project: Path) -> None:
    """Let the first step draw a picture, too."""
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text("utf-8").replace("[rows]", "[rows, pictures]"), "utf-8")
    script = project / "steps/make.py"
    picture = (
        f'import base64\nPath(os.environ["SM_OUT_PICTURES"], "dot.png")'
        f'.write_bytes(base64.b64decode("{DOT}"))\n'
    )
    script.write_text(script.read_text("utf-8") + picture, "utf-8")


@pytest.fixture
def page(project: Path, pipelines: Command) -> Page:
    """Make the page of an execution that succeeded."""
    draws(project)
    assert pipelines("run", "-p", "count=4").code == 0
    answer = pipelines("report", "--local")
    assert answer.code == 0, answer.err
    return Page((project / answer.out.strip()).read_text("utf-8"))


def test_a_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    """Its policy allows the one style sheet by its hash, and pictures within the page."""
    assert not page.named("script")
    assert not page.named("link")
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    sources = [found["src"] or "" for _, found in page.elements if "src" in found]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    links = [found["href"] or "" for found in page.named("a")]
    assert all(link.startswith(("#", "file:///")) for link in links), links
    policy = next(m["content"] or "" for m in page.named("meta") if m.get("http-equiv"))
    assert "default-src 'none'" in policy


def test_the_policy_of_a_page_names_its_style_sheet(page: Page, project: Path) -> None:
    """A browser would otherwise not apply it."""
    del page
    text = next((project / ".pipelines/reports").glob("*.html")).read_text("utf-8")
    sheet = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in text.replace("&#x27;", "'")


def test_a_page_can_be_used_by_keyboard_and_screen_reader(page: Page) -> None:
    """Landmarks, captions, texts for every drawing; what scrolls can be focused."""
    for landmark in ("header", "nav", "main", "h1"):
        assert len(page.named(landmark)) == 1, landmark
    assert len(page.named("caption")) == len(page.named("table"))
    assert all(found.get("alt") for found in page.named("img"))
    assert all(found.get("aria-label") for found in page.named("svg"))
    scrolling = [found for _, found in page.elements if "scroll" in (found.get("class") or "")]
    assert scrolling
    assert all(found.get("tabindex") == "0" and found.get("aria-label") for found in scrolling)
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    named = [found["aria-labelledby"] for found in page.named("section")]
    assert set(named) <= set(ids)
    assert {(found["href"] or "").removeprefix("#") for found in page.named("a")} >= {"results"}


def test_a_page_shows_steps_parameters_metrics_and_fingerprints(page: Page) -> None:
    """Those that did not run, too."""
    drawn = " ".join(found["aria-label"] or "" for found in page.named("svg"))
    assert "make: Succeeded" in drawn
    assert "reject: not run" in drawn
    for said in ("count", "make.figures.count", "make.pictures", "s3://team-bucket/small/data/"):
        assert said in page.text, said


@pytest.mark.usefixtures("project")
def test_what_failed_stands_first_with_its_last_log_lines_and_is_escaped(
    project: Path, pipelines: Command
) -> None:
    """Values of anybody never become markup."""
    script = project / "steps/make.py"
    hostile = f"print({HOSTILE!r})\n"
    script.write_text(
        script.read_text("utf-8").replace('print("making", count)\n', hostile), "utf-8"
    )
    assert pipelines("run", "-p", "mode=bad").code == 5
    answer = pipelines("report", "--local", "-o", "out/page.html")
    assert answer.out == "out/page.html\n", answer.err
    text = (project / "out/page.html").read_text("utf-8")
    assert HOSTILE not in text
    page = Page(text)
    assert HOSTILE in page.text
    assert "the mode is bad" in page.text
    assert page.named("section")[0]["id"] == "failure"
    assert not page.named("script")


def test_executions_are_compared_by_what_differs(project: Path, pipelines: Command) -> None:
    """Parameters, the files of the code, metrics; `--all` shows the rest, too."""
    assert pipelines("run", "-p", "count=3").code == 0
    script = project / "steps/use.py"
    script.write_text(f"{script.read_text('utf-8')}print('edited')\n", "utf-8")
    assert pipelines("run", "-p", "count=4").code == 0
    answer = pipelines("compare", "--local", "latest~1", "latest", "--format", "json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    rows = {(row["section"], row["name"]): row["values"] for row in said["rows"]}
    assert rows["parameter", "count"] == ["3", "4"]
    assert rows["metric", "make.figures.count"] == [3, 4]
    assert ("code", "use: steps/use.py") in rows
    assert not [name for section, name in rows if section == "code" and "make" in name]
    assert all(row["differs"] for row in said["rows"])
    whole = pipelines("compare", "--local", "latest~1", "latest", "--all").out
    assert re.search(r"parameter +mode +good +good", whole)
    assert re.search(r"data +words +[0-9a-f]{12} +[0-9a-f]{12}", whole)


@pytest.mark.usefixtures("project")
def test_comparing_draws_the_metrics_into_an_svg_file(project: Path, pipelines: Command) -> None:
    """Anything else is refused."""
    for count in ("3", "4"):
        assert pipelines("run", "-p", f"count={count}").code == 0
    answer = pipelines("compare", "--local", "latest~1", "latest", "-o", "metrics.svg")
    assert answer.code == 0, answer.err
    assert "make.figures.count" in (project / "metrics.svg").read_text("utf-8")
    refused = pipelines("compare", "--local", "latest~1", "latest", "-o", "metrics.gif")
    assert refused.code == 2
    assert "name it with .svg or .png" in refused.err
    assert pipelines("compare", "--local", "latest").code == 2
