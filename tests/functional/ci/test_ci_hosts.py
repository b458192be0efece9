"""The files for GitHub and GitLab, executed job by job and step by step; see `hosts.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from tests.functional.ci.cloud import SPEC, Cloud, cloud
from tests.functional.ci.hosts import Event, GitHubRun, GitLabRun, JobRan, Runner

WORKFLOW = ".github/workflows/pipelines-tiny.yml"
JOBS = ".gitlab/pipelines-tiny.yml"


@pytest.fixture
def account(tmp_path: Path, wheel: Path) -> Iterator[Cloud]:
    """Give an account and a clone of a project."""
    with cloud(tmp_path, wheel) as made:
        yield made


def _runner(made: Cloud, name: str) -> Runner:
    runner = Runner(made.folder / name, made.clone, made.variables)
    runner.start()
    return runner


def _version(made: Cloud) -> JsonObject:
    (listed,) = made.sagemaker.list_model_packages(ModelPackageGroupName="tiny")[
        "ModelPackageSummaryList"
    ]
    found: JsonObject = made.sagemaker.describe_model_package(
        ModelPackageName=listed["ModelPackageArn"]
    )
    return found


def _released(made: Cloud, ran: dict[str, JobRan], name: Callable[[str], str]) -> JsonObject:
    """Return the version that the jobs of a push have registered, after each has ended well."""
    said = "\n".join(f"{job}: {one.code}\n{one.log}" for job, one in ran.items())
    roles = {
        "tool": "tiny-ci-tool",
        "validate": None,
        "tests": None,
        "plan-default": "tiny-ci-plan",
        "release-default": "tiny-ci-release",
    }
    assert {job: one.role for job, one in ran.items()} == {
        name(job): role for job, role in roles.items()
    }, said
    assert all(one.code == 0 for one in ran.values()), said
    assert "1 passed" in ran[name("tests")].log
    assert "3 to create" in ran[name("plan-default")].log
    assert "tiny is deployed" in ran[name("release-default")].log
    return _version(made)


def _commit(made: Cloud) -> str:
    return made.git("rev-parse", "HEAD").strip()


@pytest.mark.slow
def test_the_workflow_of_github_comments_on_a_pull_request_and_releases_a_commit(
    account: Cloud,
) -> None:
    """Each job asks for its own role; users' code runs in one that asks for none.

    The comment is made with a role that reads, and nothing is changed. A mistake is an annotation;
    forks get nothing.
    """
    account.good("ci", "init", "--provider", "github", "--repository", "team/tiny")
    account.push("first")
    text = (account.clone / WORKFLOW).read_text()
    _is_commented(account, text)
    fork = GitHubRun(_runner(account, "fork"), Event("pull_request", "attempt", fork=True))
    assert fork.run(text) == {}

    ran = GitHubRun(_runner(account, "push"), Event("push", "main")).run(text)
    package = _released(account, ran, lambda job: job)
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["MetadataProperties"]["CommitId"] == _commit(account), "the checkout is clean"

    account.write({"pipeline.yaml": SPEC.replace("script:", "skript:")})
    account.push("a slip", "slip")
    ran = GitHubRun(_runner(account, "slip"), Event("pull_request", "slip")).run(text)
    assert {job: one.code for job, one in ran.items()} == {"tool": 0, "validate": 3, "tests": 0}
    assert "::error file=pipeline.yaml,line=17," in ran["validate"].log


def _is_commented(account: Cloud, text: str) -> None:
    runner = _runner(account, "request")
    ran = GitHubRun(runner, Event("pull_request", "attempt")).run(text)
    said = "\n".join(one.log for one in ran.values())
    assert {job: one.role for job, one in ran.items()} == {
        "tool": "tiny-ci-tool",
        "validate": None,
        "tests": None,
        "review": "tiny-ci-review",
        "comment": None,
    }, said
    assert all(one.code == 0 for one in ran.values()), said
    assert runner.said("comment").startswith("### Plan for `tiny`\n")
    assert "repos/team/tiny/issues/1/comments" in runner.said("said")
    assert account.sagemaker.list_pipelines()["PipelineSummaries"] == []


@pytest.mark.slow
def test_the_jobs_of_gitlab_release_a_commit_and_comment_on_a_merge_request(account: Cloud) -> None:
    """As those of GitHub; the comment needs a token of the project's settings."""
    account.good("ci", "init", "--provider", "gitlab", "--repository", "team/tiny")
    account.push("first")
    text = (account.clone / JOBS).read_text()
    assert (
        "include:\n  - local: /.gitlab/pipelines-tiny.yml\n"
        in (account.clone / ".gitlab-ci.yml").read_text()
    )
    request = Event("merge_request_event", "attempt")
    runner = _runner(account, "request")
    (runner.folder / "answer").write_text("[]")
    ran = GitLabRun(runner, request, {"PIPELINES_COMMENT_TOKEN": "token"}).run(text)
    said = "\n".join(one.log for one in ran.values())
    assert {job.removeprefix("tiny:"): one.code for job, one in ran.items()} == dict.fromkeys(
        ("tool", "validate", "tests", "review", "comment"), 0
    ), said
    assert runner.said("comment").startswith("### Plan for `tiny`\n")
    assert "merge_requests/1/notes" in runner.said("said")
    assert account.sagemaker.list_pipelines()["PipelineSummaries"] == []

    ran = GitLabRun(_runner(account, "push"), Event("push", "main")).run(text)
    package = _released(account, ran, lambda job: f"tiny:{job}")
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["MetadataProperties"]["CommitId"] == _commit(account), "the checkout is clean"
