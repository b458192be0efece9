"""Draw the comment that a pull request gets, `docs/guides/plan-comment.png`, with Chromium.

python tools/picture_plan.py                        draws the golden of the tests
python tools/picture_plan.py PLAN.md PICTURE.png    draws what `plan --format markdown` wrote
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent
MARKDOWN = ROOT / "tests" / "golden" / "plans" / "update.md"
PICTURE = ROOT / "docs" / "guides" / "plan-comment.png"

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_WIDTH = 860
_STYLE = """
body { margin: 0; background: #fff; color: #1f2328;
       font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
.comment { margin: 16px; border: 1px solid #d1d9e0; border-radius: 6px; }
.head { padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0;
        border-radius: 6px 6px 0 0; color: #59636e; }
.body { padding: 4px 16px 16px; }
h3 { font-size: 17.5px; margin: 12px 0; }
ul { padding-left: 2em; margin: 8px 0; }
code { font: 85% ui-monospace, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: #818b981f; border-radius: 6px; padding: .2em .4em; }
pre { background: #f6f8fa; border-radius: 6px; padding: 12px 16px; margin: 8px 0;
      overflow: hidden; }
pre span { display: block; }
.added { color: #116329; background: #dafbe1; }
.removed { color: #82071e; background: #ffebe9; }
.changed { color: #953800; background: #ffd8b5; }
"""
_CLASSES = {"+": "added", "-": "removed", "!": "changed"}


def page(markdown: str) -> str:
    """Write the comment as a page, its details unfolded."""
    reader = MarkdownIt("commonmark", {"html": True, "highlight": _coloured})
    shown = reader.render(markdown).replace("<details>", "<details open>")
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style><div class="comment">'
        f'<div class="head"><b>build</b> commented now</div><div class="body">{shown}</div></div>'
        "<script>document.body.dataset.height = document.documentElement.scrollHeight</script>"
    )


def _coloured(text: str, _language: str, _attributes: str) -> str:
    lines = (
        f'<span class="{_CLASSES.get(line[:1], "")}">{html.escape(line) or " "}</span>'
        for line in text.rstrip("\n").split("\n")
    )
    return "".join(lines)


def draw(browser: str, content: str, picture: Path) -> None:
    """Draw a page in its whole height."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.html")
        file.write_text(content, encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={folder}/profile"]  # fmt: skip
        asked = [*command, f"--window-size={_WIDTH},400", "--dump-dom", file.as_uri()]
        dumped = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=120)
        found = re.search(r'data-height="(\d+)"', dumped.stdout)
        size = f"--window-size={_WIDTH},{found[1] if found else 800}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        drawn = [*command, size, f"--screenshot={picture.resolve()}", file.as_uri()]
        subprocess.run(drawn, check=True, capture_output=True, timeout=120)


def main() -> int:
    """Draw what the command line names."""
    given = [Path(word) for word in sys.argv[1:3]]
    markdown, picture = (*given, *(MARKDOWN, PICTURE)[len(given) :])
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"no Chromium is installed (one of {', '.join(_BROWSERS)}): nothing was drawn")
        return 1
    draw(browser, page(markdown.read_text(encoding="utf-8")), picture)
    print(f"wrote {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
