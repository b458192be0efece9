"""moto's own SageMaker tests against the local SageMaker, compared with docs/local-sagemaker.md.

    python tools/moto_suite.py

The source distribution of the installed moto comes from the package index into build/. Exits 1
where fewer tests of a file pass than the table says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "local-sagemaker.md"
PLUGIN = ROOT / "tests" / "clients"
_ROW = re.compile(r"^\| (\w+) \| (\d+) \| (\d+) \|", re.MULTILINE)


def expected(text: str) -> dict[str, int]:
    """Return how many tests of each file pass, as the table says."""
    table = text.partition("## moto's own tests")[2].partition("\n## ")[0]
    return {name: int(passed) for name, passed, _ in _ROW.findall(table)}


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


def passed(folder: Path, files: list[str]) -> Counter[str]:
    """Run files of moto's tests; return how many tests of each pass."""
    report = folder.parent / "report.xml"
    tests = [f"tests/test_sagemaker/test_sagemaker_{name}.py" for name in files]
    options = ("-q", "--tb=no", "-p", "moto_tests", "-p", "no:randomly", "-c", "/dev/null")
    words = [sys.executable, "-m", "pytest", *options, "--rootdir=.", f"--junitxml={report}"]
    path = os.pathsep.join((str(ROOT), str(PLUGIN)))
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([*words, *tests], cwd=folder, env=environment, check=False)
    found: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest's own
        if not {"failure", "error", "skipped"} & {child.tag for child in case}:
            name = case.get("classname", "").rpartition("test_sagemaker_")[2]
            found[name.partition(".")[0]] += 1
    return found


def main() -> int:
    """Run them all and compare."""
    wanted = expected(TABLE.read_text("utf-8"))
    found = passed(source(), sorted(wanted))
    for name, number in wanted.items():
        if found[name] != number:
            print(f"{name}: {found[name]} pass; {TABLE.relative_to(ROOT)} says {number}")
    return int(not wanted or any(found[name] < number for name, number in wanted.items()))


if __name__ == "__main__":
    sys.exit(main())
