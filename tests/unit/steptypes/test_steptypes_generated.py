"""The shape files against the installed botocore, and their patterns against Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import botocore
import pytest

from pipelines.steptypes import find, names
from pipelines.steptypes.shapes import shapes_of

ROOT = Path(__file__).resolve().parents[3]
SHAPES = ROOT / "pipelines" / "steptypes" / "shapes"


def _patterns() -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for name in names():
        step_type = find(name)
        assert step_type is not None
        shapes = shapes_of(step_type)
        for shape_name in shapes.names():
            shape = shapes.get(shape_name)
            if shape.pattern is not None:
                longest = int(shape.max) if shape.max is not None else 4096
                found[shape.pattern] = max(found.get(shape.pattern, 0), min(longest, 4096))
    return sorted(found.items())


def test_the_shape_files_are_what_the_generator_writes() -> None:
    """A new botocore shows up here, and `tools/generate_shapes.py` takes it over."""
    recorded = {json.loads(path.read_text())["botocore"] for path in SHAPES.glob("*.json")}
    if recorded != {botocore.__version__}:
        pytest.skip(f"the files are of botocore {recorded}, installed {botocore.__version__}")
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_shapes.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_type_is_small_enough_to_be_read_by_each_command() -> None:
    """`validate` reads several of them: its time is its size."""
    for path in SHAPES.glob("*.json"):
        assert path.stat().st_size < 60_000, path.name


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    begin = time.process_time()
    pattern.fullmatch(text)
    return time.process_time() - begin


@pytest.fixture(scope="module")
def quadratic() -> float:
    """Return how long an expression takes that tries each beginning with each end."""
    return max(_seconds(re.compile(r".*\S.*"), "a" * 4095 + "\n") for _ in range(3))


@pytest.mark.parametrize(("pattern", "longest"), _patterns())
def test_no_pattern_takes_long_on_a_text_made_to_hurt(
    pattern: str, longest: int, quadratic: float
) -> None:
    """Catastrophic backtracking would let one line of somebody's definition stop the tool.

    The peer is the slowest of the service's own, of which each character costs a whole line.
    """
    compiled = re.compile(pattern)
    for unit in ("a", "-", "a-", "1", "/", " ", "a/", "a.", "arn:aws:sagemaker:"):
        for end in ("", "!", "\n", "\0"):
            text = (unit * longest)[: longest - 1] + end
            assert _seconds(compiled, text) < 10 * quadratic, (unit, end)


def test_the_checks_import_nothing_heavy() -> None:
    """`validate` starts within twice the time of a bare interpreter with yaml and pydantic."""
    heavy = "botocore boto3 pydantic rich click difflib"
    program = (
        "import sys, pipelines.definition, pipelines.images\n"
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
