"""`ci workstation`: a spec → the template of a machine, and what keeps it from being written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import fast_yaml
from tests.functional.cli.churn import SPEC, repository
from tests.functional.cli.in_process import Answer, run_in

FILE = Path("infra") / "churn-workstation.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a spec and its script."""
    return repository(tmp_path)


def _workstation(project: Path, *words: str) -> Answer:
    return run_in(project, "ci", "workstation", *words)


def _parameter(project: Path, name: str) -> Any:
    return fast_yaml.load((project / FILE).read_text())["Parameters"][name]["Default"]


def test_the_template_fits_the_project_and_the_next_commands_are_named(project: Path) -> None:
    """The AMI has the framework of the images; the repository is that of the remote."""
    answer = _workstation(project)
    assert answer.code == 0, answer.err
    assert answer.out.startswith(f"wrote {FILE}\n")
    assert "aws cloudformation deploy --region eu-central-1" in answer.out
    assert "--stack-name pipelines-churn-workstation-$USER" in answer.out
    assert _parameter(project, "Repository") == "https://gitlab.com/acme/churn.git"
    assert "gpu-pytorch-2.12-ubuntu" in _parameter(project, "Ami")
    assert _workstation(project).out.startswith(f"unchanged {FILE}\n")


def test_ci_init_and_ci_plan_leave_the_machine_alone(project: Path) -> None:
    """It is no stack of theirs, nor one that is left over."""
    _workstation(project, "--instance-type", "m7g.large")
    answer = run_in(project, "ci", "init")
    assert answer.code == 0, answer.err
    assert "no longer generated" not in answer.out
    again = run_in(project, "ci", "init", "--check")
    assert again.code == 0, again.out
    assert "arm64" in _parameter(project, "Ami")
    head = (project / FILE).read_text().splitlines()[2]
    assert head.endswith("python -m pipelines ci workstation --instance-type m7g.large")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--instance-type", "ml.g6.xlarge"), "write `g6.xlarge`: the machine is one of EC2"),
        (("--instance-type", "large"), "`large` is no instance type"),
        (("--instance-type", ""), "`` is no instance type"),
        (("--instance-type", "trn1.2xlarge"), "name the SSM parameter of a Neuron AMI with --ami"),
        (("--ami", "ami-0123"), "`ami-0123` is no name of an SSM parameter"),
        (("--repository", "https://a/b c.git"), "`https://a/b c.git` is nothing that git clones"),
        (("--repository", "--upload-pack"), "`--upload-pack` is nothing that git clones"),
        (("--branch", "-x"), "`-x` is no name of a branch"),
        (("--branch", "a';reboot"), "`a';reboot` is no name of a branch"),
    ],
)
def test_what_no_machine_can_be_made_of_writes_nothing(
    project: Path, words: tuple[str, ...], said: str
) -> None:
    """A usage error that says what to write."""
    answer = _workstation(project, *words)
    assert answer.code == 2
    assert said in answer.err
    assert not (project / "infra").exists()


def test_a_spec_without_an_account_gets_no_machine(project: Path) -> None:
    """The machine is in the account of the spec."""
    spec = project / "pipeline.yaml"
    head, _, rest = SPEC.partition("aws:")
    spec.write_text(head + "steps:" + rest.partition("steps:")[2])
    answer = _workstation(project)
    assert answer.code != 0
    assert "aws" in answer.err
    assert not (project / "infra").exists()


def test_an_edited_template_is_replaced_by_force_alone(project: Path) -> None:
    """As those of `ci init`."""
    _workstation(project)
    file = project / FILE
    file.write_text(file.read_text() + "# mine\n")
    answer = _workstation(project)
    assert answer.code == 2
    assert "was edited by hand" in answer.err
    assert file.read_text().endswith("# mine\n")
    assert _workstation(project, "--force").out.startswith(f"replaced {FILE}\n")


def test_the_permissions_of_who_makes_and_who_uses_the_machine(project: Path) -> None:
    """Who uses it enters and starts this machine alone; nothing passes a role but to EC2."""
    answer = run_in(project, "ci", "permissions", "--workstation", "--format", "json")
    assert answer.code == 0, answer.err
    maker, user = json.loads(answer.out)["people"]
    assert (maker["purpose"], user["purpose"]) == ("workstation-maker", "workstation-user")
    by_sid = {
        one["Sid"]: one for one in (*maker["policy"]["Statement"], *user["policy"]["Statement"])
    }
    assert by_sid["PassRole"]["Condition"]["StringEquals"] == {
        "iam:PassedToService": ["ec2.amazonaws.com"]
    }
    tag = "aws:ResourceTag/aws:cloudformation:stack-name"
    for sid in ("Enter", "Run"):
        assert by_sid[sid]["Condition"]["StringLike"][tag] == ["pipelines-churn-workstation-*"]
    text = run_in(project, "ci", "permissions", "--workstation").out
    assert text.startswith("workstation-maker, for people: ci workstation\n")
