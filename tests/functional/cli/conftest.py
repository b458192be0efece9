"""Small projects of plain Python, and two ways to give a command: here, and in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.functional.cli.in_process import Answer, run_in

ROOT = Path(__file__).parents[3]

SPEC = """\
spec: 1
pipeline: small

aws:
  role: arn:aws:iam::111122223333:role/jobs
  bucket: team-bucket

parameters:
  count: {type: integer, default: 3}
  least: {type: float, default: 2.0}
  mode: {type: string, enum: [good, bad], default: good}

data:
  words: data/

defaults:
  image: sklearn-1.9-cpu

steps:
  make:
    kind: processing
    script: steps/make.py
    inputs:
      words: ${data.words}
    outputs: [rows]
    reports:
      figures: figures.json
    arguments:
      count: ${parameters.count}
      mode: ${parameters.mode}

  enough:
    kind: condition
    if: steps.make.figures.count >= parameters.least
    then: [use]
    else: [reject]

  use:
    kind: processing
    script: steps/use.py
    inputs:
      rows: ${steps.make.rows}

  reject:
    kind: fail
    message: only ${steps.make.figures.count} of ${parameters.least}
"""

MAKE = '''\
"""Writes as many words as it is told to."""

import json
import os
import sys
from pathlib import Path

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
count = int(given["--count"])
print("making", count)
if given["--mode"] == "bad":
    sys.exit("the mode is bad")
word = Path(os.environ["SM_CHANNEL_WORDS"], "word.txt").read_text()
Path(os.environ["SM_OUT_ROWS"], "rows.txt").write_text(word * count)
Path(os.environ["SM_OUT_FIGURES"], "figures.json").write_text(json.dumps({"count": count}))
'''

USE = '''\
"""Counts the rows."""

import os
from pathlib import Path

rows = Path(os.environ["SM_CHANNEL_ROWS"], "rows.txt").read_text().split()
print("rows:", *rows)
'''


class Command(Protocol):
    """Gives a command line to the tool."""

    def __call__(self, *arguments: str | Path) -> Answer:
        """Return what the command left."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project of four steps, and stand in it."""
    folder = tmp_path / "project"
    files = {
        "pipeline.yaml": SPEC,
        "steps/make.py": MAKE,
        "steps/use.py": USE,
        "data/word.txt": "word\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def pipelines() -> Command:
    """Run commands in this process and in the current folder."""

    def command(*arguments: str | Path) -> Answer:
        return run_in(Path.cwd(), *map(str, arguments))

    return command


@dataclass(frozen=True)
class Processes:
    """Starts the tool in processes of its own."""

    environ: dict[str, str]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `python -m pipelines` in the current folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines", *map(str, arguments)],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str | Path) -> Answer:
        """Run to the end and return what was left."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return Answer(process.returncode, out, err)


@pytest.fixture
def processes() -> Processes:
    """Give commands to `python -m pipelines` in new processes."""
    return Processes({**os.environ, "PYTHONPATH": str(ROOT)})
