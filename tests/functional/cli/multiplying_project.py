"""A project whose model multiplies: it trains in no time, registers and deploys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.functional.cli.in_process import Answer, run_in

SPEC = """\
spec: 1
pipeline: tiny
parameters:
  approval_status:
    type: string
    enum: [PendingManualApproval, Approved]
    default: PendingManualApproval
defaults:
  image: sklearn-1.9-cpu
steps:
  train:
    kind: training
    script: train.py
    hyperparameters: {factor: 21}
  register:
    kind: registration
    group: tiny
    model: ${steps.train.model}
    approval_status: ${parameters.approval_status}
    serving: {source: serving/, image: sklearn-1.9-cpu}
  deploy:
    kind: deployment
    after: [register]
    group: ${steps.register.group}
    endpoint: tiny
    sample: sample.json
    serverless: {max_concurrency: 2}
"""
TRAIN = """\
import os, sys
from pathlib import Path
Path(os.environ["SM_MODEL_DIR"], "factor").write_text(os.environ["SM_HP_FACTOR"])
"""
SERVE = """\
import json
from pathlib import Path
def model_fn(model_dir):
    return int(Path(model_dir, "factor").read_text())
def transform_fn(model, body, content_type, accept):
    return json.dumps({"y": model * json.loads(body)["x"]}), "application/json"
"""


@dataclass(frozen=True)
class Project:
    """A project and the commands in it."""

    folder: Path

    def run(self, *words: str) -> Answer:
        """Run a command of ours."""
        return run_in(self.folder, *words)

    def good(self, *words: str) -> str:
        """Run a command that has to succeed; return what it prints."""
        done = self.run(*words)
        assert done.code == 0, done.out + done.err
        return done.out

    def register(self, factor: int, *more: str) -> None:
        """Train a model with another factor and register it."""
        file = self.folder / "pipeline.yaml"
        file.write_text(SPEC.replace("factor: 21", f"factor: {factor}"))
        self.good("run", *more)

    def answer(self) -> int:
        """Ask the endpoint for the product of 2 and its model."""
        said = json.loads(self.good("invoke", "--local", "tiny", "--file", "sample.json"))
        return int(said["y"])


def write_project(folder: Path) -> Project:
    """Write a project whose model multiplies."""
    (folder / "serving").mkdir()
    (folder / "pipeline.yaml").write_text(SPEC)
    (folder / "train.py").write_text(TRAIN)
    (folder / "serving" / "inference.py").write_text(SERVE)
    (folder / "sample.json").write_text('{"x": 2}')
    return Project(folder)
