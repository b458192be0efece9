"""A machine to develop on: one EC2 instance from the newest Deep Learning AMI, as a template.

It is reached through Session Manager alone, stops by itself, and runs with a role of its own. The
AMI's parameter is resolved when the instance is launched, so that a new AMI replaces no machine
that somebody works on. Names of the parameters: FACTS 9.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pipelines.frozen import frozen
from pipelines.images import describe
from pipelines.images.instances import architecture_of
from pipelines.infra.model import Environment
from pipelines.infra.policies import VERSION
from pipelines.infra.template import Template, attribute, ref, sub, when
from pipelines.json_types import JsonObject

AMIS: Final = "/aws/service/deeplearning/ami"
AMI: Final = "/[A-Za-z0-9/._-]+"
REPOSITORY: Final = "([A-Za-z0-9/:@._~+][A-Za-z0-9/:@._~+-]*)?"
BRANCH: Final = "[A-Za-z0-9/._+][A-Za-z0-9/._+-]*"
"""What the parameters may be: they stand in a script."""

PORT: Final = 8888
_SCRIPTS: Final = Path(__file__).parent / "scripts"
_BASE: Final = "base-oss-nvidia-driver-gpu-ubuntu-24.04"
_PYTORCH: Final = "oss-nvidia-driver-gpu-pytorch-2.{}-ubuntu-24.04"
_PYTORCH_MINORS: Final = range(7, 13)
_VERSION: Final = re.compile(r"2\.(\d+)")
FORWARDING: Final = "AWS-StartPortForwardingSession"
_WITHOUT_PORT: Final = "nobody reaches the machine but through Session Manager"


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


def stack_name(environment: Environment) -> str:
    """Name the stack; each person adds a name of their own."""
    return f"{environment.stack}-workstation"


def workstation(wanted: Workstation) -> Template:
    """Return the template."""
    pipeline = wanted.environment.compiled.pipeline
    return Template(
        f"A machine to develop {pipeline} on: reached through Session Manager, stops when idle.",
        _parameters(wanted),
        {
            "IsSpot": {"Fn::Equals": [ref("Spot"), "true"]},
            "HasPolicy": {"Fn::Not": [{"Fn::Equals": [ref("PolicyArn"), ""]}]},
        },
        {**_role(wanted), **_network(), **_machine(wanted)},
        _outputs(),
    )


def user_data(wanted: Workstation) -> JsonObject:
    """Return the script of the first start; its head holds what the stack's parameters say."""
    head = (
        "#!/bin/bash",
        "IDLE_MINUTES=${IdleMinutes}",
        "MAXIMUM_HOURS=${MaximumHours}",
        "REPOSITORY='${Repository}'",
        "BRANCH='${Branch}'",
        f"TOOL='{wanted.wheel}'\n",
    )
    return {"Fn::Base64": {"Fn::Join": ["", [sub("\n".join(head)), script()]]}}


def script() -> str:
    """Return the part of the script that is the same for every machine."""
    idle = (_SCRIPTS / "stop_when_idle.sh").read_text("utf-8").strip()
    return (_SCRIPTS / "workstation.sh").read_text("utf-8").replace("@STOP_WHEN_IDLE@", idle)


def _parameters(wanted: Workstation) -> dict[str, JsonObject]:
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


def _role(wanted: Workstation) -> JsonObject:
    """Return the role of the machine: Session Manager, the tool's wheel, and one more policy."""
    place = wanted.environment.place
    managed = f"arn:{place.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
    wheel = place.s3(wanted.wheel.removeprefix("s3://"))
    tool = {"Sid": "Tool", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [wheel]}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": ["ec2.amazonaws.com"]},
        "Action": ["sts:AssumeRole"],
    }
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": sub("${AWS::StackName}"),
                "AssumeRolePolicyDocument": {"Version": VERSION, "Statement": [trust]},
                "ManagedPolicyArns": [managed, when("HasPolicy", ref("PolicyArn"))],
                "Policies": [
                    {
                        "PolicyName": "tool",
                        "PolicyDocument": {"Version": VERSION, "Statement": [tool]},
                    }
                ],
            },
        },
        "Profile": {
            "Type": "AWS::IAM::InstanceProfile",
            "Properties": {
                "InstanceProfileName": sub("${AWS::StackName}"),
                "Roles": [ref("Role")],
            },
        },
    }


