"""Great Expectations' answers → its own pages, made to be read without a network.

Its pages load their style and scripts from six hosts, and they print values of the data as HTML.
Here they get a small style of their own, no script, and a policy that lets a browser run none.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from pipelines.programs.validate.page import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from great_expectations.core import ExpectationSuiteValidationResult

_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
_REMOTE = re.compile(r"<link\b[^>]*>|<img\b[^>]*>", re.IGNORECASE)
_STYLES = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
_REMOTE_STYLE = re.compile(r"(?:@import\s+)?url\(\s*['\"]?(?:https?:)?//[^)]*\)", re.IGNORECASE)
_SUITE_LINK = re.compile(r'<a href="[^"]*/expectations/[^"]*"\s*>(.*?)</a>')
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:75rem;padding:0 1rem}
.row{display:flex;flex-wrap:wrap;gap:1rem}.navbar ul,.breadcrumb{display:flex;gap:.5rem;padding:0}
.navbar li,.breadcrumb li,.list-group{list-style:none}.col-md-8,.col-lg-8,.col-xs-12{flex:1}
table{border-collapse:collapse;margin:.5rem 0;width:100%}
td,th{border-bottom:1px solid #8885;padding:.35rem .5rem;text-align:left;vertical-align:top}
.badge{border-radius:.25rem;background:#8883;padding:.05rem .35rem}
.alert,.card{border:1px solid #8885;border-radius:.25rem;margin:.5rem 0;padding:.5rem .75rem}
.fas.fa-check-circle::before{content:"\\2713";color:#17692f}
.fas.fa-times::before{content:"\\2717";color:#c22}
.fas.fa-exclamation-triangle::before{content:"!";color:#a60}
.modal,.d-none,.navbar-toggler,.cooltip .top,.sticky .card,footer{display:none}
"""


def write_page(answer: ExpectationSuiteValidationResult, docs: Path, table: str) -> None:
    """Write the page of a table's suite: `validations/<table>.html`."""
    renderer: Any = ValidationResultsPageRenderer(run_info_at_end=True)
    view: Any = DefaultJinjaPageView()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its own deprecations
        html = view.render(renderer.render(answer))
    page = docs / "validations" / f"{table}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(without_network(html), encoding="utf-8")


def without_network(html: str) -> str:
    """Remove what needs a network or leads nowhere from a page, and add style and policy."""
    text = _SUITE_LINK.sub(r"\1", _REMOTE.sub("", _SCRIPT.sub("", html)))
    text = _STYLES.sub(lambda style: _REMOTE_STYLE.sub("", style[0]), text)
    return _HEAD.sub(lambda head: f"{head[0]}{POLICY}<style>{_STYLE}</style>", text, count=1)
