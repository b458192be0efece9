"""What can be chosen of a workstation: by the command, and by whoever makes the stack.

The command's choices become the defaults of the stack's parameters.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.frozen import frozen
from pipelines.images import describe
from pipelines.images.instances import architecture_of
from pipelines.infra.model import Environment
from pipelines.json_types import JsonObject

AMIS: Final = "/aws/service/deeplearning/ami"
AMI: Final = "/[A-Za-z0-9/._-]+"
REPOSITORY: Final = "([A-Za-z0-9/:@._~+][A-Za-z0-9/:@._~+-]*)?"
BRANCH: Final = "[A-Za-z0-9/._+][A-Za-z0-9/._+-]*"
"""What the parameters may be: they stand in a script."""

_BASE: Final = "base-oss-nvidia-driver-gpu-ubuntu-24.04"
_PYTORCH: Final = "oss-nvidia-driver-gpu-pytorch-2.{}-ubuntu-24.04"
_PYTORCH_MINORS: Final = range(7, 13)
_VERSION: Final = re.compile(r"2\.(\d+)")


@frozen
class Workstation:
    """What is asked for.

    Args:
        file: the spec, as it is named.
        environment: the pipeline in whose account it is.
        instance_type: as EC2 writes it: `g6.xlarge`.
        ami: the name of the SSM parameter that names the AMI.
        repository: what is checked out, as git takes it; empty for nothing.
        branch: the branch of it.
        wheel: the S3 URI of the tool's wheel.
    """

    file: str
    environment: Environment
    instance_type: str
    ami: str
    repository: str
    branch: str
    wheel: str


def ami_of(instance_type: str, images: tuple[str, ...]) -> str:
    """Return the parameter of the AMI that fits an instance and a pipeline's images.

    Args:
        instance_type: its architecture counts.
        images: URIs; where one is of PyTorch, the AMI has the nearest known release of it.
    """
    known = [describe(image) for image in images]
    versions = [one.version or "" for one in known if one.framework == "pytorch"]
    minors = [int(found[1]) for version in versions if (found := _VERSION.match(version))]
    architecture = architecture_of(instance_type)
    if not minors or architecture != "x86_64":
        return f"{AMIS}/{architecture}/{_BASE}/latest/ami-id"
    minor = min(max(*minors, _PYTORCH_MINORS[0]), _PYTORCH_MINORS[-1])
    return f"{AMIS}/{architecture}/{_PYTORCH.format(minor)}/latest/ami-id"


def parameters(wanted: Workstation) -> dict[str, JsonObject]:
    """Return the parameters of the stack, with what is asked for as their defaults."""
    return {**_place_and_rights(), **_hardware(wanted), **_limits(), **_project(wanted)}


def _place_and_rights() -> dict[str, JsonObject]:
    return {
        "VpcId": {"Type": "AWS::EC2::VPC::Id"},
        "SubnetId": {
            "Type": "AWS::EC2::Subnet::Id",
            "Description": "A subnet of it with a way to the internet.",
        },
        "PolicyArn": {
            "Type": "String",
            "Default": "",
            "Description": (
                "What the machine may do besides, such as the operator policy of the pipeline's"
                " stack; empty for nothing."
            ),
        },
    }


def _hardware(wanted: Workstation) -> dict[str, JsonObject]:
    return {
        "Ami": {
            "Type": "String",
            "Default": wanted.ami,
            "AllowedPattern": AMI,
            "Description": (
                "The SSM parameter that names the AMI; it is resolved at the launch. List them with"
                f" aws ssm get-parameters-by-path --recursive --path {AMIS}"
            ),
        },
        "VolumeSize": {"Type": "Number", "Default": 200, "MinValue": 100, "MaxValue": 16000},
        "Spot": {
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["true", "false"],
            "Description": (
                "Cheaper; the machine is stopped when the capacity is wanted elsewhere. Cancel its"
                " request before you delete the stack: an output has the command."
            ),
        },
    }


def _limits() -> dict[str, JsonObject]:
    return {
        "IdleMinutes": {
            "Type": "Number",
            "Default": 60,
            "MinValue": 10,
            "Description": "It stops after so long without load and without a session.",
        },
        "MaximumHours": {
            "Type": "Number",
            "Default": 12,
            "MinValue": 1,
            "Description": "It stops so long after each start, whatever it does.",
        },
    }


def _project(wanted: Workstation) -> dict[str, JsonObject]:
    return {
        "Repository": {
            "Type": "String",
            "Default": wanted.repository,
            "AllowedPattern": REPOSITORY,
            "Description": "What git clones; one that is not public is cloned by hand.",
        },
        "Branch": {
            "Type": "String",
            "Default": wanted.branch,
            "AllowedPattern": BRANCH,
        },
    }
