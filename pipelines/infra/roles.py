"""A role's policy → its resources in a template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.infra.policies import INLINE_LIMIT, MANAGED_LIMIT, RolePolicy, Statement, document
from pipelines.infra.template import ref, when
from pipelines.json_types import JsonObject

BOUNDARY: Final = "PermissionsBoundary"
HAS_BOUNDARY: Final = "HasPermissionsBoundary"

BOUNDARY_PARAMETER: Final[JsonObject] = {
    "Type": "String",
    "Default": "",
    "Description": "ARN of a policy that bounds every role of this stack; empty for none.",
}


def has_boundary() -> JsonObject:
    """Return the condition that roles have a permissions boundary."""
    return {"Fn::Not": [{"Fn::Equals": [ref(BOUNDARY), ""]}]}


def role(logical: str, policy: RolePolicy) -> JsonObject:
    """Return the resources of a role: itself, and policies of their own where it needs too many.

    Args:
        logical: its id in the template.
        policy: what it may do; its ARN names it.
    """
    fits = policy.size <= INLINE_LIMIT
    inline = {str(policy.purpose): policy.document()} if fits and policy.statements else {}
    made = role_of(logical, policy.arn or "", policy.trust, inline)
    if fits:
        return made
    for number, part in enumerate(parts(policy.statements), 1):
        made[f"{logical}Policy{number}"] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"Roles": [ref(logical)], "PolicyDocument": document(part)},
        }
    return made


def role_of(logical: str, arn: str, trust: JsonObject, documents: JsonObject) -> JsonObject:
    """Return a role with inline policies, by their names."""
    path, name = _path_and_name(arn)
    return {
        logical: {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": name,
                **({"Path": path} if path != "/" else {}),
                "AssumeRolePolicyDocument": trust,
                BOUNDARY: when(HAS_BOUNDARY, ref(BOUNDARY)),
                "Policies": [
                    {"PolicyName": name, "PolicyDocument": document}
                    for name, document in documents.items()
                ],
            },
        }
    }


def _path_and_name(arn: str) -> tuple[str, str]:
    path, _, name = arn.rpartition(":role")[2].rpartition("/")
    return f"{path}/", name


def parts(statements: Iterable[Statement]) -> Iterator[tuple[Statement, ...]]:
    """Divide statements among policies that are small enough."""
    part: tuple[Statement, ...] = ()
    for statement in statements:
        grown = RolePolicy("pipeline", None, (*part, statement), {})
        if part and grown.size > MANAGED_LIMIT:
            yield part
            part = ()
        part = (*part, statement)
    yield part
