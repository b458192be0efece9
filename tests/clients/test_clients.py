"""Stock clients in environments of their own, against `python -m pipelines serve`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPORTED = re.compile(r"(AWS_\w+)=(\S+)")
SPEC = """\
version: 1
pipeline: {name: clients}
role: arn:aws:iam::000000000000:role/x
steps:
  stop: {kind: fail, message: "no"}
"""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Run `serve` in an empty project; return the environment of its clients."""
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    tool = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "pipelines", "serve", "--port", "0"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=tool, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        assert served.stdout is not None
        exported = next(line for line in served.stdout if "export " in line)
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        yield {**own, **dict(EXPORTED.findall(exported))}
        served.terminate()


def python_of(environment: str) -> Path:
    """Return the Python of an environment of clients."""
    python = ROOT / environment / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no {environment}: `make clients`")
    return python


def run(python: Path, program: str, environment: dict[str, str], *parts: str) -> str:
    """Run a program of this folder to its end; return what it printed."""
    words = [str(python), str(Path(__file__).with_name(program)), *parts]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    return ended.stdout


def test_boto3_waits_and_pages(serving: dict[str, str]) -> None:
    """With the boto3 of this environment."""
    shown = run(Path(sys.executable), "boto3_cli.py", serving, "waiters", "paginators")
    assert shown.splitlines() == ["ok  waiters", "ok  paginators"]


@pytest.mark.slow
def test_the_aws_command_line_is_served(serving: dict[str, str]) -> None:
    """It creates, awaits, lists and describes a job; a refusal is its exit code."""
    shown = run(python_of(".venv-sdk-v2"), "boto3_cli.py", serving, "command_line")
    assert shown.splitlines() == ["ok  command_line"]


@pytest.mark.slow
def test_sdk_v3_is_served(serving: dict[str, str]) -> None:
    """Trainer, processor, pipeline, and functions with results."""
    shown = run(python_of(".venv-sdk-v3"), "sdk_v3.py", serving)
    parts = ["train", "process", "pipeline", "functions"]
    assert re.findall(r"ok  (\w+)$", shown, re.MULTILINE) == parts


@pytest.mark.slow
def test_sdk_v2_is_served(serving: dict[str, str]) -> None:
    """Estimator, pipeline, registry, endpoint and predictor."""
    shown = run(python_of(".venv-sdk-v2"), "sdk_v2.py", serving)
    assert re.findall(r"ok  (\w+)$", shown, re.MULTILINE) == ["fit", "register_and_deploy"]
