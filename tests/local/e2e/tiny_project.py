"""A small project of standard-library scripts, run through the command line as its user would.

Each script writes one line to `ran.log`, outside the bundle and the store: it tells what ran.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.cli.options import ChosenSpec
from pipelines.cli.scope import local_scope
from pipelines.cli.target import open_sagemaker
from pipelines.execution.executions import executions
from pipelines.execution.identifiers import identifier
from pipelines.json_types import Json, JsonObject
from tests.functional.cli.in_process import run_in
from tests.waiting import SECONDS, until

ROOT = Path(__file__).parents[3]

_NOTE = """\
import os
from pathlib import Path

with Path(os.environ["RAN"]).open("a") as file:
    file.write({step!r} + "\\n")
"""
SCRIPTS = {
    "prepare": """\
        rows = sorted(Path(os.environ["SM_CHANNEL_RAW"], "rows.txt").read_text().split())
        Path(os.environ["SM_OUT_TRAIN"], "rows.txt").write_text("\\n".join(rows[:-2]))
        Path(os.environ["SM_OUT_TEST"], "rows.txt").write_text("\\n".join(rows[-2:]))
        """,
    "aside": """\
        Path(os.environ["SM_OUT_COUNT"], "count.txt").write_text("6")
        """,
    "train": """\
        rows = Path(os.environ["SM_CHANNEL_TRAIN"], "rows.txt").read_text().split()
        rank = os.environ["SM_CURRENT_HOST_RANK"]
        print("mean=" + str(sum(map(float, rows)) / len(rows)), flush=True)
        Path(os.environ["SM_MODEL_DIR"], rank + ".txt").write_text(" ".join(rows))
        """,
    "evaluate": """\
        import json

        hosts = sorted(p.name for p in Path(os.environ["SM_MODEL_DIR"]).iterdir())
        report = {"auc": 0.75, "hosts": hosts}
        Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(json.dumps(report))
        """,
}
SPEC = """\
spec: 1
pipeline: tiny
parameters:
  min_auc: {type: float, default: 0.5}
  rounds: {type: integer, default: 2}
  approval: {type: string, enum: [PendingManualApproval, Approved], default: Approved}
data:
  raw: data/
defaults:
  image: sklearn-1.9-cpu
  cache: 30d
x-ran: &ran
  RAN: ${env.RAN}
steps:
  prepare:
    kind: processing
    script: steps/prepare.py
    environment: *ran
    inputs:
      raw: ${data.raw}
    outputs: [train, test]
  aside:
    kind: processing
    script: steps/aside.py
    environment: *ran
    outputs: [count]
  train:
    kind: training
    script: steps/train.py
    environment: *ran
    instance_count: 2
    max_runtime_in_seconds: 60
    inputs:
      train: ${steps.prepare.train}
    hyperparameters:
      rounds: ${parameters.rounds}
    metric_definitions:
      mean: 'mean=([0-9.]+)'
  evaluate:
    kind: evaluation
    script: steps/evaluate.py
    environment: *ran
    model: ${steps.train.model}
    inputs:
      test: ${steps.prepare.test}
  good-enough:
    kind: condition
    if: steps.evaluate.report.auc >= parameters.min_auc
    then: [register]
    else: [reject]
  register:
    kind: registration
    group: tiny
    model: ${steps.train.model}
    metrics: ${steps.evaluate.report}
    approval_status: ${parameters.approval}
    serving:
      source: serving/
      image: sklearn-1.9-cpu
  reject:
    kind: fail
    message: AUC ${steps.evaluate.report.auc} is below ${parameters.min_auc}
"""
HANG = """\
import subprocess
import sys
import time

