"""A delivery → the workflow that GitHub runs: the stages of `infra/stages.py`, a job for each.

Code of a pull request runs in jobs that can reach nothing: `tests` has no role and may read the
repository alone. A fork's pull request gets no token, so it gets no role, and all jobs are left
out. Nothing here is `pull_request_target`. Actions are pinned to commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.infra import stages
from pipelines.infra.federation import LONGEST, role_name
from pipelines.infra.filters import escape
from pipelines.infra.model import Delivery, Environment, Options
from pipelines.infra.stages import Stage
from pipelines.json_types import JsonObject

PYTHON: Final = "3.12"
_TEMP: Final = "${{ runner.temp }}"
_SHELL_TEMP: Final = '"$RUNNER_TEMP"'
_CHECKOUT: Final = ("v5.0.0", "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8")
_PYTHON: Final = ("v5.6.0", "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065")
_UPLOAD: Final = ("v4.6.2", "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02")
_DOWNLOAD: Final = ("v4.3.0", "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093")
_ROLE: Final = (
    "v5.0.0",
    "aws-actions/configure-aws-credentials@a03048d87541d1d9fcf2ecf528a4a65ba9bd7838",
)
"""The actions: version, and its commit."""

_PUSHED: Final = "github.event_name != 'pull_request'"
_REVIEWED: Final = "github.event_name == 'pull_request'"
_OURS: Final = f"{_PUSHED} || github.event.pull_request.head.repo.full_name == github.repository"
_RELEASE_MINUTES: Final = LONGEST // 60 - 10
_COMMENT: Final = """\
id="$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --jq '.[]
  | select(.user.login == "github-actions[bot]")
  | select(.body | startswith("### Plan for `{pipeline}`")) | .id' | head -n 1)"
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@plan.md --silent
else
  gh api "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" -F body=@plan.md --silent
fi
"""


def file_name(delivery: Delivery) -> str:
    """Return where GitHub looks for it, relative to the repository's root."""
    return f".github/workflows/pipelines-{delivery.pipeline}.yml"


def workflow(delivery: Delivery, options: Options) -> JsonObject:
    """Return the workflow of a spec."""
    (own,) = paths((file_name(delivery),))
    branches = paths((escape(options.branch),))
    return {
        "name": delivery.pipeline,
        "on": {
            "push": {"branches": branches, "paths": [*paths(delivery.push), own]},
            "pull_request": {
                "branches": branches,
                "paths": [*paths(delivery.review), own],
            },
            "workflow_dispatch": {},
        },
        "permissions": {"contents": "read"},
        "# Releases wait for each other; a newer one takes the place of one that waits.": None,
        "concurrency": {
            "group": f"pipelines-{delivery.pipeline}-${{{{ {_REVIEWED} && github.ref"
            " || 'release' }}",
            "cancel-in-progress": f"${{{{ {_REVIEWED} }}}}",
        },
        "defaults": {"run": {"shell": "bash"}},
        "jobs": {**_checks(delivery, options), **_deliveries(delivery, options)},
    }


def _checks(delivery: Delivery, options: Options) -> JsonObject:
    """Return the jobs of pushes and pull requests, and those that comment on the latter."""
    first = delivery.first
    fetch = stages.fetch(delivery, options, _SHELL_TEMP)
    wheel = f"{_TEMP}/{options.wheel}"
    annotated = stages.validate(delivery, "github")
    return {
        "tool": {
            "if": f"({_OURS}) && (github.event_name == 'push' || {_REVIEWED} || github.ref =="
            f" 'refs/heads/{options.branch}')",
            **_job(10, id_token=True),
            "steps": [
                _acting(first, "tool"),
                *_run("Fetch the tool", fetch),
                _keep("tool", wheel),
            ],
        },
        "validate": {"needs": ["tool"], **_stage(annotated, delivery, options)},
        "tests": {
            "# Code of a pull request runs here: no role, no secret.": None,
            "needs": ["tool"],
            **_stage(stages.tests(delivery), delivery, options),
        },
        "review": {
            "if": _REVIEWED,
            "needs": ["validate"],
            **_job(30, id_token=True),
            "steps": [
                *_installed(delivery, options),
                _acting(first, "review"),
                *_run("Plan", stages.review(delivery, first, f"{_SHELL_TEMP}/plan.md")),
                _keep("comment", f"{_TEMP}/plan.md"),
            ],
        },
        "comment": _comment(delivery),
    }


def _comment(delivery: Delivery) -> JsonObject:
    """Return the job that writes the plan below the pull request; it runs no code of the commit."""
    return {
        "needs": ["review"],
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 10,
        "permissions": {"pull-requests": "write"},
        "steps": [
            _take("comment", "."),
            {
                "name": "Comment",
                "env": {
                    "GH_TOKEN": "${{ github.token }}",
                    "NUMBER": "${{ github.event.pull_request.number }}",
                },
                "run": _COMMENT.replace("{pipeline}", delivery.pipeline),
            },
        ],
    }


