"""GitHub's and GitLab's runners on this machine: a generated file → its jobs, step by step.

Every `run:` and `script:` is executed by bash as the host does it, in a clone of the commit. What
is stood in for, by name: GitHub's actions (`GitHubRun.actions`), `aws`, `gh` and `curl`, and the
image of a job: all jobs of a run share one environment of Python. A role is not taken on; which one
a job asks for, and whether it may, is kept for the test.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipelines.json_types import JsonObject
from tests import fast_yaml
from tests.functional.ci.builds import Machine, bash

_RECORDER: Final = """\
#!/bin/bash
printf '%s\\n' "$*" >> "$HOME/said"
for word in "$@"; do
  case "$word" in body=@*|body@*) cat "${word#*@}" >> "$HOME/comment";; esac
done
cat "$HOME/answer" 2> /dev/null || true
"""
_TERM: Final = re.compile(r"github\.([\w.]+)")


def stand_in(folder: Path) -> None:
    """Write a `gh` and a `curl` that note what they are told, and print `answer`."""
    for name in ("gh", "curl"):
        path = folder / name
        path.write_text(_RECORDER)
        path.chmod(0o755)


@dataclass(frozen=True, slots=True)
class JobRan:
    """A job that ran: its exit code, what it printed, the role that it asked for."""

    code: int
    log: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in the repository.

    Args:
        name: `push` or `pull_request`.
        branch: that was pushed, or that the pull request comes from.
        fork: whether it comes from another repository.
    """

    name: str
    branch: str
    fork: bool = False

    def context(self) -> dict[str, str]:
        """Return what GitHub's expressions read, under `github.`."""
        head = "somebody/tiny" if self.fork else "team/tiny"
        ref = f"refs/heads/{self.branch}" if self.name == "push" else "refs/pull/1/merge"
        return {
            "event_name": self.name,
            "event.pull_request.head.repo.full_name": head,
            "event.pull_request.number": "1",
            "repository": "team/tiny",
            "ref": ref,
            "token": "of-this-job",
        }


@dataclass(frozen=True, slots=True)
class Runner:
    """A runner with one environment for all jobs of a run.

    Args:
        folder: of this run.
        clone: where the commit is cloned from.
        variables: with which AWS is reached.
    """

    folder: Path
    clone: Path
    variables: Mapping[str, str]
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Make the environment of Python, and the commands that are stood in for."""
        self.environment.update(Machine(self.folder, self.variables).environment())
        stand_in(self.folder / "python" / "bin")

    def said(self, name: str) -> str:
        """Return what `gh` or `curl` was told (`said`), or the `comment` that it sent."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def check_out(self, job: str) -> Path:
        """Clone the commit for a job."""
        target = self.folder / "work" / job.replace(":", "-")
        command = ["git", "clone", "--quiet", str(self.clone), str(target)]
        subprocess.run(command, check=True)
        return target


@dataclass(frozen=True, slots=True)
class GitHubRun:
    """A run of a workflow.

    Args:
        runner: where.
        event: why.
    """

    runner: Runner
    event: Event

    def run(self, text: str) -> dict[str, JobRan]:
        """Run the jobs whose needs and condition are met, in their order."""
        workflow = fast_yaml.load(text)
        assert workflow["defaults"] == {"run": {"shell": "bash"}}
        ran: dict[str, JobRan] = {}
        for name, job in workflow["jobs"].items():
            needed = all(one in ran and ran[one].code == 0 for one in job.get("needs", ()))
            if needed and self.holds(job.get("if", "true")):
                ran[name] = self._job(name, job)
        return ran

    def holds(self, expression: str) -> bool:
        """Evaluate a condition: comparisons of the context, `&&`, `||`, parentheses."""
        context = self.event.context()
        text = _TERM.sub(lambda found: repr(context[found[1]]), expression)
        text = text.replace("&&", " and ").replace("||", " or ").replace("true", "True")
        return bool(eval(text, {"__builtins__": {}}))  # noqa: S307 - of our own templates

    def _job(self, name: str, job: JsonObject) -> JobRan:
        place = self.runner.folder / "work" / name
        temp = self.runner.folder / "temp" / name
        temp.mkdir(parents=True)
        place.parent.mkdir(exist_ok=True)
        log, role = "", None
        for step in job["steps"]:
            place.mkdir(exist_ok=True) if "run" in step else None
            if "uses" in step:
                asked = self._use(step, name, temp)
                role = asked or role
                assert not asked or job["permissions"]["id-token"] == "write"
                continue
            given = {key: self._filled(value, temp) for key, value in step.get("env", {}).items()}
            environment = {
                **self.runner.environment,
                **given,
                "GITHUB_REPOSITORY": "team/tiny",
                "RUNNER_TEMP": str(temp),
            }
            code, said = bash(f"set -eo pipefail\n{step['run']}", place, environment)
            log += said
            if code:
                return JobRan(code, log, role)
        return JobRan(0, log, role)

    def _use(self, step: JsonObject, job: str, temp: Path) -> str | None:
        action = step["uses"].partition("@")[0]
        given = {key: self._filled(value, temp) for key, value in step["with"].items()}
        return _ACTIONS[action](self.runner, job, given)

    def _filled(self, value: object, temp: Path) -> str:
        text = str(value).replace("${{ runner.temp }}", str(temp))
        context = self.event.context()
        return re.sub(r"\$\{\{ github\.([\w.]+) \}\}", lambda found: context[found[1]], text)


