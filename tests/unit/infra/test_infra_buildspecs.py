"""The buildspecs of the golden projects: commands of a person's desk, in a shell that stops."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from pipelines.cli.main import cli
from tests import fast_yaml
from tests.golden.infra_projects import CASES, FOLDER

_TOOL = ["python", "-m", "pipelines"]


def _buildspecs() -> Iterator[tuple[str, dict[str, Any]]]:
    for case in CASES:
        for file in sorted((FOLDER / case / "expected").glob("*.yaml")):
            resources = fast_yaml.load(file.read_text("utf-8"))["Resources"]
            for name, resource in resources.items():
                if resource["Type"] == "AWS::CodeBuild::Project":
                    text = resource["Properties"]["Source"]["BuildSpec"]
                    yield f"{case}-{file.stem}-{name}", fast_yaml.load(text)


BUILDSPECS = dict(_buildspecs())


def _commands(name: str) -> list[str]:
    phases = BUILDSPECS[name]["phases"]
    return [command for phase in phases.values() for command in phase["commands"]]


@pytest.mark.parametrize("name", BUILDSPECS)
def test_every_command_of_ours_is_one_that_the_tool_takes(name: str) -> None:
    """Names, options and arguments are parsed as on a command line; nothing is run."""
    lines = [shlex.split(command) for command in _commands(name)]
    ours = [words[len(_TOOL) :] for words in lines if words[: len(_TOOL)] == _TOOL]
    assert [words for words in ours if not _is_taken(cli, words)] == []


def _is_taken(command: click.Command, words: list[str]) -> bool:
    try:
        context = command.make_context("pipelines", list(words), resilient_parsing=False)
    except click.ClickException:
        return False
    if not isinstance(command, click.Group):
        return True
    _, inner, rest = command.resolve_command(context, words)
    return inner is not None and _is_taken(inner, rest)


@pytest.mark.parametrize("name", BUILDSPECS)
def test_every_command_is_one_that_bash_can_read(name: str) -> None:
    """The commands of all phases, one after the other, as CodeBuild gives them to one shell."""
    done = subprocess.run(
        ["/bin/bash", "-n"], input="\n".join(_commands(name)), text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", BUILDSPECS)
def test_nothing_runs_after_a_failure(name: str) -> None:
    """CodeBuild goes on to `post_build` after a failed build: there is none, each phase aborts."""
    phases = BUILDSPECS[name]["phases"]
    assert list(phases) == ["install", "build"]
    assert all(phase["on-failure"] == "ABORT" for phase in phases.values())


@pytest.mark.parametrize(("exit_code", "green"), [(0, True), (1, False), (2, False), (5, True)])
def test_a_project_without_tests_is_not_red(tmp_path: Path, exit_code: int, *, green: bool) -> None:
    """Pytest exits with 5 where it found none; every other failure is one."""
    command = _commands("accounts-churn-TestsProject")[-1]
    (tmp_path / "python").write_text(f"#!/bin/sh\nexit {exit_code}\n")
    (tmp_path / "python").chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", command], env={"PATH": str(tmp_path)}, cwd=tmp_path, check=False
    )
    assert (done.returncode == 0) is green


def test_what_is_released_is_what_was_planned() -> None:
    """The release reads the plan of its own environment out of the artifact of the plan's stage."""
    planned = BUILDSPECS["accounts-churn-ProdPlanProject"]
    assert planned["artifacts"]["files"] == ["plan.json", "compiled/*.json"]
    release = _commands("accounts-churn-ProdReleaseProject")
    upsert, start = release[-2:]
    assert upsert == (
        "python -P -m pipelines upsert -f pipeline.yaml --env prod"
        ' --plan "$CODEBUILD_SRC_DIR_ProdPlan/plan.json" --yes'
    )
    assert start == "python -P -m pipelines start -f pipeline.yaml --env prod --wait"
