"""`ci permissions`: which role needs what, for which step, and the policies as JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.cli.main import cli
from pipelines.errors import SpecError

CASE = Path(__file__).parents[2] / "golden/cases/roles"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project with three roles."""
    folder = tmp_path / "project"
    shutil.copytree(CASE, folder)
    monkeypatch.chdir(folder)
    return folder


def _permissions(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    cli.main(["ci", "permissions", *arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_each_role_is_shown_with_the_steps_that_need_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line for each action; ARNs without what all of them share."""
    shown = _permissions(capsys)
    tables = shown.split("\n\n")
    roles = ("pipeline (pipeline)", "jobs (job)", "deploy (deploy)")
    expected = [f"arn:aws:iam::111122223333:role/{name}" for name in roles]
    people = (
        "operator, for people: plan, start, status, stop, logs",
        "approver, for people: models, approve, reject",
        "deployer, for people: deploy",
        "promotion-source, for people: promote",
        "promotion-target, for people: promote --to",
    )
    assert [table.splitlines()[0] for table in tables] == [*expected, *people]
    assert "sagemaker:UpdateModelPackage" in tables[4]
    lines = {tuple(line.split()[:2]): line for line in tables[0].splitlines()}
    passing = lines["iam:PassRole", "role/deploy"]
    assert "iam:PassedToService sagemaker.amazonaws.com" in passing
    assert passing.endswith("train, register-package, deploy, report")
    assert "  s3:PutObject " in tables[1]
    assert "not given" not in shown


def test_json_holds_documents_that_terraform_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """A policy and a trust policy for each role, and the steps by statement."""
    content = json.loads(_permissions(capsys, "--format", "json"))
    assert [role["purpose"] for role in content["roles"]] == ["pipeline", "job", "deploy"]
    assert content["unknown"] == []
    approver = next(one for one in content["people"] if one["purpose"] == "approver")
    assert approver["commands"] == ["models", "approve", "reject"]
    assert approver["policy"]["Version"] == "2012-10-17"
    for role in content["roles"]:
        assert role["policy"]["Version"] == role["trust"]["Version"] == "2012-10-17"
        assert set(role["steps"]) == {one["Sid"] for one in role["policy"]["Statement"]}


def test_a_missing_role_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it the separation is missing, and nothing else would show that."""
    file = project / "pipeline.yaml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "_role:" not in line))
    shown = _permissions(capsys)
    assert "`aws.job_role` is not given: users' code runs with the pipeline's role" in shown
    assert "the role that deploys is `aws.role`" in shown


def test_a_wrong_spec_is_told_and_nothing_printed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `compile`."""
    (project / "pipeline.yaml").write_text("spec: 1\npipeline: x\n")
    with pytest.raises(SpecError):
        _permissions(capsys)
    assert capsys.readouterr().out == ""
