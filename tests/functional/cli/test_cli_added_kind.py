"""A kind that is nothing but a module of its own runs, is drawn and explained like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines import kinds
from tests.unit.kinds.conftest import ADDED

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

SPEC = """\
spec: 1
pipeline: samples
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
data: {words: data/}
steps:
  take:
    kind: sampling
    program: steps/take.py
    tables: {words: "${data.words}"}
  show:
    kind: processing
    image: sklearn-1.9-cpu
    script: steps/show.py
    inputs: {sample: "${steps.take.sample}"}
"""

TAKE = '''\
"""Takes the word."""

import os
from pathlib import Path

word = Path(os.environ["SM_CHANNEL_WORDS"], "word.txt").read_text()
Path(os.environ["SM_OUT_SAMPLE"], "sample.txt").write_text(word)
'''

SHOW = '''\
"""Shows what was taken."""

import os
from pathlib import Path

print("taken:", Path(os.environ["SM_CHANNEL_SAMPLE"], "sample.txt").read_text())
'''


def test_a_pipeline_with_an_added_kind_runs(
    project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its output reaches the next step; no command has to know of it."""
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(ADDED)])
    for name, text in {"pipeline.yaml": SPEC, "steps/take.py": TAKE, "steps/show.py": SHOW}.items():
        (project / name).write_text(text, "utf-8")
    answer = pipelines("run")
    assert answer.code == 0, answer.err + answer.out
    assert "taken: word" in pipelines("logs", "--local", "latest", "show").out
    assert "take (sampling)" in pipelines("graph").out
