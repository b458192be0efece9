"""What exists in an account and is taken into a stack, or used as it is, by botocore's Stubber.

What CloudFormation does with such a change set is not shown here, nor anywhere in these tests.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import ANY

from pipelines.account.stacks.change_set import Change, ChangeSet, execute
from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.existing import Taken
from pipelines.account.stacks.identity import provider_parameters
from pipelines.account.stacks.importing import import_change_set
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.errors import UsageError
from tests.unit.account.shared_stack import ARN, CF, NAME, stack_in
from tests.unit.account.stubbed import ACCOUNT, REGION, StubbedAccount

SET = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/pipelines-1/1"
GROUP = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/churn"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
DOCUMENT: dict[str, Any] = {
    "Parameters": {"Days": {"Default": "30"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "jobs", "Path": "/ml/", "AssumeRolePolicyDocument": TRUST},
        },
        "GroupChurn": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "DeletionPolicy": "Retain",
            "Properties": {"ModelPackageGroupName": "churn", "Tags": [{"Key": "a"}]},
        },
    },
}
TEMPLATE = StackTemplate(NAME, "infra/churn.yaml", json.dumps(DOCUMENT), DOCUMENT, "churn-ml")
TAKEN = (
    Taken("Role", "AWS::IAM::Role", "jobs", "exists", ("RoleName", "jobs")),
    Taken(
        "GroupChurn",
        "AWS::SageMaker::ModelPackageGroup",
        "churn",
        "exists",
        ("ModelPackageGroupArn", GROUP),
    ),
)


def _import(stubbed: StubbedAccount, deployed: Deployed) -> dict[str, Any]:
    """Import, and return the template that CloudFormation gets."""
    sent: dict[str, Any] = {}
    wanted = [
        {"ResourceType": one.type, "LogicalResourceId": one.logical,
         "ResourceIdentifier": dict([one.identifier or ("", "")])}
        for one in TAKEN
    ]  # fmt: skip
    expected = {
        "StackName": NAME, "ChangeSetName": ANY, "ChangeSetType": "IMPORT", "ClientToken": ANY,
        "Description": ANY, "Capabilities": ["CAPABILITY_NAMED_IAM"], "Parameters": [],
        "TemplateBody": ANY, "ResourcesToImport": wanted,
    }  # fmt: skip
    stubbed.answers(CF, "create_change_set", {"Id": SET, "StackId": ARN}, expected)
    stubbed.answers(CF, "describe_change_set", {"Status": "CREATE_COMPLETE"})
    change = {"Action": "Import", "LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role"}
    changes = [{"Type": "Resource", "ResourceChange": change}]
    stubbed.answers(CF, "describe_change_set", {"Changes": changes})
    stubbed.on_request(CF, "CreateChangeSet", sent.update)
    found = import_change_set(stubbed.gateway, TEMPLATE, deployed, TAKEN)
    assert found is not None
    assert found.changes[0].is_import
    body: dict[str, Any] = json.loads(sent["TemplateBody"])
    return body


def test_what_exists_is_imported_with_its_name_alone(stubbed: StubbedAccount) -> None:
    """CloudFormation takes the template's word: a property that is named here is never set."""
    body = _import(stubbed, Deployed(NAME, REGION))
    role, group = body["Resources"]["Role"], body["Resources"]["GroupChurn"]
    assert group["Properties"] == {"ModelPackageGroupName": "churn"}
    assert {name: role["Properties"][name] for name in ("RoleName", "Path")} == {
        "RoleName": "jobs",
        "Path": "/ml/",
    }
    assert role["Properties"]["AssumeRolePolicyDocument"] != TRUST, "it becomes a change"
    assert role["DeletionPolicy"] == group["DeletionPolicy"] == "Retain"


def test_an_import_into_a_stack_leaves_the_rest_of_it_as_it_is(stubbed: StubbedAccount) -> None:
    """CloudFormation refuses an import that changes anything else."""
    queue = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "old"}}}
    before = {"Description": "before", "Resources": queue, "Outputs": {"A": {"Value": "1"}}}
    stubbed.answers(CF, "get_template", {"TemplateBody": json.dumps(before)})
    body = _import(stubbed, stack_in("UPDATE_COMPLETE", resources={"Queue": "old"}))
    assert body["Resources"]["Queue"] == queue["Queue"]
    assert body["Outputs"] == before["Outputs"]
    assert body.keys() == before.keys()


