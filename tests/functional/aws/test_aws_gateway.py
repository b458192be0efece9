"""The gateway against moto's server behind a proxy that injects faults."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from pipelines.backends.aws.gateway import Gateway, GatewaySettings
from pipelines.execution.caller import CallRefusedError
from pipelines.spec.model import Aws
from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.proxy import Answer, Fault, refusal

AWS = Aws(region="us-east-1", bucket="ours")


@pytest.fixture
def gateway(account: Account, pauses: list[float]) -> Gateway:
    """Open the account; pauses between retries are noted, not waited for."""
    del pauses
    account.make_bucket("ours")
    return Gateway.open(AWS, os.environ)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let botocore not wait between retries, but note how long it would have."""
    noted: list[float] = []

    class Clock:
        sleep = staticmethod(noted.append)

    monkeypatch.setattr("botocore.endpoint.time", Clock)
    return noted


def refused(action: Callable[[], Any]) -> CallRefusedError:
    """Return the error that an action ends in."""
    with pytest.raises(CallRefusedError) as caught:
        action()
    assert caught.value.exit_code == 4
    assert "secret" not in f"{caught.value.problem}{caught.value.remedy}"
    return caught.value


def describe(gateway: Gateway) -> CallRefusedError:
    """Describe a pipeline and return the refusal."""
    return refused(lambda: gateway.call("sagemaker", "describe_pipeline", PipelineName="churn"))


def test_the_account_is_asked_for_once(account: Account, gateway: Gateway) -> None:
    """GetCallerIdentity names it; every upload needs it."""
    assert gateway.account_id() == gateway.account_id() == ACCOUNT
    assert account.proxy.operations() == ["GetCallerIdentity"]


def test_an_upload_names_the_owner_and_the_key(account: Account, tmp_path: Path) -> None:
    """ExpectedBucketOwner keeps code out of a stranger's bucket; the KMS key is the spec's."""
    account.make_bucket("ours")
    large = tmp_path / "large"
    large.write_bytes(bytes(17 << 20))
    small = tmp_path / "small"
    small.write_bytes(b"small")
    gateway = Gateway.open(Aws(region="us-east-1", kms_key="alias/ours"), os.environ)
    for name, body in (("bytes", b"bytes"), ("small", small), ("large", large)):
        gateway.upload("ours", name, body)
    assert account.keys("ours") == ["bytes", "large", "small"]
    uploads = [seen for seen in account.proxy.seen if seen.changes]
    assert {seen.headers["x-amz-expected-bucket-owner"] for seen in uploads} == {ACCOUNT}
    starts = [seen for seen in uploads if "uploadId" not in seen.path]
    assert {seen.headers["x-amz-server-side-encryption"] for seen in starts} == {"aws:kms"}
    key = "x-amz-server-side-encryption-aws-kms-key-id"
    assert {seen.headers[key] for seen in starts} == {"alias/ours"}
    assert gateway.download("ours", "large") == bytes(17 << 20)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("DescribePipeline", refusal("ThrottlingException", "Rate exceeded"), 4),
        Fault("DescribePipeline", refusal("InternalFailure", status=500), 4),
        Fault("DescribePipeline", Answer(503), 4),
        Fault("DescribePipeline", None, 4),
    ],
    ids=["throttled", "500", "503", "reset"],
)
def test_a_transient_fault_is_waited_for(
    account: Account, gateway: Gateway, pauses: list[float], fault: Fault
) -> None:
    """Four failures, then the answer: pauses are random and bounded."""
    account.proxy.faults.append(fault)
    assert describe(gateway).is_missing
    assert len(pauses) == 4
    assert all(0 <= pause <= 2**number for number, pause in enumerate(pauses))


def test_throttling_that_lasts_ends_the_call(account: Account, gateway: Gateway) -> None:
    """Five attempts, then the user hears of it."""
    account.proxy.faults.append(Fault("*", refusal("ThrottlingException", "Rate exceeded"), -1))
    error = describe(gateway)
    assert error.code == "ThrottlingException"
    assert error.problem == "AWS kept throttling sagemaker:DescribePipeline on churn"
    assert error.remedy is not None
    assert "try again in a minute" in error.remedy
    assert len(account.proxy.seen) == 5