def _deliveries(delivery: Delivery, options: Options) -> JsonObject:
    """Return, for each environment, a plan and the release of exactly that plan."""
    jobs: JsonObject = {}
    before = ["validate", "tests"]
    for environment in delivery.environments:
        plan, release = f"plan-{environment.label}", f"release-{environment.label}"
        planned = stages.plan(delivery, environment)
        jobs[plan] = {
            "if": _PUSHED,
            "needs": before,
            **_job(planned.minutes or 30, id_token=True),
            "steps": [
                *_installed(delivery, options),
                _acting(environment, "plan"),
                *_run("Plan", planned.commands),
                _keep(plan, "\n".join(planned.keeps)),
            ],
        }
        jobs[release] = {
            "needs": [plan],
            **_gate(environment, delivery),
            **_job(_RELEASE_MINUTES, id_token=True),
            "steps": [
                *_installed(delivery, options),
                _take(plan, _TEMP),
                _acting(environment, "release", LONGEST),
                *_run("Release", _released(delivery, environment)),
            ],
        }
        before = [release]
    return jobs


def _released(delivery: Delivery, environment: Environment) -> tuple[str, ...]:
    return stages.release(delivery, environment, f"{_SHELL_TEMP}/{stages.PLAN}").commands


def _gate(environment: Environment, delivery: Delivery) -> JsonObject:
    if environment is delivery.first:
        return {}
    text = "# Its reviewers are set in the repository: Settings > Environments. See the guide."
    return {text: None, "environment": environment.label}


def _job(minutes: int, *, id_token: bool = False) -> JsonObject:
    permissions = {"contents": "read", **({"id-token": "write"} if id_token else {})}
    return {
        "runs-on": "ubuntu-latest",
        "timeout-minutes": minutes,
        "permissions": permissions,
    }


def _stage(stage: Stage, delivery: Delivery, options: Options) -> JsonObject:
    """Return a job without a role: what it installs and what it runs are one step."""
    installing = stages.install(delivery, options, _SHELL_TEMP)
    commands = (*installing, *stage.commands)
    steps = [*_before(), *_run(stage.name.capitalize(), commands)]
    return {**_job(stage.minutes or 60), "steps": steps}


def _installed(delivery: Delivery, options: Options) -> Iterator[JsonObject]:
    """Yield the first steps of a job with a role, which nothing that is installed gets to see."""
    yield from _before()
    yield from _run("Install the tool", stages.install(delivery, options, _SHELL_TEMP))


def _before() -> Iterator[JsonObject]:
    yield _use(_CHECKOUT, {"persist-credentials": False})
    yield _use(_PYTHON, {"python-version": PYTHON})
    yield _take("tool", _TEMP)


def _use(action: tuple[str, str], given: JsonObject) -> JsonObject:
    version, pinned = action
    return {f"# {version}": None, "uses": pinned, "with": given}


def _run(name: str, commands: Iterable[str]) -> Iterator[JsonObject]:
    """Yield the step of some commands, of which GitHub evaluates nothing as an expression."""
    written = "\n".join(commands).replace("${{", "${{ '${{' }}")
    yield {"name": name, "run": f"{written}\n"}


def _keep(name: str, path: str) -> JsonObject:
    given = {"name": name, "path": path, "if-no-files-found": "error", "retention-days": 30}
    return _use(_UPLOAD, given)


def _take(name: str, path: str) -> JsonObject:
    return _use(_DOWNLOAD, {"name": name, "path": path})


def _acting(environment: Environment, stage: str, seconds: int | None = None) -> JsonObject:
    place = environment.place
    given: JsonObject = {
        "role-to-assume": place.role(role_name(environment, stage)),
        "aws-region": place.region,
    }
    if seconds is not None:
        given["role-duration-seconds"] = seconds
    return _use(_ROLE, given)


_GROUP: Final = re.compile(r"\{(.*)\}", re.DOTALL)
_COMMA: Final = re.compile(r"((?:[^\\,]|\\.)+)(?:,|$)", re.DOTALL)
_TOKEN: Final = re.compile(r"\\(.)|(.)", re.DOTALL)


def paths(patterns: Iterable[str]) -> list[str]:
    """Write patterns of CodePipeline in GitHub's language, which has other special characters."""
    return [_TOKEN.sub(_translated, one) for one in _each(patterns)]


def _each(patterns: Iterable[str]) -> Iterator[str]:
    """Yield patterns one by one: GitHub has no groups `{a,b}`, and takes any number."""
    for pattern in patterns:
        group = _GROUP.fullmatch(pattern)
        yield from (found[1] for found in _COMMA.finditer(group[1])) if group else (pattern,)


def _translated(token: re.Match[str]) -> str:
    literal, sign = token.groups()
    if literal is None:
        return f"\\{sign}" if sign in "+!" else str(sign)
    return f"\\{literal}" if literal in "\\*?[]+!" else str(literal)
