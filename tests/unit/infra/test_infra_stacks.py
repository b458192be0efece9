"""What the stacks of the golden projects hold, read as an account would read them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from pipelines.infra.approval import decisions
from pipelines.infra.model import logical_id
from pipelines.json_types import JsonObject
from tests import fast_yaml
from tests.golden.infra_projects import FOLDER, stacks_of

_READS = {"s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt"}
_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


@cache
def _resources(case: str, name: str) -> JsonObject:
    stacks = {stack.file: stack for stack in stacks_of(FOLDER / case)}
    resources: JsonObject = stacks[name].template.document()["Resources"]
    return resources


def _types(case: str, name: str) -> set[str]:
    return {str(one["Type"]) for one in _resources(case, name).values()}


def _statements(role: JsonObject) -> list[JsonObject]:
    policies = role["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _roles(resources: JsonObject) -> dict[str, JsonObject]:
    return {name: one for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"}


def test_only_the_approval_status_deploys() -> None:
    """The rule has the pattern that `test_deploy_events` holds against events."""
    rule = _resources("accounts", "churn.yaml")["ApprovalRule"]["Properties"]
    assert rule["EventPattern"] == decisions("111122223333", ["churn"])


def test_an_approval_starts_the_deploy_pipeline_and_is_not_lost() -> None:
    """Its role may start that pipeline alone; what cannot be delivered is kept, with an alarm."""
    resources = _resources("accounts", "churn.yaml")
    target = resources["ApprovalRule"]["Properties"]["Targets"][0]
    deploys = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/churn-deploy"
    assert target["Arn"] == deploys
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}}
    assert "SageMakerPipelineParameters" not in target
    [statement] = _statements(resources["ApprovalRole"])
    assert statement["Action"] == ["sagemaker:StartPipelineExecution"]
    assert statement["Resource"] == [deploys]
    assert resources["UndeliveredEvents"]["Properties"]["SqsManagedSseEnabled"] is True


def test_every_role_is_trusted_for_its_own_account_alone() -> None:
    """A service acts with it for this account, or one named role of the CI's account does."""
    for case, name in (("accounts", "churn.yaml"), ("accounts", "churn-prod.yaml")):
        for role in _roles(_resources(case, name)).values():
            [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if "Service" in statement["Principal"]:
                assert set(statement["Condition"]["StringEquals"]) == {"aws:SourceAccount"}
            else:
                assert statement["Principal"]["AWS"].startswith(
                    "arn:aws:iam::111122223333:role/churn-prod-ci-"
                )


def test_every_role_takes_a_boundary() -> None:
    """One parameter bounds them all."""
    for role in _roles(_resources("accounts", "churn.yaml")).values():
        assert role["Properties"]["PermissionsBoundary"]["Fn::If"][0] == "HasPermissionsBoundary"


def test_builds_of_pull_requests_may_write_logs_and_their_artifacts_alone() -> None:
    """They read the tool, too; nothing of a pipeline, no role, no artifact of a push."""
    resources = _resources("accounts", "churn.yaml")
    for name in ("ReviewValidateRole", "ReviewTestsRole"):
        for statement in _statements(resources[name]):
            writes = set(statement["Action"]) - {
                "s3:GetObject",
                "s3:GetObjectVersion",
                "kms:Decrypt",
            }
            assert writes <= {*_LOGS, "s3:PutObject", "kms:GenerateDataKey"}
            if "s3:PutObject" in writes:
                bucket = "arn:aws:s3:::pipelines-reviews-111122223333-eu-central-1"
                assert all(
                    one.startswith(f"{bucket}/churn-ci-review") for one in statement["Resource"]
                )


def test_a_plan_changes_nothing() -> None:
    """Its role reads; besides its log and artifacts it writes nothing."""
    for statement in _statements(_resources("accounts", "churn.yaml")["DefaultPlanRole"]):
        if statement["Sid"] in {"Log", "Artifacts", "Key"}:
            continue
        verbs = {action.split(":")[1] for action in statement["Action"]}
        assert all(verb.startswith(("Describe", "Get", "List", "Decrypt")) for verb in verbs)


def test_a_release_passes_the_pipelines_role_to_sagemaker_alone() -> None:
    """And no other role: it could start a job as the deployer otherwise."""
    statements = _statements(_resources("accounts", "churn.yaml")["DefaultReleaseRole"])
    [passing] = [one for one in statements if "iam:PassRole" in one["Action"]]
    assert passing["Resource"] == ["arn:aws:iam::111122223333:role/churn"]
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com"]}
    }


def test_another_account_is_entered_by_a_role_of_the_same_name() -> None:
    """The build of the CI's account may do nothing there but take it on."""
    name = "churn-prod-ci-release"
    acting = [
        one
        for one in _statements(_resources("accounts", "churn.yaml")["ProdReleaseRole"])
        if one["Sid"] == "Act"
    ]
    assert acting == [
        {
            "Sid": "Act",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [f"arn:aws:iam::444455556666:role/{name}"],
        }
    ]
    there = _resources("accounts", "churn-prod.yaml")["ReleaseRole"]["Properties"]
    assert there["RoleName"] == name
    project = _resources("accounts", "churn.yaml")["ProdReleaseProject"]["Properties"]
    spec = fast_yaml.load(project["Source"]["BuildSpec"])
    assert (
        f"aws configure set profile.target.role_arn arn:aws:iam::444455556666:role/{name}"
        in (spec["phases"]["build"]["commands"])
    )


