"""A delivery → the jobs that GitLab runs: the stages of `infra/stages.py`, a job for each.

`.gitlab-ci.yml` is one file of a repository and often somebody's, so that the jobs are in a file of
their own which it includes. A fork's pipeline runs in the fork, whose tokens no role trusts. A job
token may not write notes (GitLab Docs, "CI/CD job token"), so the comment needs a token of the
project; without one there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pipelines.infra import stages
from pipelines.infra.federation import AUDIENCE, LONGEST, role_name
from pipelines.infra.model import Delivery, Environment, Options
from pipelines.infra.stages import Stage
from pipelines.json_types import JsonObject

ROOT_FILE: Final = ".gitlab-ci.yml"
TOKEN: Final = "PIPELINES_COMMENT_TOKEN"  # noqa: S105 - the name of a variable
_PYTHON: Final = "python:3.12"
_AWS: Final[JsonObject] = {"name": "public.ecr.aws/aws-cli/aws-cli:2.31.0", "entrypoint": [""]}
_FOLDER: Final = ".ci"
_UNTRACKED: Final = f"echo /{_FOLDER}/ >> .git/info/exclude"
_ACT: Final = (
    'export AWS_WEB_IDENTITY_TOKEN_FILE="$(mktemp)"',
    'printf %s "$AWS_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"',
)
_FIND: Final = (
    "import json, sys; print(next((n['id'] for n in json.load(sys.stdin)"
    " if n['body'].startswith(sys.argv[1])), ''))"
)
_COMMENT: Final = f"""\
notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
token="PRIVATE-TOKEN: ${TOKEN}"
id="$(curl --fail --silent --header "$token" "$notes?sort=desc&per_page=100" \\
  | python -P -c "{_FIND}" '### Plan for `{{pipeline}}`')"
if [ -n "$id" ]; then method=PUT; else method=POST; fi
curl --fail --silent --output /dev/null --header "$token" --request "$method" \\
  --data-urlencode "body@{_FOLDER}/plan.md" "$notes${{id:+/$id}}"
"""


def file_name(delivery: Delivery) -> str:
    """Return where the jobs are, relative to the repository's root."""
    return f".gitlab/pipelines-{delivery.pipeline}.yml"


def root(deliveries: Iterable[Delivery]) -> JsonObject:
    """Return a `.gitlab-ci.yml` that has the jobs of specs and no others."""
    return {"include": [{"local": f"/{file_name(one)}"} for one in deliveries]}


def jobs(delivery: Delivery, options: Options) -> JsonObject:
    """Return the jobs of a spec; their names begin with its own, since specs share a file."""
    name = delivery.pipeline
    found = {**_checks(delivery, options), **_deliveries(delivery, options)}
    return {f"{name}:{job}": content for job, content in found.items()}


def _checks(delivery: Delivery, options: Options) -> JsonObject:
    wheel = f"{_FOLDER}/{options.wheel}"
    first, both = delivery.first, _rules(delivery, options, pushed=True, reviewed=True)
    reviewed = _rules(delivery, options, reviewed=True)
    planned = stages.review(delivery, first, f"{_FOLDER}/plan.md")
    return {
        "tool": {
            "stage": ".pre",
            "image": _AWS,
            **both,
            **_acting(first, "tool"),
            "script": [*_ACT, *stages.fetch(delivery, options, _FOLDER)],
            "artifacts": {"paths": [wheel], "expire_in": "1 day"},
        },
        "validate": {**both, **_stage(stages.validate(delivery), delivery, options)},
        "tests": {
            "# Code of a merge request runs here: no token, no role.": None,
            **both,
            **_stage(stages.tests(delivery), delivery, options),
        },
        "review": {
            **reviewed,
            "needs": [f"{delivery.pipeline}:tool", f"{delivery.pipeline}:validate"],
            **_acting(first, "review"),
            **_installed(delivery, options, (*_ACT, *planned)),
            "artifacts": {"paths": [f"{_FOLDER}/plan.md"], "expire_in": "1 week"},
        },
        "comment": {
            f"# {TOKEN}: a project access token (Reporter, api), masked. See the guide.": None,
            "rules": [{**rule, "if": f"{rule['if']} && ${TOKEN}"} for rule in reviewed["rules"]],
            "stage": "test",
            "image": _PYTHON,
            "needs": [f"{delivery.pipeline}:review"],
            "script": [_COMMENT.replace("{pipeline}", delivery.pipeline)],
        },
    }


