"""What a command does not pay for before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_plugins_of_pydantic_are_left_alone(tmp_path: Path) -> None:
    """Looking for them reads what every installed package says of itself."""
    (tmp_path / "watching.py").write_text("raise SystemExit('it was loaded')\n", "utf-8")
    package = tmp_path / "watching-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: watching\nVersion: 1.0\n", "utf-8")
    (package / "entry_points.txt").write_text("[pydantic]\nwatching = watching:PLUGIN\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "validate", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
