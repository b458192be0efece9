"""`plan --format markdown`: what a pull request shows, read from a golden."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import add_deployment, edit

GOLDEN = Path(__file__).parents[2] / "golden" / "plans"


def check(name: str, text: str, *, update: bool) -> None:
    """Compare with a golden, or write it."""
    golden = GOLDEN / name
    if update:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.exists(), "no golden: run pytest --update-golden and read what it wrote"
    assert golden.read_text("utf-8") == text


def change(project: Path) -> None:
    """Change code, data, a key, a parameter and a tag."""
    edit(project / "steps/train.py", "training", "training more")
    edit(project / "data/a.csv", "1,0", "1,1")
    (project / "data/c.csv").write_text("id,left\n")
    spec = project / "pipeline.yaml"
    edit(spec, "pytorch-2.13-cpu\n", "pytorch-2.13-cpu\n    instance_type: ml.m5.2xlarge\n")
    edit(spec, "{team: ml}", "{team: ml, cost: research}")


@pytest.mark.usefixtures("account")
def test_a_pull_request_reads_what_changes_and_what_runs_again(
    project: Path, pipelines: Command, *, update_golden: bool
) -> None:
    """Files and steps at once; the differences of the definition are collapsed."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    change(project)
    answer = pipelines("plan", "--format", "markdown")
    assert answer.code == 0, answer.err
    check("update.md", answer.out, update=update_golden)


@pytest.mark.usefixtures("project")
def test_a_new_pipeline_is_said_to_be_new(
    account: Account, pipelines: Command, *, update_golden: bool
) -> None:
    """Of an environment, with its name."""
    account.make_bucket("prod-bucket")
    answer = pipelines("plan", "--format", "markdown", "--env", "prod", "--check")
    assert answer.code == 6
    check("create.md", answer.out, update=update_golden)


@pytest.mark.usefixtures("account", "project")
def test_nothing_to_do_is_one_sentence(pipelines: Command, *, update_golden: bool) -> None:
    """And nothing to unfold."""
    assert pipelines("upsert", "--yes").code == 0
    answer = pipelines("plan", "--format", "markdown", "--check")
    assert answer.code == 0
    check("unchanged.md", answer.out, update=update_golden)
