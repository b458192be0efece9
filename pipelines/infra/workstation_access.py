"""Who may make a workstation, and who may use it, as statements of policies."""

from __future__ import annotations

from typing import Final

from pipelines.infra.model import Environment, Place
from pipelines.infra.people import Part
from pipelines.infra.policies import Statement
from pipelines.infra.workstation import FORWARDING, stack_name
from pipelines.infra.workstation_choices import AMIS


def people(environment: Environment) -> tuple[Part, Part]:
    """Return who makes the machine, and who uses it once it is there."""
    place = environment.place
    names = f"{stack_name(environment)}-*"
    return (
        Part("workstation-maker", ("ci workstation",), _making(place, names)),
        Part("workstation-user", ("aws ssm start-session",), _using(place, names)),
    )


def _making(place: Place, names: str) -> tuple[Statement, ...]:
    """Return what makes and deletes the stack.

    Who writes policies of a role and passes it can do what the role can: these are an
    administrator's rights.
    """
    iam = tuple(
        f"arn:{place.partition}:iam::{place.account}:{kind}/{names}"
        for kind in ("instance-profile", "role")
    )
    ours = (*(place.arn("ec2", f"{kind}/*") for kind in _KINDS), _image(place))
    return (
        Statement("Stack", _words("cloudformation", _STACK), (_stack(place, names),)),
        Statement("Template", ("cloudformation:GetTemplateSummary",), ("*",)),
        Statement("Machine", _words("ec2", _MACHINE), tuple(sorted(ours))),
        Statement("Look", _words("ec2", _LOOK), ("*",)),
        Statement("Role", _words("iam", _ROLE), iam),
        Statement(
            "PassRole",
            ("iam:PassRole",),
            (iam[1],),
            {"StringEquals": {"iam:PassedToService": ("ec2.amazonaws.com",)}},
        ),
        Statement("Ami", ("ssm:GetParameters",), (_ami_parameters(place),)),
    )


def _using(place: Place, names: str) -> tuple[Statement, ...]:
    """Return what starts, stops and enters it."""
    tagged = {"StringLike": {"aws:ResourceTag/aws:cloudformation:stack-name": (names,)}}
    instances = (place.arn("ec2", "instance/*"),)
    document = f"arn:{place.partition}:ssm:{place.region}::document/{FORWARDING}"
    shell = place.arn("ssm", "document/SSM-SessionManagerRunShell")
    own = (place.arn("ssm", "session/${aws:userid}-*"),)
    return (
        Statement("Enter", ("ssm:StartSession",), instances, tagged),
        Statement("How", ("ssm:StartSession",), (document, shell)),
        Statement("Leave", ("ssm:ResumeSession", "ssm:TerminateSession"), own),
        Statement("Run", ("ec2:StartInstances", "ec2:StopInstances"), instances, tagged),
        Statement("Look", ("ec2:DescribeInstances",), ("*",)),
        Statement("Outputs", ("cloudformation:DescribeStacks",), (_stack(place, names),)),
    )


def _stack(place: Place, names: str) -> str:
    return place.arn("cloudformation", f"stack/{names}/*")


def _image(place: Place) -> str:
    return f"arn:{place.partition}:ec2:{place.region}::image/*"


def _ami_parameters(place: Place) -> str:
    return f"arn:{place.partition}:ssm:{place.region}::parameter{AMIS}/*"


def _words(service: str, actions: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions.split())


_STACK: Final = (
    "CreateChangeSet DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents"
    " DescribeStacks ExecuteChangeSet"
)
_KINDS: Final = (
    *("instance", "launch-template", "network-interface", "security-group"),
    *("spot-instances-request", "subnet", "volume", "vpc"),
)
_MACHINE: Final = (
    "AuthorizeSecurityGroupEgress CancelSpotInstanceRequests CreateLaunchTemplate"
    " CreateLaunchTemplateVersion CreateSecurityGroup CreateTags DeleteLaunchTemplate"
    " DeleteSecurityGroup RevokeSecurityGroupEgress RunInstances TerminateInstances"
)
_LOOK: Final = (
    "DescribeInstances DescribeLaunchTemplateVersions DescribeLaunchTemplates"
    " DescribeSecurityGroups DescribeSpotInstanceRequests DescribeSubnets DescribeVpcs"
)
_ROLE: Final = (
    "AddRoleToInstanceProfile AttachRolePolicy CreateInstanceProfile CreateRole"
    " DeleteInstanceProfile DeleteRole DeleteRolePolicy DetachRolePolicy GetInstanceProfile GetRole"
    " GetRolePolicy PutRolePolicy RemoveRoleFromInstanceProfile"
)