def test_environments_are_released_in_order_each_but_the_first_with_an_approval() -> None:
    """Plan, a person, then exactly that plan."""
    stages = _resources("accounts", "churn.yaml")["Pipeline"]["Properties"]["Stages"]
    shown = {stage["Name"]: [action["Name"] for action in stage["Actions"]] for stage in stages}
    assert shown == {
        "Source": ["Source"],
        "Checks": ["Validate", "Tests"],
        "default": ["Plan", "Release"],
        "staging": ["Plan", "Approve", "Release"],
        "prod": ["Plan", "Approve", "Release"],
    }
    orders = [action["RunOrder"] for action in stages[3]["Actions"]]
    assert orders == [1, 2, 3]


def test_every_build_has_a_timeout_and_no_cache() -> None:
    """The service's own would be an hour, and a cache would carry one build into another."""
    resources = _resources("accounts", "churn.yaml")
    projects = [one for one in resources.values() if one["Type"] == "AWS::CodeBuild::Project"]
    assert projects
    for project in projects:
        assert project["Properties"]["TimeoutInMinutes"]
        assert project["Properties"]["Cache"] == {"Type": "NO_CACHE"}


def test_buckets_are_kept_and_their_code_never_goes_by_age() -> None:
    """Only outputs of runs, old versions and parts of uploads do; longer than any cache."""
    resources = _resources("accounts", "shared.111122223333.eu-central-1.yaml")
    bucket = resources["BucketChurnMl"]
    assert bucket["DeletionPolicy"] == "Retain"
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    by_age = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]
    assert by_age == ["churn/runs/", "churn-staging/runs/"]
    stack = next(s for s in stacks_of(FOLDER / "accounts") if s.file.startswith("shared.1"))
    assert stack.template.parameters["RunsExpireAfterDays"]["Default"] == 330


def test_a_schedule_starts_the_pipeline_with_its_parameters() -> None:
    """An environment may take it away."""
    target = _resources("accounts", "churn.yaml")["ScheduleWeekly"]["Properties"]["Target"]
    assert target["SageMakerPipelineParameters"] == {
        "PipelineParameterList": [{"Name": "epochs", "Value": "8"}]
    }
    assert "AWS::Scheduler::Schedule" not in _types("accounts", "churn-prod.yaml")


def test_who_is_named_hears_of_failures_and_of_what_waits() -> None:
    """By a topic of the shared stack, and by the one that the spec names."""
    resources = _resources("accounts", "churn.yaml")
    shared = _resources("accounts", "shared.111122223333.eu-central-1.yaml")
    own = "arn:aws:sns:eu-central-1:111122223333:churn-notifications"
    assert shared["TopicChurn"]["Properties"]["TopicName"] == own.rpartition(":")[2]
    rules_of = shared["PolicyOfTopicChurn"]["Properties"]["PolicyDocument"]["Statement"][0]
    (pattern,) = rules_of["Condition"]["ArnLike"].values()
    rules = ("FailedRule", "WaitingRule", "CiFailedRule", "CiWaitingRule")
    for rule in rules:
        told = [target["Arn"] for target in resources[rule]["Properties"]["Targets"]]
        assert told == [own, "arn:aws:sns:eu-central-1:111122223333:alerts"]
        name = resources[rule]["Properties"]["Name"]
        assert fnmatchcase(f"arn:aws:events:eu-central-1:111122223333:rule/{name}", pattern)
    prod = _resources("accounts", "churn-prod.yaml")
    assert len(prod["FailedRule"]["Properties"]["Targets"]) == 1
    assert "CiFailedRule" not in prod


def test_without_connections_an_upload_starts_the_pipeline() -> None:
    """There are no pull requests then, and no trigger with filters."""
    resources = _resources("upload", "churn.yaml")
    assert "ReviewPipeline" not in resources
    assert "Triggers" not in resources["Pipeline"]["Properties"]
    detail = resources["UploadRule"]["Properties"]["EventPattern"]["detail"]
    assert detail == {
        "bucket": {"name": ["pipelines-source-111122223333-cn-north-1"]},
        "object": {"key": ["churn/source.zip"]},
    }


def test_the_id_of_a_resource_depends_on_its_own_name_alone() -> None:
    """One that is added or removed makes CloudFormation rename, and so replace, no other one."""
    assert logical_id("Bucket", "churn-ml") == "BucketChurnMl"
    alike = ("a-b", "ab", "a.b", "A-b", "a1b", "a-1b", "a--b", "a_b", "a-policy", "a")
    found = [logical_id("Bucket", name) for name in alike]
    assert len(set(found)) == len(alike)
    assert all(one.isalnum() for one in found)
    policies = {f"PolicyOf{one}" for one in found}
    assert not policies & set(found)
