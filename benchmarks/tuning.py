"""Sixteen half-second trials, two at once, against Optuna with subprocesses of the same script.

    python -m benchmarks.tuning [PAIRS]

Both are whole processes in the same environment, with the same sampler. Optuna's side starts the
script and reads its last line; ours runs training jobs with their own /opt/ml, logs and archives.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from benchmarks.pairs import ROOT, Command, Figure, main, pairs, peer, pipelines, ratio

TRIALS, PARALLEL = 16, 2
_MOST = 1.1

_SCRIPT = """\
import argparse
import time

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
x = parser.parse_args().x
time.sleep(0.5)
print(f"score={(x - 0.3) ** 2}")
"""
_SPEC = f"""\
spec: 1
pipeline: trials
aws:
  role: arn:aws:iam::111122223333:role/flight-delays
  bucket: flight-delays-ml
steps:
  tune:
    kind: tuning
    image: sklearn-1.9-cpu
    script: trial.py
    metric_definitions: {{score: 'score=([0-9.e-]+)'}}
    ranges:
      x: {{type: continuous, min: 0, max: 1, scaling: linear}}
    objective: {{metric: score, goal: minimize}}
    strategy: random
    random_seed: 1
    max_jobs: {TRIALS}
    max_parallel_jobs: {PARALLEL}
"""
_OPTUNA = f"""\
import subprocess
import sys

import optuna


def objective(trial):
    words = [sys.executable, "trial.py", "--x", repr(trial.suggest_float("x", 0, 1))]
    ended = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(ended.stdout.splitlines()[-1].partition("=")[2])


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(1))
study.optimize(objective, n_trials={TRIALS}, n_jobs={PARALLEL})
print(len(study.trials), study.best_value)
"""


def ours(folder: Path, python: Path) -> Command:
    """Write the project, and return the command that runs it."""
    (folder / "trial.py").write_text(_SCRIPT)
    (folder / "pipeline.yaml").write_text(_SPEC)
    return pipelines("run", folder=folder, python=python)


def theirs(folder: Path, python: Path) -> Command:
    """Write Optuna's side beside it."""
    (folder / "study.py").write_text(_OPTUNA)
    return Command("Optuna", (str(python), "study.py"), folder)


def environment() -> Path:
    """Return the Python of an environment with the tool's dependencies and Optuna."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return peer("tuning", [*project["dependencies"], *project["optional-dependencies"]["tuning"]])


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of both, in turn."""
    python = environment()
    measured = pairs(ours(scratch, python), theirs(scratch, python), count)
    mine, optuna, times = ratio([(a.wall, b.wall) for a, b in measured])
    what = f"{TRIALS} half-second trials, {PARALLEL} at once, wall s, to Optuna with subprocesses"
    return [Figure(what, f"within {_MOST:g}x", mine, optuna, times, times <= _MOST)]


if __name__ == "__main__":
    main("tuning", 5, figures)