def _network() -> JsonObject:
    https = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "CidrIp": "0.0.0.0/0",
        "Description": "Session Manager, packages, git",
    }
    return {
        "Firewall": {
            "# No inbound rule: sessions are opened by the machine's own agent.": None,
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": _WITHOUT_PORT,
                "VpcId": ref("VpcId"),
                "SecurityGroupEgress": [https],
            },
        }
    }


def _machine(wanted: Workstation) -> JsonObject:
    return {
        "Launch": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateName": sub("${AWS::StackName}"),
                "LaunchTemplateData": _launch(wanted),
            },
        },
        "Machine": {
            "# With the stack go the machine and its volume: push what you want to keep.": None,
            "Type": "AWS::EC2::Instance",
            "Properties": {
                "LaunchTemplate": {
                    "LaunchTemplateId": ref("Launch"),
                    "Version": attribute("Launch", "LatestVersionNumber"),
                },
                "SubnetId": ref("SubnetId"),
            },
        },
    }


def _launch(wanted: Workstation) -> JsonObject:
    root = "/dev/xvda" if "amazon-linux" in wanted.ami else "/dev/sda1"
    disk = {
        "VolumeType": "gp3",
        "VolumeSize": ref("VolumeSize"),
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    # A request that stays is the only one whose machine can be stopped and started again.
    spot = {
        "MarketType": "spot",
        "SpotOptions": {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"},
    }
    tags = [
        {"Key": "Name", "Value": sub("${AWS::StackName}")},
        {"Key": "pipelines:pipeline", "Value": wanted.environment.compiled.pipeline},
    ]
    return {
        "ImageId": sub("resolve:ssm:${Ami}"),
        "InstanceType": wanted.instance_type,
        "IamInstanceProfile": {"Arn": attribute("Profile")},
        "SecurityGroupIds": [attribute("Firewall", "GroupId")],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [{"DeviceName": root, "Ebs": disk}],
        "EbsOptimized": True,
        "InstanceInitiatedShutdownBehavior": "stop",
        "InstanceMarketOptions": when("IsSpot", spot),
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": tags},
            {"ResourceType": "volume", "Tags": tags},
        ],
        "UserData": user_data(wanted),
    }


def _outputs() -> JsonObject:
    session = "aws ssm start-session --region ${AWS::Region} --target ${Machine}"
    forwarded = f"portNumber={PORT},localPortNumber={PORT}"
    spot = "aws ec2 cancel-spot-instance-requests --region ${AWS::Region}"
    requests = (
        "aws ec2 describe-spot-instance-requests --region ${AWS::Region} --output text"
        " --filters Name=instance-id,Values=${Machine}"
        " --query SpotInstanceRequests[].SpotInstanceRequestId"
    )
    return {
        "Session": {"Value": sub(session), "Description": "A terminal on it."},
        "Jupyter": {
            "Value": sub(f"{session} --document-name {FORWARDING} --parameters {forwarded}"),
            "Description": (
                f"JupyterLab at http://localhost:{PORT} while it runs; `jupyter server list` in a"
                " terminal on it shows the token."
            ),
        },
        "Start": {
            "Value": sub(
                "aws ec2 start-instances --region ${AWS::Region} --instance-ids ${Machine}"
            ),
            "Description": "It stopped by itself: start it again.",
        },
        "CancelSpot": {
            "Condition": "IsSpot",
            "Value": sub(f"{spot} --spot-instance-request-ids $({requests})"),
            "Description": "Before the stack is deleted: the request would start another machine.",
        },
    }
