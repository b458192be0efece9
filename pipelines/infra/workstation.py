"""A machine to develop on: one EC2 instance from the newest Deep Learning AMI, as a template.

It is reached through Session Manager alone, stops by itself, and runs with a role of its own. The
AMI's parameter is resolved when the instance is launched, so that a new AMI replaces no machine
that somebody works on. Names of the parameters: FACTS 9.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipelines.infra.model import Environment
from pipelines.infra.policies import VERSION
from pipelines.infra.template import Template, attribute, ref, sub, when
from pipelines.infra.workstation_choices import Workstation, parameters
from pipelines.json_types import JsonObject

PORT: Final = 8888
_SCRIPTS: Final = Path(__file__).parent / "scripts"
FORWARDING: Final = "AWS-StartPortForwardingSession"
_WITHOUT_PORT: Final = "nobody reaches the machine but through Session Manager"


def stack_name(environment: Environment) -> str:
    """Name the stack; each person adds a name of their own."""
    return f"{environment.stack}-workstation"


def workstation(wanted: Workstation) -> Template:
    """Return the template."""
    pipeline = wanted.environment.compiled.pipeline
    return Template(
        f"A machine to develop {pipeline} on: reached through Session Manager, stops when idle.",
        parameters(wanted),
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
