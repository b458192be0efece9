"""Change sets with the refusals that moto does not know, and names that are taken, by the Stubber.

As in the tests of stacks, what the service does after a call is written by hand.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import ANY

from pipelines.account.stacks.change_set import (
    Change,
    ChangeSet,
    MissingExportError,
    create_change_set,
    discard,
    execute,
)
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.existing import taken_names
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.errors import RefusedError, UsageError
from tests.unit.account.shared_stack import ARN, CF, NAME, stack_in
from tests.unit.account.stubbed import ACCOUNT, REGION, StubbedAccount

SET = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/pipelines-1/1"
TEMPLATE = StackTemplate(
    NAME,
    "infra/shared.yaml",
    "Resources: {}",
    {"Parameters": {"Days": {"Default": "30"}, "Owner": {}}, "Resources": {}},
    "churn-ml",
)


def _created(stubbed: StubbedAccount, kind: str, parameters: list[dict[str, Any]]) -> None:
    stubbed.answers(
        CF,
        "create_change_set",
        {"Id": SET, "StackId": ARN},
        {
            "StackName": NAME,
            "ChangeSetName": ANY,
            "ChangeSetType": kind,
            "ClientToken": ANY,
            "Description": ANY,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Parameters": parameters,
            "TemplateBody": TEMPLATE.text,
        },
    )


OWNER = {"ParameterKey": "Owner", "ParameterValue": "acme"}


def test_parameters_that_somebody_chose_are_kept(stubbed: StubbedAccount) -> None:
    """One that has the deployed template's default follows the new one's."""
    deployed = stack_in(
        "UPDATE_COMPLETE",
        parameters={"Days": "7", "Owner": "acme", "Gone": "x"},
        defaults={"Days": "180"},
    )
    kept = {"UsePreviousValue": True}
    _created(
        stubbed,
        "UPDATE",
        [{"ParameterKey": "Days", **kept}, {"ParameterKey": "Owner", **kept}],
    )
    stubbed.answers(CF, "describe_change_set", {"Status": "CREATE_IN_PROGRESS"})
    stubbed.answers(CF, "describe_change_set", {"Status": "CREATE_COMPLETE"})
    changes = [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Modify",
                "LogicalResourceId": "JobRole",
                "PhysicalResourceId": "churn-job",
                "ResourceType": "AWS::IAM::Role",
                "Replacement": "True",
                "Details": [
                    {"Target": {"Attribute": "Properties", "Name": "Path",
                                "RequiresRecreation": "Always"}},
                    {"Target": {"Attribute": "Tags"}},
                ],
            },
        }
    ]  # fmt: skip
    stubbed.answers(CF, "describe_change_set", {"Changes": changes})
    found = create_change_set(stubbed.gateway, TEMPLATE, deployed, {})
    details = ("Path (replaces it: always)", "Tags")
    role = Change("modify", "JobRole", "AWS::IAM::Role", "churn-job", "true", details)
    assert found == ChangeSet(SET, ARN, (role,), first=False)
    assert role.is_iam
    assert Change("modify", "Key", "AWS::KMS::Key", details=("KeyPolicy",)).is_iam
    assert not Change("modify", "Bucket", "AWS::S3::Bucket", details=("BucketName",)).is_iam


def test_parameter_without_a_value_is_asked_for() -> None:
    """Before anything is called."""
    with pytest.raises(UsageError, match="without a value: Owner") as refused:
        create_change_set(StubbedAccount().gateway, TEMPLATE, Deployed(NAME, REGION), {})
    assert "--parameter Owner=" in (refused.value.remedy or "")


def _failed(stubbed: StubbedAccount, reason: str) -> None:
    _created(stubbed, "UPDATE", [OWNER])
    stubbed.answers(CF, "describe_change_set", {"Status": "FAILED", "StatusReason": reason})
    stubbed.answers(CF, "delete_change_set", {}, {"ChangeSetName": SET})


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_change_set_without_changes_is_nothing_to_do(stubbed: StubbedAccount, reason: str) -> None:
    """CloudFormation calls it failed; it is deleted."""
    _failed(stubbed, reason)
    deployed = stack_in("CREATE_COMPLETE")
    assert create_change_set(stubbed.gateway, TEMPLATE, deployed, {"Owner": "acme"}) is None


def test_change_set_of_a_missing_export_says_which_stack_comes_first(
    stubbed: StubbedAccount,
) -> None:
    """The connection's ARN comes from the shared stack."""
    _failed(stubbed, "No export named pipelines-shared-Connection found.")
    with pytest.raises(MissingExportError, match="pipelines-shared-Connection"):
        create_change_set(stubbed.gateway, TEMPLATE, stack_in("CREATE_COMPLETE"), {"Owner": "acme"})


def test_template_that_is_not_accepted_is_told_with_the_reason(stubbed: StubbedAccount) -> None:
    """And the change set is gone."""
    _failed(stubbed, "Template error: instance of Fn::GetAtt references undefined resource X")
    with pytest.raises(RefusedError, match=r"infra/shared.yaml says: Template error"):
        create_change_set(stubbed.gateway, TEMPLATE, stack_in("CREATE_COMPLETE"), {"Owner": "acme"})


def test_discarding_the_first_change_set_deletes_the_stack_that_held_it(
    stubbed: StubbedAccount,
) -> None:
    """Unless somebody else has a change set in it."""
    change_set = ChangeSet(SET, ARN, (), first=True)
    stubbed.answers(CF, "delete_change_set", {}, {"ChangeSetName": SET})
    stubbed.answers(CF, "list_change_sets", {"Summaries": []})
    stubbed.answers(CF, "delete_stack", {}, {"StackName": ARN})
    discard(stubbed.gateway, change_set)
    assert stubbed.calls == ["DeleteChangeSet", "ListChangeSets", "DeleteStack"]
    stubbed.answers(CF, "delete_change_set", {}, {"ChangeSetName": SET})
    stubbed.answers(CF, "list_change_sets", {"Summaries": [{"ChangeSetId": f"{SET}2"}]})
    discard(stubbed.gateway, change_set)
    assert stubbed.calls.count("DeleteStack") == 1