def test_an_outage_is_called_a_failure_of_aws(account: Account, gateway: Gateway) -> None:
    """A 500 that lasts."""
    account.proxy.faults.append(Fault("*", refusal("InternalFailure", "oh", status=500), -1))
    error = describe(gateway)
    assert "AWS failed in sagemaker:DescribePipeline on churn" in error.problem
    assert "a failure of AWS" in (error.remedy or "")


def test_resets_that_last_name_the_network(account: Account, gateway: Gateway) -> None:
    """The connection is reset five times."""
    account.proxy.faults.append(Fault("*", None, -1))
    error = describe(gateway)
    assert "AWS was not reached for sagemaker:DescribePipeline" in error.problem
    assert "proxy" in (error.remedy or "")


def test_a_call_that_is_never_answered_ends(account: Account, pauses: list[float]) -> None:
    """Read timeouts are retried, then reported; the limit is shortened for the test."""
    reported = threading.Event()

    def hang(_: object) -> None:
        reported.wait(60)

    account.proxy.on_call = hang
    options = {
        "config": Config(read_timeout=0.2, retries={"mode": "standard", "total_max_attempts": 2})
    }
    gateway = Gateway(botocore.session.Session(), GatewaySettings("us-east-1"), options)
    error = describe(gateway)
    reported.set()
    assert error.code == "ReadTimeoutError"
    assert "AWS was not reached" in error.problem
    assert len(pauses) == 1


@pytest.mark.parametrize("code", ["ExpiredTokenException", "ExpiredToken"])
def test_expired_credentials_say_how_to_log_in(
    account: Account, gateway: Gateway, code: str
) -> None:
    """And that there is a local SageMaker."""
    account.proxy.faults.append(Fault("*", refusal(code, "The security token is expired", 400), -1))
    error = describe(gateway)
    assert error.problem == "the AWS credentials have expired"
    assert "aws sso login" in (error.remedy or "")
    assert "--local" in (error.remedy or "")
    assert len(account.proxy.seen) == 1


def test_wrong_credentials_are_named(account: Account, gateway: Gateway) -> None:
    """No retry: they do not become right."""
    account.proxy.faults.append(
        Fault(
            "*", refusal("UnrecognizedClientException", "The security token is invalid.", 403), -1
        )
    )
    assert "does not accept the credentials" in describe(gateway).problem
    assert len(account.proxy.seen) == 1


