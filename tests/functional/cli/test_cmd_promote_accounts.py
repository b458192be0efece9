"""`promote` between two accounts: two local SageMakers behind two AWS profiles stand in for them.

Each is served with an account id and a region of its own; the commands know nothing of the local
SageMaker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.backends.local.api import running
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.cli.target import open_sagemaker
from tests.functional.cli.in_process import Answer
from tests.functional.cli.multiplying_project import SPEC, Project, write_project

STAGING, PROD = "111122223333", "444455556666"
ACCOUNTS = (
    SPEC
    + f"""\
aws:
  region: us-east-1
  role: arn:aws:iam::{STAGING}:role/jobs
  bucket: staging-bucket
environments:
  prod:
    aws:
      region: eu-central-1
      role: arn:aws:iam::{PROD}:role/jobs
      bucket: prod-bucket
    steps:
      register:
        group: tiny-prod
  same:
    aws:
      bucket: other-bucket
"""
)


@dataclass(frozen=True)
class Accounts:
    """Two accounts, each with a profile of its name, and the project that goes to both."""

    project: Project
    staging: LocalSageMaker
    prod: LocalSageMaker
    patch: pytest.MonkeyPatch

    def run(self, profile: str, *words: str) -> Answer:
        """Run a command as somebody who uses a profile."""
        self.patch.setenv("AWS_PROFILE", profile)
        return self.project.run(*words)

    def good(self, profile: str, *words: str) -> str:
        """Run a command that has to succeed; return what it prints."""
        answer = self.run(profile, *words)
        assert answer.code == 0, answer.out + answer.err
        return answer.out + answer.err

    def register(self) -> str:
        """Train on this machine and register the model in staging, approved; return its ARN."""
        self.project.good("run")
        with open_sagemaker(self.project.folder / "pipeline.yaml") as sagemaker:
            arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package/tiny/1"
            made = sagemaker.describe_model_package(ModelPackageName=arn)
            specification = made["InferenceSpecification"]
            (container,) = specification["Containers"]
            archive = sagemaker.objects.get_bytes(container["ModelDataUrl"])
        container["ModelDataUrl"] = "s3://staging-bucket/tiny/packages/x/model.tar.gz"
        self.staging.objects.put_bytes(container["ModelDataUrl"], archive)
        self.staging.create_model_package_group(ModelPackageGroupName="tiny")
        registered = self.staging.create_model_package(
            ModelPackageGroupName="tiny",
            ModelApprovalStatus="Approved",
            InferenceSpecification=specification,
        )
        return str(registered["ModelPackageArn"])


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    """Serve two local SageMakers, each with an account id and a region of its own."""
    (tmp_path / "project").mkdir()
    project = write_project(tmp_path / "project")
    (project.folder / "pipeline.yaml").write_text(ACCOUNTS)
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    places = (("staging", STAGING, "us-east-1"), ("prod", PROD, "eu-central-1"))
    with ExitStack() as stack:
        served: dict[str, LocalSageMaker] = {}
        profiles: list[str] = []
        for name, account, region in places:
            settings = LocalSettings(
                tmp_path / name, Path(sys.executable), region=region, account=account
            )
            sagemaker = stack.enter_context(LocalSageMaker(settings))
            sagemaker.objects.put_bytes(f"s3://{name}-bucket/made", b"")
            api = stack.enter_context(running(sagemaker, execute=True))
            served[name] = sagemaker
            profiles += [f"[profile {name}]", f"endpoint_url = {api.url}"]
            profiles.append(f"aws_access_key_id = {api.credentials.access_key}")
            profiles.append(f"aws_secret_access_key = {api.credentials.secret_key}")
        config = tmp_path / "config"
        config.write_text("\n".join(profiles))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        yield Accounts(project, served["staging"], served["prod"], monkeypatch)


@pytest.mark.slow
def test_two_accounts_in_two_regions(accounts: Accounts) -> None:
    """Each environment has its account, group, region and credentials; nothing is `--local`."""
    arn = accounts.register()
    accounts.prod.create_model_package_group(ModelPackageGroupName="tiny-prod")
    promote = ["promote", "tiny/1", "--to", "prod"]
    refused = accounts.run("staging", *promote)
    assert refused.code == 2
    assert f"belong to account {STAGING}, its `aws.role` to {PROD}" in refused.err
    assert "add --to-profile NAME with a profile for account" in refused.err
    promote += ["--to-profile", "prod"]
    asked = accounts.run("staging", *promote)
    assert asked.code == 2
    assert f"register tiny/1 of account {STAGING}, region us-east-1" in asked.err
    assert "as a pending version of tiny-prod, copying 1 file (" in asked.err
    assert f"in account {PROD}, region eu-central-1" in asked.err
    assert "add --yes" in asked.err
    said = accounts.good("staging", *promote, "--yes")
    assert f"tiny/1 was promoted as tiny-prod/1 of account {PROD}" in said
    assert "AWS_PROFILE=prod python -m pipelines approve --env prod tiny-prod/1" in said
    there = f"arn:aws:sagemaker:eu-central-1:{PROD}:model-package/tiny-prod/1"
    made = accounts.prod.describe_model_package(ModelPackageName=there)
    (container,) = made["InferenceSpecification"]["Containers"]
    assert ".dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:" in container["Image"]
    assert container["ModelDataUrl"].startswith("s3://prod-bucket/tiny/packages/promoted/")
    assert made["CustomerMetadataProperties"]["promoted.from"] == arn
    assert arn in accounts.good("prod", "models", "--env", "prod", "show", "tiny-prod/1")
    accounts.prod.update_model_package(ModelPackageArn=there, ModelApprovalStatus="Approved")
    said = accounts.good("prod", "deploy", "--env", "prod", "--yes")
    assert "tiny: tiny-prod/1 is live" in said
    invoked = accounts.good("prod", "invoke", "--env", "prod", "tiny", "--file", "sample.json")
    assert '"y": 42' in invoked


def test_environments_of_one_account_share_a_registry(accounts: Accounts) -> None:
    """There is nothing to promote between them."""
    refused = accounts.run("staging", "promote", "tiny/1", "--to", "same")
    assert refused.code == 2
    assert "they share one registry" in refused.err
