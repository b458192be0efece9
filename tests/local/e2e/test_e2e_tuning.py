"""A tuning step, run through the command line: killed, resumed, shown, reused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.local.e2e.tiny_project import Project
from tests.waiting import until

SPEC = """\
spec: 1
pipeline: tuned
aws:
  role: arn:aws:iam::111122223333:role/tiny
  bucket: tiny-bucket
defaults: {image: sklearn-1.9-cpu, cache: 30d}
steps:
  tune:
    kind: tuning
    script: steps/trial.py
    hyperparameters: {ran: RAN}
    metric_definitions:
      score: 'score=([0-9.]+)'
    ranges:
      rate: {type: continuous, min: 0.001, max: 1, scaling: logarithmic}
      depth: {type: integer, min: 1, max: 9}
      solver: [saga, lbfgs]
    objective: {metric: score, goal: maximize}
    max_jobs: 5
    random_seed: 11
  judge:
    kind: evaluation
    script: steps/judge.py
    model: ${steps.tune.best.model}
    arguments:
      second: ${steps.tune.top[1].model}
      rate: ${steps.tune.best.parameters.rate}
"""
TRIAL = """\
import argparse, os, time
from pathlib import Path
options = argparse.ArgumentParser()
for name in ("ran", "rate", "depth", "solver"):
    options.add_argument("--" + name)
given = options.parse_args()
ran = Path(given.ran)
with ran.open("a") as file:
    file.write(f"{given.rate} {given.depth} {given.solver}\\n")
while len(ran.read_text().splitlines()) == 3 and not Path(given.ran + ".go").exists():
    time.sleep(0.01)
print("score=" + str(float(given.rate) * int(given.depth)))
Path(os.environ["SM_MODEL_DIR"], "rate.txt").write_text(given.rate)
"""
JUDGE = """\
import json, os, sys
from pathlib import Path
rate = Path(os.environ["SM_MODEL_DIR"], "rate.txt").read_text()
report = {"rate": rate, "given": sys.argv[1:]}
Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(json.dumps(report))
"""


@dataclass(frozen=True)
class Tuned:
    """A project with a tuning step, and the file that its trials write a line to."""

    project: Project
    ran: Path

    def trials(self) -> list[str]:
        """Return the hyperparameters of every training job that has begun."""
        return self.ran.read_text().splitlines() if self.ran.exists() else []

    def shown(self) -> dict[str, object]:
        """Return what `outputs` says."""
        ended = self.project.run("outputs", "--local", "--format", "json")
        found: dict[str, object] = json.loads(ended.out)
        return found


def tuned(folder: Path) -> Tuned:
    """Write the project."""
    project = Project(folder, {"PIPELINES_ISOLATION": "rewrite"})
    (folder / "steps").mkdir(parents=True)
    ran = folder / "trials.log"
    (folder / "pipeline.yaml").write_text(SPEC.replace("RAN", str(ran)))
    (folder / "steps" / "trial.py").write_text(TRIAL)
    (folder / "steps" / "judge.py").write_text(JUDGE)
    return Tuned(project, ran)


def test_a_killed_search_goes_on_to_the_same_end(tmp_path: Path) -> None:
    """No trial that had ended runs again; what is chosen after is what would have been chosen."""
    whole = tuned(tmp_path / "whole")
    Path(f"{whole.ran}.go").touch()
    assert whole.project.run("run").code == 0
    killed = tuned(tmp_path / "killed")
    with killed.project.started("run") as process:
        until(lambda: len(killed.trials()) == 3)
        process.kill()
    killed.project.wait_for_no_process()
    Path(f"{killed.ran}.go").touch()
    resumed = killed.project.run("run", "--resume")
    assert resumed.code == 0, resumed.text
    first, second, third, *others = whole.trials()
    assert killed.trials() == [first, second, third, third, *others]
    assert len(others) == 2
    shown = killed.shown()
    assert shown["metrics"] == whole.shown()["metrics"]
    _is_shown_and_reused(killed, shown)


def _is_shown_and_reused(killed: Tuned, shown: dict[str, object]) -> None:
    trials = shown["trials"]
    assert isinstance(trials, dict)
    assert [one["status"] for one in trials["tune"]] == ["Completed"] * 5
    best = max(trials["tune"], key=lambda one: one["score"])
    (report,) = killed.project.folder.glob(".pipelines/s3/*/tuned/runs/*/judge/report/*.json")
    judged = json.loads(report.read_text())
    assert judged["rate"] == best["hyperparameters"]["rate"]
    assert judged["given"][1].endswith("/output/model.tar.gz")
    text = killed.project.run("outputs", "--local").out
    assert "trials of tune" in text
    page = killed.project.run("report", "--local", "-o", "page.html")
    assert page.code == 0, page.text
    assert "Trials of tune, the best first" in (killed.project.folder / "page.html").read_text()
    again = killed.project.run("run")
    assert again.code == 0
    assert "tune" in again.out
    assert len(killed.trials()) == 6  # the cache has it