def _check_out(runner: Runner, job: str, given: Mapping[str, str]) -> None:
    assert given["persist-credentials"] == "False"
    runner.check_out(job)


def _set_up(_runner: Runner, _job: str, given: Mapping[str, str]) -> None:
    assert given["python-version"] == "3.12"


def _act(_runner: Runner, _job: str, given: Mapping[str, str]) -> str:
    assert given["aws-region"] == "us-east-1"
    return given["role-to-assume"].rpartition("/")[2]


def _upload(runner: Runner, job: str, given: Mapping[str, str]) -> None:
    target = runner.folder / "artifacts" / given["name"]
    target.mkdir(parents=True)
    for pattern in given["path"].split("\n"):
        _copy_matching(runner.folder / "work" / job, pattern, target)


def _copy_matching(place: Path, pattern: str, target: Path) -> None:
    absolute = Path(pattern).is_absolute()
    found = [Path(pattern)] if absolute else list(place.glob(pattern))
    assert found, pattern
    for file in found:
        copy = target / (file.name if absolute else file.relative_to(place))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)


def _download(runner: Runner, job: str, given: Mapping[str, str]) -> None:
    target = runner.folder / "work" / job / given["path"]
    shutil.copytree(runner.folder / "artifacts" / given["name"], target, dirs_exist_ok=True)


_ACTIONS: Final[dict[str, Callable[[Runner, str, Mapping[str, str]], str | None]]] = {
    "actions/checkout": _check_out,
    "actions/setup-python": _set_up,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
    "aws-actions/configure-aws-credentials": _act,
}
"""What each action does here; a role's name is returned by the one that takes it on."""


@dataclass(frozen=True, slots=True)
class GitLabRun:
    """A pipeline of GitLab.

    Args:
        runner: where.
        event: why; a merge request is `merge_request_event`.
        variables: of the project's settings.
    """

    runner: Runner
    event: Event
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, text: str) -> dict[str, JobRan]:
        """Run the jobs of the included file whose rules are met, until one fails."""
        jobs = fast_yaml.load(text)
        ran: dict[str, JobRan] = {}
        for name, job in jobs.items():
            needed = all(one in ran and ran[one].code == 0 for one in job.get("needs", ()))
            if needed and any(self._holds(rule["if"]) for rule in job["rules"]):
                ran[name] = self._job(name, job, jobs)
        return ran

    def _predefined(self) -> dict[str, str]:
        pushed = self.event.name in {"push", "schedule"}
        found = {"CI_COMMIT_BRANCH": self.event.branch} if pushed else {}
        return {
            **self.variables,
            **found,
            "CI_PIPELINE_SOURCE": self.event.name,
            "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "1",
            "CI_JOB_ID": "1",
        }

    def _holds(self, condition: str) -> bool:
        return all(self._term(term) for term in condition.split(" && "))

    def _term(self, term: str) -> bool:
        name, sign, value = (*term.split(" "), "", "")[:3]
        known = self._predefined().get(name.removeprefix("$"), "")
        if sign == "!=":
            return known != value.strip('"')
        return known == value.strip('"') if sign else bool(known)

    def _job(self, name: str, job: JsonObject, jobs: JsonObject) -> JobRan:
        place = self.runner.check_out(name)
        for needed in job.get("needs", ()):
            for pattern in jobs[needed].get("artifacts", {}).get("paths", ()):
                made = self.runner.folder / "work" / needed.replace(":", "-")
                _copy_matching(made, pattern, place)
        tokens = dict.fromkeys(job.get("id_tokens", {}), "of-this-job")
        given: dict[str, Any] = {**self._predefined(), **job.get("variables", {}), **tokens}
        role = given.pop("AWS_ROLE_ARN", None)
        given.pop("AWS_REGION", None)
        script = "\n".join(["set -eo pipefail", *_unset(), *job["script"]])
        code, log = bash(script, place, {**self.runner.environment, **given})
        return JobRan(code, log, role and str(role).rpartition("/")[2])


def _unset() -> Iterator[str]:
    """Yield what keeps botocore from showing the token: nobody takes it here."""
    yield "unset AWS_ROLE_ARN"
