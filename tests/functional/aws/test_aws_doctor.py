"""`doctor` against an account: what is missing is named with the way to get it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from pipelines.definition.needs import needs_of
from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import BUCKET, add_deployment, edit
from tests.functional.aws.proxy import Answer, Fault, Forward, refusal
from tests.functional.aws.seen import Seen

TRUSTING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
XML = {"content-type": "text/xml"}
JSON = {"content-type": "application/x-amz-json-1.1"}


@dataclass
class HealthMends:
    """Simulated policies, quotas and images, which moto has not; everything is there at first."""

    denied: set[str] = field(default_factory=set)
    quotas: Mapping[str, float] = field(
        default_factory=lambda: {
            "ml.m5.xlarge for training job usage": 4,
            "ml.m5.xlarge for processing job usage": 4,
        }
    )
    absent: str = "no image"
    asked: list[str] = field(default_factory=list)
    resources: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """Answer what is asked of these three services."""
        del forward
        if seen.operation == "SimulatePrincipalPolicy":
            return self._simulate(seen)
        if seen.operation == "ListServiceQuotas":
            quotas = [{"QuotaName": name, "Value": value} for name, value in self.quotas.items()]
            return Answer(200, json.dumps({"Quotas": quotas}).encode(), JSON)
        if seen.operation == "BatchGetImage":
            failed = self.absent in seen.json()["repositoryName"]
            failure = {"failureCode": "ImageNotFound", "failureReason": "not found"}
            said = {"images": [], "failures": [failure] if failed else []}
            return Answer(200, json.dumps(said).encode(), JSON)
        return None

    def _simulate(self, seen: Seen) -> Answer:
        form = parse_qs(seen.body.decode())
        actions = [value[0] for key, value in form.items() if key.startswith("ActionNames")]
        arns = {value[0] for key, value in form.items() if key.startswith("ResourceArns")}
        role = form["PolicySourceArn"][0].rpartition("/")[2]
        self.asked.extend(actions)
        self.resources.update({(role, action): arns for action in actions})
        results = "".join(
            f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>"
            f"{'implicitDeny' if action in self.denied else 'allowed'}</EvalDecision></member>"
            for action in actions
        )
        body = (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><EvaluationResults>{results}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
            "</SimulatePrincipalPolicyResponse>"
        )
        return Answer(200, body.encode(), XML)


@pytest.fixture
def mends(account: Account) -> HealthMends:
    """Teach moto what it has not."""
    made = HealthMends()
    account.proxy.mends = (made, *account.proxy.mends)
    return made


def make_role(account: Account, trust: object = None, name: str = "jobs") -> None:
    """Make the role of the spec."""
    document = json.dumps(trust or TRUSTING)
    account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)


def test_a_healthy_account_is_all_ok(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """Exit code 0; nothing was changed; the role was asked about what its steps need."""
    del project
    make_role(account)
    account.proxy.seen.clear()
    answer = pipelines("doctor")
    assert answer.code == 0, answer.out + answer.err
    assert "missing " not in answer.out
    for subject in ("credentials", "region", "role", "role's permissions", "bucket", "quotas"):
        assert f"  ok       {subject}: " in answer.out
    assert "isolation" in answer.out
    assert account.proxy.changes() == []
    assert {"sagemaker:CreateTrainingJob", "sagemaker:CreateModelPackage"} <= set(mends.asked)


def test_a_plan_names_the_quotas_with_what_doctor_has_read(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """They are kept with their date, since Service Quotas lists them all or none."""
    make_role(account)
    needed = "quota: ml.m5.xlarge for training job usage: a step needs 1; "
    before = pipelines("plan")
    assert f"{needed}its value is unknown: `pipelines doctor` reads it" in before.out, before.err
    pipelines("doctor")
    assert f"{needed}the account had 4 on 20" in pipelines("plan").out
    mends.quotas = {"ml.m5.xlarge for training job usage": 0}
    pipelines("doctor")
    assert re.search(re.escape(needed) + "the account had 0 on .*, too few", pipelines("plan").out)
    (project / ".pipelines" / "quotas.json").write_text("[", encoding="utf-8")
    assert f"{needed}its value is unknown" in pipelines("plan").out


def test_everything_that_is_missing_is_found_at_once(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """Exit code 4; each finding says how to get it."""
    account.client("s3").delete_bucket(Bucket=BUCKET)
    mends.quotas = {"ml.m5.xlarge for training job usage": 0}
    mends.absent = "scikit-learn"
    answer = pipelines("doctor")
    assert answer.code == 4
    assert "missing  role: there is no role arn:aws:iam::123456789012:role/jobs" in answer.out
    assert "aws iam create-role --role-name jobs" in answer.out
    assert f"missing  bucket: there is no bucket {BUCKET}" in answer.out
    assert "aws s3 mb s3://team-bucket --region us-east-1" in answer.out
    made_by = "or let `pipelines ci init` and `pipelines ci apply` make it"
    assert answer.out.count(made_by) == 2
    assert "ml.m5.xlarge for training job usage: 0, a step needs 1" in answer.out
    assert (
        "unknown  quotas: there is no quota `ml.m5.xlarge for processing job usage`" in answer.out
    )
    assert "missing  images: there is no image" in answer.out
    assert "4 things are missing in the account" in answer.err
    assert project.is_dir()


def test_a_role_that_sagemaker_may_not_assume_is_told_the_policy(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """The remedy is the trust policy itself."""
    del project, mends
    trust = json.loads(json.dumps(TRUSTING).replace("sagemaker", "ec2"))
    make_role(account, trust)
    answer = pipelines("doctor")
    assert answer.code == 4
    assert "does not let SageMaker assume it" in answer.out
    assert '"Service": "sagemaker.amazonaws.com"' in answer.out


def test_a_missing_permission_is_named(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """As the action that IAM knows."""
    del project
    make_role(account)
    mends.denied = {"sagemaker:CreateProcessingJob"}
    answer = pipelines("doctor")
    assert answer.code == 4
    assert "role's permissions: not allowed: sagemaker:CreateProcessingJob" in answer.out


def test_the_role_of_a_deployment_is_asked_about_what_the_deployer_calls(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """On the resources that it is for; the role of the other jobs is not asked about that."""
    add_deployment(project)
    make_role(account)
    make_role(account, name="deployer")
    mends.denied = {"sagemaker:UpdateEndpoint"}
    answer = pipelines("doctor")
    assert answer.code == 4
    assert "missing  deploy role's permissions: not allowed: sagemaker:UpdateEndpoint" in answer.out
    assert "one thing is missing" in answer.err
    written = {
        f"arn:aws:s3:::team-bucket/churn/{area}/*" for area in ("packages", "deployments/churn")
    }
    assert mends.resources["deployer", "s3:PutObject"] == written
    assert mends.resources["jobs", "s3:PutObject"] == {"arn:aws:s3:::team-bucket/churn/runs/*"}
    passed = {f"arn:aws:iam::123456789012:role/{name}" for name in ("jobs", "deployer")}
    assert mends.resources["jobs", "iam:PassRole"] == passed


def test_what_may_not_be_asked_is_unknown_and_no_failure(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """Few people may simulate policies or read quotas."""
    del project, mends
    make_role(account)
    denied = refusal("AccessDenied", "not authorized", 403)
    for operation in ("SimulatePrincipalPolicy", "ListServiceQuotas", "BatchGetImage", "GetRole"):
        account.proxy.faults.append(Fault(operation, denied, -1))
    answer = pipelines("doctor")
    assert answer.code == 0, answer.out
    assert "unknown  role: AWS refused iam:GetRole" in answer.out
    assert "unknown  quotas: AWS refused servicequotas:ListServiceQuotas" in answer.out


def test_a_tuning_step_asks_for_the_machines_of_all_its_parallel_jobs() -> None:
    """They are training jobs to the quotas."""
    machines = {"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2}}
    limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 3}}
    arguments = {
        "HyperParameterTuningJobConfig": limits,
        "TrainingJobDefinition": machines,
    }
    steps = [{"Name": "tune", "Type": "Tuning", "Arguments": arguments}]
    needs = needs_of({"Steps": steps})
    assert needs.instances == {("training job", "ml.g5.xlarge"): 6}


ASKED_BY = {
    "HeadObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
}
"""The IAM action where it is not called as the operation is."""


def test_all_that_upsert_and_start_call_is_asked_about(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """Who is told that all is well is refused nothing after that."""
    make_role(account)
    assert pipelines("doctor").code == 0
    account.proxy.seen.clear()
    for tags in ("{team: ml}", "{owner: me}"):
        edit(project / "pipeline.yaml", "tags: {team: ml}", f"tags: {tags}")
        edit(project / "steps/train.py", "training", "training more")
        assert pipelines("upsert", "--yes").code == 0
    assert pipelines("start").code == 0
    called = {
        ASKED_BY.get(seen.operation, f"{seen.service}:{seen.operation}")
        for seen in account.proxy.seen
    }
    assert {"sagemaker:DeleteTags", "sagemaker:UpdatePipeline", "s3:ListBucket"} < called
    assert called - {"sts:GetCallerIdentity"} <= set(mends.asked)


def test_without_credentials_the_rest_is_not_asked(
    account: Account, project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finding; what is to be known of this machine is shown all the same."""
    del project, account
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answer = pipelines("doctor")
    assert answer.code == 4
    assert "isolation" in answer.out
    assert "missing  credentials: there are no AWS credentials" in answer.out
    assert "one thing is missing" in answer.err


def test_json_has_the_same_findings(
    account: Account, project: Path, pipelines: Command, mends: HealthMends
) -> None:
    """For machines; the role of another account is among them."""
    del mends
    make_role(account)
    edit(project / "pipeline.yaml", "123456789012:role/jobs", "999999999999:role/jobs")
    answer = pipelines("doctor", "--format", "json")
    assert answer.code == 4
    said = json.loads(answer.out)
    verdicts = {check["subject"]: check["verdict"] for check in said["account"]}
    assert (verdicts["credentials"], verdicts["role"]) == ("ok", "missing")
    assert {fact["subject"] for fact in said["here"]} >= {"python", "isolation", "frameworks"}


def test_with_local_no_account_is_asked(
    account: Account, project: Path, pipelines: Command
) -> None:
    """This machine alone."""
    del project
    answer = pipelines("doctor", "--local")
    assert answer.code == 0, answer.err
    assert account.proxy.seen == []