def test_what_is_imported_is_not_deleted_when_that_fails(stubbed: StubbedAccount) -> None:
    """RetainExceptOnCreate removes what a first try has made; this was there before."""
    expected = {"ChangeSetName": SET, "ClientRequestToken": ANY}
    stubbed.answers(CF, "execute_change_set", {}, expected)
    change = Change("import", "Role", "AWS::IAM::Role")
    execute(stubbed.gateway, ChangeSet(SET, ARN, (change,), first=True))


def test_an_import_that_failed_leaves_an_empty_stack_to_delete() -> None:
    """One that has resources is as good as before."""
    with pytest.raises(UsageError, match="IMPORT_ROLLBACK_COMPLETE") as refused:
        stack_in("IMPORT_ROLLBACK_COMPLETE").require_changeable()
    assert "delete-stack" in (refused.value.remedy or "")
    stack_in("IMPORT_ROLLBACK_COMPLETE", resources={"A": "a"}).require_changeable()


URL = "https://token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
CREATES = "CreateIdentityProvider"
MAKES = f"{CREATES}GitHub"
IDENTITY: dict[str, Any] = {
    "Parameters": {MAKES: {"Default": "true"}},
    "Resources": {
        "IdentityProviderGitHub": {
            "Type": "AWS::IAM::OIDCProvider",
            "Properties": {"Url": URL, "ClientIdList": ["sts.amazonaws.com"]},
        }
    },
}


def _parameter(
    stubbed: StubbedAccount, deployed: Deployed, given: dict[str, str], found: list[str] | None
) -> tuple[dict[str, str], list[str]]:
    stubbed.answers("sts", "get_caller_identity", {"Account": ACCOUNT})
    expected = {"OpenIDConnectProviderArn": PROVIDER}
    if found is None:
        stubbed.refuses("iam", "get_open_id_connect_provider", "NoSuchEntity", status=404)
    else:
        answer = {"ClientIDList": found}
        stubbed.answers("iam", "get_open_id_connect_provider", answer, expected)
    template = StackTemplate(NAME, "infra/shared.yaml", "", IDENTITY, "churn-ml")
    return provider_parameters(stubbed.gateway, template, deployed, given, CREATES)


NOTHING = Deployed(NAME, REGION)
CHOSEN = stack_in("CREATE_COMPLETE", parameters={MAKES: "false"}, defaults={MAKES: "true"})


def test_identity_provider_that_the_account_has_is_used(stubbed: StubbedAccount) -> None:
    """An account has one for each host; it is said once."""
    found, said = _parameter(stubbed, NOTHING, {}, ["sts.amazonaws.com"])
    assert found == {MAKES: "false"}
    assert said == [f"{CREATES}GitHub=false: the account has one for {URL} already"]
    again, quiet = _parameter(StubbedAccount(), CHOSEN, {}, ["sts.amazonaws.com"])
    assert (again, quiet) == (found, [])


def test_identity_provider_of_the_stack_itself_stays_in_it(stubbed: StubbedAccount) -> None:
    """It is there because the stack has made it."""
    own = stack_in("CREATE_COMPLETE", resources={"IdentityProviderGitHub": PROVIDER})
    template = StackTemplate(NAME, "infra/shared.yaml", "", IDENTITY, "churn-ml")
    assert provider_parameters(stubbed.gateway, template, own, {}, CREATES) == ({}, [])


def test_identity_provider_is_made_where_there_is_none(stubbed: StubbedAccount) -> None:
    """As the template says."""
    assert _parameter(stubbed, NOTHING, {}, None) == ({}, [])


@pytest.mark.parametrize(
    ("deployed", "given", "found", "words"),
    [
        (NOTHING, {MAKES: "true"}, ["sts.amazonaws.com"], "can have one only"),
        (NOTHING, {MAKES: "false"}, None, "has no identity provider"),
        (CHOSEN, {}, None, "has no identity provider"),
        (NOTHING, {}, ["other"], "does not accept tokens for sts.amazonaws.com"),
    ],
)
def test_identity_provider_that_would_let_no_job_in_is_refused(
    stubbed: StubbedAccount,
    deployed: Deployed,
    given: dict[str, str],
    found: list[str] | None,
    words: str,
) -> None:
    """Before anything changes, with the way out."""
    with pytest.raises(UsageError, match=words) as refused:
        _parameter(stubbed, deployed, given, found)
    assert refused.value.remedy
