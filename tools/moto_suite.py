"""moto's own SageMaker tests against the local SageMaker, compared with docs/local-sagemaker.md.

    python tools/moto_suite.py [--write]

The source distribution of the installed moto comes from the package index into build/. Exits 1
where the table says other numbers than were seen; `--write` writes those that were seen. Why tests
fail is written by hand: it has to add up to those that do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "local-sagemaker.md"
PLUGIN = ROOT / "tests" / "clients"
_ROW = re.compile(r"^\| (\w+) \| (\d+) \| (\d+) \| (.*)\|$", re.MULTILINE)
_BAD = ("failure", "error", "skipped")
_COUNT = re.compile(r"\((\d+)\)")
_TOTAL = re.compile(r"\b\d+ of \d+ pass\b")
_BY_CHANCE = {
    # describes an endpoint twice while it is created, and expects that nothing changes meanwhile
    "test_update_endpoint_weights_and_capacities_should_throw_clienterror_no_endpoint",
}
"""Tests that pass or fail with the time that things take; counted as failed, whatever they do."""

_HEADING, _END = "## moto's own tests", "\n## "


class Seen(NamedTuple):
    """How many tests of a file pass, and how many do not."""

    passed: int
    failed: int


def expected(text: str) -> dict[str, Seen]:
    """Return what the table of a page says of each file."""
    return {name: Seen(int(a), int(b)) for name, a, b, _ in _ROW.findall(_section(text))}


def rewritten(text: str, seen: Mapping[str, Seen]) -> str:
    """Write into a page, its table and the sum above it, what was seen."""
    section = _section(text)

    def row(match: re.Match[str]) -> str:
        passed, failed = seen[match[1]]
        return f"| {match[1]} | {passed} | {failed} | {match[4]}|"

    good = sum(one.passed for one in seen.values())
    every = good + sum(one.failed for one in seen.values())
    new = _TOTAL.sub(f"{good} of {every} pass", _ROW.sub(row, section))
    return text.replace(section, new)


def unexplained(text: str) -> list[str]:
    """Return the files whose reasons do not add up to the tests that fail."""
    rows = _ROW.findall(_section(text))
    return [
        name for name, _, failed, why in rows if sum(map(int, _COUNT.findall(why))) != int(failed)
    ]


def _section(text: str) -> str:
    return text.partition(_HEADING)[2].partition(_END)[0]


def source() -> Path:
    """Return the unpacked source distribution."""
    release = f"moto-{version('moto')}"
    folder = ROOT / "build" / "moto"
    if not (folder / release).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        words = ("download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder))
        pip = (sys.executable, "-m", "pip", *words, release.replace("-", "=="))
        subprocess.run(pip, check=True)
        with tarfile.open(folder / f"{release}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder / release


def run(folder: Path, files: list[str]) -> dict[str, Seen]:
    """Run files of moto's tests."""
    report = folder.parent / "report.xml"
    tests = [f"tests/test_sagemaker/test_sagemaker_{name}.py" for name in files]
    options = ("-q", "--tb=no", "-p", "moto_tests", "-p", "no:randomly", "-c", "/dev/null")
    words = [sys.executable, "-m", "pytest", *options, "--rootdir=.", f"--junitxml={report}"]
    path = os.pathsep.join((str(ROOT), str(PLUGIN)))
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([*words, *tests], cwd=folder, env=environment, check=False)
    found = {name: Seen(0, 0) for name in files}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest's own
        name = case.get("classname", "").rpartition("test_sagemaker_")[2].partition(".")[0]
        passed, failed = found[name]
        is_bad = case.get("name") in _BY_CHANCE or any(child.tag in _BAD for child in case)
        found[name] = Seen(passed, failed + 1) if is_bad else Seen(passed + 1, failed)
    return found


def main(arguments: list[str]) -> int:
    """Run them all, and compare, or write."""
    text = TABLE.read_text("utf-8")
    said = expected(text)
    seen = run(source(), sorted(said))
    place = TABLE.relative_to(ROOT)
    for name, (passed, failed) in said.items():
        if seen[name] != (passed, failed):
            now = seen[name]
            print(
                f"{name}: {now.passed} pass, {now.failed} do not; {place} says {passed}, {failed}"
            )
    new = rewritten(text, seen)
    if "--write" in arguments:
        TABLE.write_text(new, "utf-8")
    wrong = unexplained(new)
    if wrong:
        print(f"the reasons do not add up to the tests that fail: {', '.join(wrong)}")
    return int(not said or bool(wrong) or (new != text and "--write" not in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