if not Path(os.environ["RAN"] + ".go").exists():
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    subprocess.Popen(sleep, start_new_session=True)
    time.sleep(600)
Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("m")
"""
"""A training script whose processes stay until they are ended; not once `….go` is there."""

STEPS = ("prepare", "aside", "train", "evaluate", "good-enough", "register-package", "register")
JOBS = Counter({"prepare": 1, "aside": 1, "train": 2, "evaluate": 1})


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it printed."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Seen:
    """An execution as the state has it, with the statuses of its steps."""

    id: str
    status: str
    steps: dict[str, str]


@dataclass(frozen=True, slots=True)
class Project:
    """A user's project on disk.

    Args:
        folder: where its spec file is.
        environment: variables that its commands get beside those of the tests.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ran(self) -> Path:
        """The file that every script writes its name to."""
        return self.folder.parent / f"{self.folder.name}-ran.log"

    @property
    def home(self) -> Path:
        """What the local SageMaker keeps."""
        return self.folder / ".pipelines"

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")

    def script(self, step: str, body: str) -> None:
        """Write the script of a step; it notes that it ran before it does anything."""
        self.write(f"steps/{step}.py", _NOTE.format(step=step) + dedent(body))

    def edit(self, old: str, new: str, path: str = "pipeline.yaml") -> None:
        """Replace a text that is in a file of the project."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text
        (self.folder / path).write_text(text.replace(old, new), encoding="utf-8")

    def make(self) -> Project:
        """Write the whole example."""
        self.write("pipeline.yaml", SPEC)
        for step, body in SCRIPTS.items():
            self.script(step, body)
        self.write("data/rows.txt", "5 3 1 4 2 6")
        self.write("serving/inference.py", "def model_fn(folder):\n    return folder\n")
        return self

    @contextmanager
    def started(
        self, *words: str, cwd: Path | None = None, terminal: int | None = None
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a command in the project's folder, in a session of its own; the block ends it.

        Args:
            words: of the command.
            cwd: another folder.
            terminal: the descriptor of one that takes output and errors, instead of pipes.
        """
        with subprocess.Popen(
            [sys.executable, "-m", "pipelines", *words],
            cwd=cwd or self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "RAN": str(self.ran), **self.environment},
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.PIPE if terminal is None else terminal,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *words: str, cwd: Path | None = None) -> Ended:
        """Run a command to its end."""
        with self.started(*words, cwd=cwd) as process:
            out, err = process.communicate(timeout=SECONDS)
        return Ended(process.returncode, out, err)

    def calls(self) -> Counter[str]:
        """Count how often each script was started."""
        return Counter(self.ran.read_text().split()) if self.ran.exists() else Counter()

    def steps(self, execution: str = "latest") -> dict[str, JsonObject]:
        """Ask `status` for the steps of an execution, by name."""
        answer: Json = self._json("status", "--local", execution, "--format", "json")
        return {step["StepName"]: step for step in answer}

    def statuses(self, execution: str = "latest") -> dict[str, str]:
        """Ask `status` how the steps of an execution stand."""
        return {name: step["StepStatus"] for name, step in self.steps(execution).items()}

    def executions(self) -> list[JsonObject]:
        """Ask `status` for the executions, the latest first."""
        answer: list[JsonObject] = self._json("status", "--local", "--format", "json")
        return answer

    def models(self) -> list[JsonObject]:
        """Ask `models` for the registered versions, the latest first."""
        answer: list[JsonObject] = self._json("models", "--local", "--format", "json")
        return answer

    def cached(self) -> set[str]:
        """Return the steps of the latest execution that came from the cache."""
        with self.sagemaker() as sagemaker:
            scope = local_scope(sagemaker, ChosenSpec(self.folder / "pipeline.yaml"))
            latest = executions(scope.caller, scope.pipelines, 1)[0]["PipelineExecutionArn"]
            steps = sagemaker.list_pipeline_execution_steps(
                PipelineExecutionArn=latest, MaxResults=100
            )["PipelineExecutionSteps"]
        return {step["StepName"] for step in steps if "CacheHitResult" in step}

    def artifacts(self, execution: str) -> dict[str, bytes]:
        """Read the objects that an execution made, by path without its id and job names."""
        runs = self.home / "s3" / "pipelines-000000000000" / "tiny" / "runs" / execution
        files = (file for file in runs.rglob("*") if file.is_file())
        return {_without_job(file.relative_to(runs)): file.read_bytes() for file in files}

    def seen(self) -> list[Seen]:
        """Read every execution, the latest first, without a command's start."""
        with self.sagemaker() as sagemaker:
            scope = local_scope(sagemaker, ChosenSpec(self.folder / "pipeline.yaml"))
            return [
                Seen(
                    identifier(summary),
                    summary["PipelineExecutionStatus"],
                    {
                        step["StepName"]: step["StepStatus"]
                        for step in sagemaker.list_pipeline_execution_steps(
                            PipelineExecutionArn=summary["PipelineExecutionArn"], MaxResults=100
                        )["PipelineExecutionSteps"]
                    },
                )
                for summary in executions(scope.caller, scope.pipelines, 1000)
            ]

    def sagemaker(self) -> LocalSageMaker:
        """Open the project's local SageMaker in this process."""
        return open_sagemaker(self.folder / "pipeline.yaml")

    def leftovers(self) -> list[str]:
        """List the processes of jobs: they name the store in their arguments or environment."""
        return [text for text in _processes() if f"{self.home}/" in text]

    def wait_for_no_process(self) -> None:
        """Wait until the jobs of a killed command are gone; they hear of its death at once."""
        until(lambda: not self.leftovers())

    def _json(self, *words: str) -> Json:
        """Ask in this process: what is asked about is what the commands before have left."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"RAN": str(self.ran), **self.environment}.items():
                patch.setenv(name, value)
            answer = run_in(self.folder, *words)
        assert answer.code == 0, answer.out + answer.err
        return json.loads(answer.out)


def _without_job(path: Path) -> str:
    """Take the job's name out of a training job's output."""
    step, *rest = path.parts
    return "/".join([step, *(part for part in rest if not part.startswith("pipelines-"))])


def _processes() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            yield " ".join(
                (process / name).read_bytes().decode(errors="replace").replace("\0", " ")
                for name in ("cmdline", "environ")
            )
        except OSError:
            continue  # gone by now, or somebody else's
