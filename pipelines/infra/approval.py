"""A pipeline that deploys → the rule by which an approval in the registry starts it.

Sources: SageMaker developer guide, "Automating SageMaker with EventBridge"; FACTS 6, 11.11. An
event may come several times and late, so it carries no orders: the deploy pipeline looks at the
registry itself.
"""

from __future__ import annotations

from typing import Final

from pipelines.definition.named import defaults_of, known_text, read
from pipelines.definition.steps import take_apart
from pipelines.infra import undelivered
from pipelines.infra.model import Environment
from pipelines.infra.policies import RolePolicy, Statement, trust
from pipelines.infra.roles import role
from pipelines.infra.template import attribute
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.variables import GROUP
from pipelines.registry.packages import PENDING
from pipelines.spec.names import deployer

SOURCE: Final = "aws.sagemaker"
DETAIL_TYPE: Final = "SageMaker Model Package State Change"
DECISIONS: Final = ("Approved", "Rejected")
_APPROVAL: Final = "ModelApprovalStatus"
_UPDATED: Final = "UpdatedModelPackageFields"
_ABSENT: Final = [{"exists": False}]
RULE: Final = "ApprovalRule"
ROLE: Final = "approval"


def deployed_groups(environment: Environment) -> tuple[str | None, ...]:
    """Name the groups whose approvals deploy; None where it is only known at a start."""
    definition = environment.compiled.definitions.get(deployer(environment.compiled.pipeline))
    if definition is None:
        return ()
    document = read(definition)
    defaults = defaults_of(document)
    variables = [step.arguments.get("Environment") or {} for step in take_apart(document).steps]
    found = (known_text(one.get(GROUP), defaults) for one in variables if GROUP in one)
    return tuple(dict.fromkeys(found))


def approval(environment: Environment) -> JsonObject:
    """Return the rule and its role; none where nothing is deployed."""
    groups = [group for group in deployed_groups(environment) if group is not None]
    if not groups:
        return {}
    place = environment.place
    pipeline = deployer(environment.compiled.pipeline)
    arn = place.arn("sagemaker", f"pipeline/{pipeline}")
    starts = place.sagemaker(f"pipeline/{pipeline}")
    policy = RolePolicy(
        "approval",
        environment.role(ROLE),
        (Statement("StartDeploying", ("sagemaker:StartPipelineExecution",), starts),),
        trust("events.amazonaws.com", place.account),
    )
    return {
        RULE: {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": f"{environment.prefix}-approval",
                "Description": f"A change of an approval status starts {pipeline}",
                "State": "ENABLED",
                "EventPattern": decisions(place.account, groups),
                "Targets": [
                    {
                        "# No parameters: the deploy pipeline takes what is live from the registry."
                        " EventBridge would take names of letters, digits and hyphens.": None,
                        "Id": "deploy",
                        "Arn": arn,
                        "RoleArn": attribute("ApprovalRole"),
                        "RetryPolicy": undelivered.RETRIES,
                        "DeadLetterConfig": {"Arn": attribute(undelivered.QUEUE)},
                    }
                ],
            },
        },
        **role("ApprovalRole", policy),
    }


def decisions(account: str, groups: list[str]) -> JsonObject:
    """Return the pattern of what may change which version is to be live.

    A change of the approval status to whatever it is: an approval may be withdrawn, back to
    pending. Whether the event of a package's creation names what was "updated" is not documented;
    where nothing is named, the package has to be decided. A change of anything else names other
    fields.
    """
    changes = [
        {_UPDATED: [_APPROVAL]},
        {_UPDATED: _ABSENT, _APPROVAL: list(DECISIONS)},
    ]
    return _pattern(account, groups, {"$or": changes})


def waiting(account: str, groups: list[str]) -> JsonObject:
    """Return the pattern of a version that waits for a decision, new or set back."""
    changes = [{_UPDATED: [_APPROVAL]}, {_UPDATED: _ABSENT}]
    return _pattern(account, groups, {_APPROVAL: [PENDING], "$or": changes})


def _pattern(account: str, groups: list[str], detail: JsonObject) -> JsonObject:
    return {
        "source": [SOURCE],
        "detail-type": [DETAIL_TYPE],
        "account": [account],
        "detail": {
            "ModelPackageGroupName": groups,
            "ModelPackageStatus": ["Completed"],
            **detail,
        },
    }
