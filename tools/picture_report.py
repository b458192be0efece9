"""Draw the page of an execution, `docs/guides/report.png` and its dark and narrow forms.

python tools/picture_report.py           draws the latest execution here (`make demo` makes one)
python tools/picture_report.py FOLDER    draws the latest execution of another project
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "guides"

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FORMS = {
    "report.png": ("light", 1200, 1000),
    "report-dark.png": ("dark", 1200, 1000),
    "report-narrow.png": ("light", 400, 1000),
}
_SCHEMES = {"dark": 0, "light": 1}  # Chromium's PreferredColorScheme


def main() -> int:
    """Make the page, and draw it in every form."""
    project = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"no Chromium is installed (one of {', '.join(_BROWSERS)}): nothing was drawn")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        spec = str(project / "pipeline.yaml")
        asked = [sys.executable, "-m", "pipelines", "report", "--local", "-f", spec, "-o"]
        subprocess.run([*asked, str(page)], check=True, cwd=ROOT)
        for name, form in _FORMS.items():
            draw([browser, f"--user-data-dir={folder}/profile"], page, PICTURES / name, form)
            print(f"wrote {PICTURES / name}")
    return 0


def draw(browser: list[str], page: Path, picture: Path, form: tuple[str, int, int]) -> None:
    """Draw the top of a page, in a colour scheme and a size."""
    scheme, width, height = form
    command = [
        *browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--blink-settings=preferredColorScheme={_SCHEMES[scheme]}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