def _deliveries(delivery: Delivery, options: Options) -> JsonObject:
    made: JsonObject = {}
    before = ["validate", "tests"]
    for environment in delivery.environments:
        plan, release = f"plan-{environment.label}", f"release-{environment.label}"
        planned = stages.plan(delivery, environment)
        released = stages.release(delivery, environment, stages.PLAN)
        made[plan] = {
            **_rules(delivery, options, pushed=True),
            "needs": [f"{delivery.pipeline}:{one}" for one in ("tool", *before)],
            **_acting(environment, "plan"),
            **_installed(delivery, options, (*_ACT, *planned.commands)),
            "stage": "deploy",
            "artifacts": {"paths": list(planned.keeps), "expire_in": "30 days"},
        }
        gated = environment is not delivery.first
        made[release] = {
            **_rules(delivery, options, pushed=True, manual=gated),
            "stage": "deploy",
            "needs": [f"{delivery.pipeline}:{one}" for one in ("tool", plan)],
            "environment": {"name": environment.label},
            "resource_group": f"pipelines-{delivery.pipeline}-{environment.label}",
            "timeout": f"{LONGEST // 3600} hours",
            **_acting(environment, "release"),
            **_installed(delivery, options, (_excluded(planned), *_ACT, *released.commands)),
        }
        before = [release]
    return made


def _excluded(planned: Stage) -> str:
    """Return what keeps the plan, an artifact among the files, from being a change of them."""
    paths = " ".join(f"/{one}" for one in planned.keeps)
    return f"printf '%s\\n' {paths} >> .git/info/exclude"


def _stage(stage: Stage, delivery: Delivery, options: Options) -> JsonObject:
    return {
        "needs": [f"{delivery.pipeline}:tool"],
        "timeout": f"{stage.minutes or 60} minutes",
        **_installed(delivery, options, stage.commands),
    }


def _installed(delivery: Delivery, options: Options, commands: Iterable[str]) -> JsonObject:
    installing = stages.install(delivery, options, _FOLDER)
    return {
        "stage": "test",
        "image": _PYTHON,
        "script": [_UNTRACKED, *installing, *commands],
    }


def _acting(environment: Environment, stage: str) -> JsonObject:
    """Return how a job gets a token for AWS, and which role it takes on with it."""
    place = environment.place
    return {
        "id_tokens": {"AWS_ID_TOKEN": {"aud": AUDIENCE}},
        "variables": {
            "AWS_ROLE_ARN": place.role(role_name(environment, stage)),
            "AWS_ROLE_SESSION_NAME": "gitlab-$CI_JOB_ID",
            "AWS_REGION": place.region,
        },
    }


def _rules(
    delivery: Delivery,
    options: Options,
    *,
    pushed: bool = False,
    reviewed: bool = False,
    manual: bool = False,
) -> JsonObject:
    rules: list[JsonObject] = []
    if pushed:
        # A pipeline of a schedule counts every file as changed: it would release each time.
        branch = f'$CI_COMMIT_BRANCH == "{options.branch}" && $CI_PIPELINE_SOURCE != "schedule"'
        waits = {"when": "manual", "allow_failure": False} if manual else {}
        rules.append({"if": branch, "changes": _changes(delivery.push, delivery), **waits})
    if reviewed:
        event = '$CI_PIPELINE_SOURCE == "merge_request_event"'
        rules.append({"if": event, "changes": _changes(delivery.review, delivery)})
    return {"rules": rules}


def _changes(patterns: Iterable[str], delivery: Delivery) -> list[str]:
    return [*paths(patterns), file_name(delivery)]


def paths(patterns: Iterable[str]) -> list[str]:
    """Write patterns in GitLab's language, in which `**` crosses folders before a slash alone."""
    return [_written(one) for one in patterns]


def _written(pattern: str) -> str:
    return re.sub(r"(^|/|,|\{)\*\*(?=$|,|\})", r"\1**/*", pattern)