def test_change_set_that_was_shown_is_executed_by_its_arn(stubbed: StubbedAccount) -> None:
    """What a first try has made goes with its rollback: kept buckets would block the second."""
    expected = {"ChangeSetName": SET, "ClientRequestToken": ANY, "RetainExceptOnCreate": True}
    stubbed.answers(CF, "execute_change_set", {}, expected)
    execute(stubbed.gateway, ChangeSet(SET, ARN, (), first=False))


@pytest.mark.parametrize("code", ["ChangeSetNotFound", "InvalidChangeSetStatus"])
def test_change_set_of_a_stack_that_has_changed_since_is_refused(
    stubbed: StubbedAccount, code: str
) -> None:
    """Nothing else is executed in its place."""
    stubbed.refuses(CF, "execute_change_set", code)
    with pytest.raises(RefusedError, match="no longer valid"):
        execute(stubbed.gateway, ChangeSet(SET, ARN, (), first=False))


def _template(kind: str, member: str, **more: Any) -> StackTemplate:
    resource = {"Type": kind, "Properties": {member: "ours"}, **more}
    document = {
        "Parameters": {"ConnectionArn": {"Default": ""}},
        "Conditions": {"Makes": {"Fn::Equals": [{"Ref": "ConnectionArn"}, ""]}},
        "Resources": {"One": resource},
    }
    return StackTemplate(NAME, "infra/shared.yaml", "", document, "ours")


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("403", 403, "belongs to another account, or you may not look at it"),
        ("301", 301, "exists in another region"),
        ("404", 404, None),
    ],
)
def test_bucket_of_somebody_else_is_found(
    stubbed: StubbedAccount, code: str, status: int, problem: str | None
) -> None:
    """A bucket's name is taken once in all accounts."""
    stubbed.answers("sts", "get_caller_identity", {"Account": ACCOUNT})
    stubbed.refuses("s3", "head_bucket", code, status=status)
    template = _template("AWS::S3::Bucket", "BucketName")
    taken = list(taken_names(stubbed.gateway, template, Deployed(NAME, REGION), {}))
    assert [one.problem for one in taken] == ([] if problem is None else [problem])


def test_resource_of_the_stack_itself_is_not_taken() -> None:
    """Nothing is asked about it."""
    deployed = stack_in("CREATE_COMPLETE", resources={"One": "ours"})
    template = _template("AWS::IAM::Role", "RoleName")
    assert not [*taken_names(StubbedAccount().gateway, template, deployed, {})]


def test_resource_that_gets_the_name_of_another_is_looked_for() -> None:
    """The stack has it under an earlier name; the ARN of the service holds the name it has now."""
    template = _template("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName")
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/OURS"
    own = stack_in("CREATE_COMPLETE", resources={"One": arn})
    assert not [*taken_names(StubbedAccount().gateway, template, own, {})]
    stubbed = StubbedAccount()
    stubbed.answers("sagemaker", "describe_model_package_group", _GROUP)
    renamed = stack_in("CREATE_COMPLETE", resources={"One": f"{arn}-before"})
    (taken,) = taken_names(stubbed.gateway, template, renamed, {})
    assert taken.identifier == ("ModelPackageGroupArn", _GROUP["ModelPackageGroupArn"])


@pytest.mark.parametrize(
    ("kind", "member", "service", "operation", "code"),
    [
        ("AWS::SQS::Queue", "QueueName", "sqs", "get_queue_url", "QueueDoesNotExist"),
        ("AWS::SNS::Topic", "TopicName", "sns", "get_topic_attributes", "NotFound"),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "iam", "get_policy", "NoSuchEntity"),
        (
            "AWS::Scheduler::Schedule",
            "Name",
            "scheduler",
            "get_schedule",
            "ResourceNotFoundException",
        ),
    ],
)
def test_what_else_has_a_name_is_looked_for(
    kind: str, member: str, service: str, operation: str, code: str
) -> None:
    """A stack that fails in its middle says less, and later."""
    template, nothing = _template(kind, member), Deployed(NAME, REGION)
    for is_there in (True, False):
        stubbed = StubbedAccount()
        stubbed.answers("sts", "get_caller_identity", {"Account": ACCOUNT})
        if is_there:
            stubbed.answers(service, operation, {"QueueUrl": "u"} if service == "sqs" else {})
        else:
            stubbed.refuses(service, operation, code, status=404)
        found = [*taken_names(stubbed.gateway, template, nothing, {})]
        assert [one.name for one in found] == (["ours"] if is_there else [])


_GROUP = {
    "ModelPackageGroupName": "ours",
    "ModelPackageGroupArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/ours",
    "CreationTime": 0,
    "CreatedBy": {},
    "ModelPackageGroupStatus": "Completed",
}


def test_connection_of_that_name_is_found_where_one_is_to_be_made(stubbed: StubbedAccount) -> None:
    """With the ARN of another one, none is made, and nothing is asked."""
    template = _template("AWS::CodeConnections::Connection", "ConnectionName", Condition="Makes")
    stubbed.answers(
        "codeconnections", "list_connections", {"Connections": [{"ConnectionName": "ours"}]}
    )
    nothing = Deployed(NAME, REGION)
    (taken,) = taken_names(stubbed.gateway, template, nothing, {})
    assert taken.name == "ours"
    assert not [*taken_names(stubbed.gateway, template, nothing, {"ConnectionArn": "arn"})]
