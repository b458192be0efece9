"""`ci init --provider github|gitlab`: the files that the hosts read, and the users' own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.functional.cli.churn import git, repository
from tests.functional.cli.in_process import Answer, run_in


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository with a spec and its script."""
    return repository(tmp_path)


def _init(project: Path, *words: str) -> Answer:
    return run_in(project, "ci", "init", *words)


def test_the_workflow_of_github_lies_at_the_root_of_the_repository(project: Path) -> None:
    """Whatever folder the templates go to; a second run changes nothing."""
    words = ("--provider", "github", "--repository", "team/churn")
    answer = _init(project, *words)
    assert answer.code == 0, answer.err
    assert "wrote .github/workflows/pipelines-churn.yml" in answer.out
    assert "AWS::CodePipeline" not in (project / "infra" / "churn.yaml").read_text()
    assert _init(project, *words, "--check").code == 0


def test_a_gitlab_file_of_the_users_own_stays_as_it_is(project: Path) -> None:
    """The line that it needs is printed."""
    own = project / ".gitlab-ci.yml"
    own.write_text("build: {script: [make]}\n")
    words = ("--provider", "gitlab", "--repository", "team/churn")
    answer = _init(project, *words, "--force")
    assert answer.code == 0, answer.err
    assert "include:\n  - local: /.gitlab/pipelines-churn.yml\n" in answer.out
    assert own.read_text() == "build: {script: [make]}\n"
    own.unlink()
    assert "wrote .gitlab-ci.yml" in _init(project, *words).out
    assert _init(project, *words, "--check").code == 0


def test_a_workflow_of_the_users_own_is_not_replaced(project: Path) -> None:
    """Nothing is written at all before that is said."""
    own = project / ".github" / "workflows" / "pipelines-churn.yml"
    own.parent.mkdir(parents=True)
    own.write_text("on: push\n")
    answer = _init(project, "--provider", "github", "--repository", "team/churn")
    assert answer.code == 2
    assert "edited by hand: nothing was written" in answer.err
    assert own.read_text() == "on: push\n"


def test_roles_that_could_not_name_their_repository_are_not_written(project: Path) -> None:
    """Without a remote the repository has to be said; and a connection is CodePipeline's."""
    subprocess.run(["git", "remote", "remove", "origin"], cwd=project, check=False)  # noqa: S607 - git by its name
    for words, said in (
        (("--provider", "github"), "the repository is not known"),
        (("--provider", "gitlab", "--source", "s3"), "--provider codepipeline alone"),
    ):
        answer = _init(project, *words)
        assert answer.code == 2
        assert said in answer.err
        assert not (project / "infra").exists()


def test_files_of_another_provider_are_named_for_their_jobs_still_run(project: Path) -> None:
    """And one of another spec, or of somebody's own, is not."""
    assert _init(project, "--provider", "gitlab").code == 0
    other = project / ".gitlab" / "pipelines-other.yml"
    other.write_text("a: {script: [b]}\n")
    answer = _init(project)
    assert answer.code == 0
    for name in (".gitlab/pipelines-churn.yml", ".gitlab-ci.yml"):
        assert f"{name} is no longer generated, and its jobs still run" in answer.out
    assert "pipelines-other" not in answer.out


def test_a_token_in_the_address_of_the_remote_goes_nowhere(project: Path) -> None:
    """It is told once that it is there; no template, workflow or message has it."""
    secret = "glpat-0123456789abcdefghij"
    git(project, "remote", "set-url", "origin", f"https://me:{secret}@gitlab.com/acme/churn.git")
    for words in (
        ("ci", "init", "--provider", "gitlab"),
        ("ci", "init", "--provider", "github"),
        ("ci", "workstation"),
        ("ci", "init", "--repository", f"https://me:{secret}@gitlab.com/acme/churn.git"),
        ("ci", "workstation", "--repository", f"https://{secret}@gitlab.com/acme/churn.git"),
    ):
        answer = run_in(project, *words)
        assert secret not in answer.out + answer.err
        warned = answer.err.count("holds a password or a token")
        assert warned == (
            0 if "github" in words or words[:3] == ("ci", "init", "--repository") else 1
        )
    written = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert any("acme/churn" in path.read_text() for path in written)
    assert not any(secret in path.read_text() for path in written)