def test_no_credentials_at_all(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """What most people see first."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    error = describe(Gateway.open(AWS, os.environ))
    assert error.problem == "there are no AWS credentials"
    assert "--local" in (error.remedy or "")
    assert account.proxy.seen == []


def test_a_profile_that_is_not_there(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is in the message."""
    monkeypatch.setenv("AWS_PROFILE", "nope")
    error = describe(Gateway.open(AWS, os.environ))
    assert error.problem == "there is no AWS profile `nope`"
    assert account.proxy.seen == []


def test_a_profile_brings_credentials_and_the_spec_the_region(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`aws.region` wins over the profile's and the environment's."""
    config = tmp_path / "config"
    config.write_text(
        "[profile team]\nregion = eu-west-1\n"
        "aws_access_key_id = fromprofile\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "team")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    describe(Gateway.open(Aws(region="eu-central-1"), os.environ))
    describe(Gateway.open(None, os.environ))
    monkeypatch.delenv("AWS_REGION")
    describe(Gateway.open(None, os.environ))
    assert [s.region for s in account.proxy.seen] == ["eu-central-1", "ap-south-1", "eu-west-1"]
    assert "Credential=fromprofile/" in account.proxy.seen[0].headers["authorization"]


def test_a_role_of_a_profile_is_assumed(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As boto3 does it: AssumeRole with the source profile, then the role's credentials."""
    config = tmp_path / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = base\naws_secret_access_key = secret\n"
        "[profile prod]\nrole_arn = arn:aws:iam::123456789012:role/prod\nsource_profile = base\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "prod")
    describe(Gateway.open(AWS, os.environ))
    assert account.proxy.operations() == ["AssumeRole", "DescribePipeline"]
    assert "x-amz-security-token" in account.proxy.seen[1].headers


def test_a_role_that_may_not_be_assumed(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The refusal comes from STS, before the call that was meant."""
    config = tmp_path / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = base\naws_secret_access_key = secret\n"
        "[profile prod]\nrole_arn = arn:aws:iam::123456789012:role/prod\nsource_profile = base\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "prod")
    message = (
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole "
        "on resource: arn:aws:iam::123456789012:role/prod"
    )
    account.proxy.faults.append(Fault("AssumeRole", refusal("AccessDenied", message, 403), -1))
    error = describe(Gateway.open(AWS, os.environ))
    assert error.problem == (
        "AWS refused sts:AssumeRole on arn:aws:iam::123456789012:role/prod "
        "to arn:aws:iam::123456789012:user/me"
    )


def test_access_denied_names_action_and_resource(account: Account, gateway: Gateway) -> None:
    """Taken from the service's message."""
    message = (
        "User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: "
        "sagemaker:DescribePipeline on resource: arn:aws:sagemaker:us-east-1:123456789012:"
        "pipeline/churn because no identity-based policy allows the "
        "sagemaker:DescribePipeline action"
    )
    account.proxy.faults.append(Fault("*", refusal("AccessDeniedException", message), -1))
    error = describe(gateway)
    assert error.is_denied
    assert error.problem == (
        "AWS refused sagemaker:DescribePipeline on "
        "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn "
        "to arn:aws:sts::123456789012:assumed-role/dev/me"
    )
    assert "allow sagemaker:DescribePipeline" in (error.remedy or "")


def test_access_denied_to_an_object_names_it(account: Account, gateway: Gateway) -> None:
    """S3 says nothing but 403 to HeadObject: action and object are our own knowledge."""
    account.proxy.faults.append(Fault("HeadObject", refusal("AccessDenied", status=403), -1))
    error = refused(lambda: gateway.call("s3", "head_object", Bucket="ours", Key="a/b"))
    assert error.is_denied
    assert error.problem == "AWS refused s3:GetObject on s3://ours/a/b"
    assert "s3:ListBucket" in (error.remedy or "")


def test_a_bucket_that_is_not_there(account: Account, gateway: Gateway) -> None:
    """The command that makes it is in the help."""
    del account
    error = refused(lambda: gateway.upload("nobodys", "key", b""))
    assert error.problem == "there is no bucket nobodys"
    assert "aws s3 mb s3://nobodys --region us-east-1" in (error.remedy or "")


def test_a_list_is_read_to_its_end(account: Account, gateway: Gateway) -> None:
    """More than a page of objects, by boto3's paginator."""
    s3 = account.client("s3")
    for number in range(5):
        s3.put_object(Bucket="ours", Key=f"k{number}")
    pages = gateway.pages("s3", "list_objects_v2", "Contents", Bucket="ours", MaxKeys=2)
    assert [entry["Key"] for entry in pages] == [f"k{n}" for n in range(5)]
    assert len(account.proxy.seen) == 3


def test_an_unknown_region_is_told_at_once(account: Account) -> None:
    """Its partition cannot be known; one of the spec was checked before."""
    del account
    error = refused(lambda: Gateway.open(None, {**os.environ, "AWS_REGION": "mars"}).partition)
    assert "mars" in error.problem


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_partition_follows_from_the_region(region: str, partition: str) -> None:
    """China and GovCloud have ARNs of their own."""
    assert Gateway.open(Aws(region=region), {}).partition == partition


def test_without_a_region_the_help_says_where_to_write_one(account: Account) -> None:
    """Only a command without a spec can get here."""
    del account
    error = refused(lambda: Gateway.open(None, {}))
    assert "aws: {region" in (error.remedy or "")
