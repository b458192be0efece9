"""A delivery that GitHub or GitLab runs → its roles, which jobs take on by OpenID Connect.

No key is kept anywhere: a job shows a token of its host, and a role names the host, the repository,
and the branch, environment or pull request that the token must be of. Sources: GitHub Docs,
"OpenID Connect in Amazon Web Services" and "OpenID Connect reference"; GitLab Docs, "Configure
OpenID Connect in AWS".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.infra.commands import planning, releasing
from pipelines.infra.model import Delivery, Environment, Options, Place, logical_id
from pipelines.infra.policies import VERSION, Purpose, RolePolicy, Statement
from pipelines.infra.roles import role
from pipelines.json_types import JsonObject

AUDIENCE: Final = "sts.amazonaws.com"
LONGEST: Final = 6 * 3600
"""Seconds that a release may wait for its execution: a job of GitHub's runners ends then."""

CREATES: Final = "CreateIdentityProvider"
"""What parameters begin with that say whether the stack makes a provider; its host follows."""

PARAMETER: Final[JsonObject] = {
    "Type": "String",
    "AllowedValues": ["true", "false"],
    "Default": "true",
    "Description": "Make the identity provider; false if the account already has one of that URL.",
}


_HOSTS: Final = {"token.actions.githubusercontent.com": "GitHub", "gitlab.com": "GitLab"}


def creates(issuer: str) -> str:
    """Return the parameter that says whether the stack makes the provider of an issuer."""
    return f"{CREATES}{_host(issuer)}"


def condition(issuer: str) -> str:
    """Return the condition of the provider of an issuer."""
    return f"MakesIdentityProvider{_host(issuer)}"


def provider(issuer: str) -> JsonObject:
    """Return the identity provider of an issuer: an account has one for each."""
    return {
        f"IdentityProvider{_host(issuer)}": {
            "# Roles name what they trust; by itself this allows nothing.": None,
            "Type": "AWS::IAM::OIDCProvider",
            "Condition": condition(issuer),
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"Url": f"https://{issuer}", "ClientIdList": [AUDIENCE]},
        }
    }


def _host(issuer: str) -> str:
    return _HOSTS.get(issuer) or logical_id("", issuer)


def roles(delivery: Delivery, environment: Environment, options: Options) -> JsonObject:
    """Return the roles of an environment's jobs; with the first those of pull requests."""
    made: JsonObject = {}
    for logical, policy in _policies(delivery, environment, options):
        made |= role(logical, policy)
    made["CiReleaseRole"]["Properties"]["MaxSessionDuration"] = LONGEST
    return made


def role_name(environment: Environment, stage: str) -> str:
    """Return the name of the role of a stage."""
    return f"{environment.prefix}-ci-{stage}"


def _policies(
    delivery: Delivery, environment: Environment, options: Options
) -> Iterator[tuple[str, RolePolicy]]:
    place = environment.place
    gated = environment is not delivery.first
    pushed = (_of_branch(options),)
    waiting = (_of_environment(environment, options),) if gated else pushed
    if not gated:
        tool = place.s3(f"{environment.aws.bucket}/{options.wheel_key}")
        fetching = (Statement("Tool", ("s3:GetObject",), (tool,)),)
        everyone = (*pushed, _of_review(options))
        yield "CiToolRole", _policy(environment, "tool", fetching, options, everyone)
        reviewed = (_of_review(options),)
        yield (
            "CiReviewRole",
            _policy(environment, "review", planning(environment), options, reviewed),
        )
    yield "CiPlanRole", _policy(environment, "plan", planning(environment), options, pushed)
    yield "CiReleaseRole", _policy(environment, "release", releasing(environment), options, waiting)


def _policy(
    environment: Environment,
    stage: str,
    statements: tuple[Statement, ...],
    options: Options,
    subjects: tuple[str, ...],
) -> RolePolicy:
    purpose: Purpose = "review" if stage == "review" else "build"
    arn = environment.place.role(role_name(environment, stage))
    return RolePolicy(purpose, arn, statements, _trust(environment.place, options, subjects))


def _trust(place: Place, options: Options, subjects: tuple[str, ...]) -> JsonObject:
    """Return the trust in tokens of a host for AWS, of these subjects and no others."""
    issuer = options.issuer
    plain = [one for one in subjects if not one.endswith("*")]
    wild = [one for one in subjects if one.endswith("*")]
    subject = {"StringLike": {f"{issuer}:sub": [*plain, *wild]}} if wild else {}
    exact: JsonObject = {f"{issuer}:aud": AUDIENCE}
    if not wild:
        exact[f"{issuer}:sub"] = plain if len(plain) > 1 else plain[0]
    provided = f"arn:{place.partition}:iam::{place.account}:oidc-provider/{issuer}"
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provided},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": exact, **subject},
            }
        ],
    }


def _of_branch(options: Options) -> str:
    if options.runner == "github":
        return f"repo:{options.repository}:ref:refs/heads/{options.branch}"
    return f"project_path:{options.repository}:ref_type:branch:ref:{options.branch}"


def _of_environment(environment: Environment, options: Options) -> str:
    """Return the subject of a job that waits for a person.

    A token of GitHub then names the environment in the place of the branch; one of GitLab does not.
    """
    if options.runner == "github":
        return f"repo:{options.repository}:environment:{environment.label}"
    return _of_branch(options)


def _of_review(options: Options) -> str:
    """Return the subject of a pull request; a merge request's token names its source branch."""
    if options.runner == "github":
        return f"repo:{options.repository}:pull_request"
    return f"project_path:{options.repository}:ref_type:branch:ref:*"
