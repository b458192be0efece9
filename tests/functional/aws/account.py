"""The account that tests look into: with a client of its own, past the proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from typing import Any

from tests.functional.aws.mends import PipelineMends
from tests.functional.aws.proxy import Proxy

ACCOUNT = "123456789012"
"""moto's own."""

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of moto's.

    Args:
        proxy: what the tool calls.
        mends: what moto was taught about pipelines.
        environment: what a process needs to get here.
    """

    proxy: Proxy
    mends: PipelineMends
    environment: Mapping[str, str]

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a client that the proxy does not see."""
        return _client(service, region, *self.proxy.moto)

    def empty(self) -> None:
        """Take everything away."""
        connection = HTTPConnection(*self.proxy.moto)
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200
        connection.close()
        for kept in (self.mends.versions, self.mends.modified, self.mends.created):
            kept.clear()

    def make_bucket(self, name: str, region: str = REGION) -> None:
        """Make a bucket."""
        place = {"LocationConstraint": region}
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": place}
        self.client("s3", region).create_bucket(Bucket=name, **where)

    def keys(self, bucket: str) -> list[str]:
        """List the keys of a bucket."""
        found = self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        return [entry["Key"] for entry in found]

    def pipeline(self, name: str) -> Any:
        """Describe a pipeline."""
        return self.client("sagemaker").describe_pipeline(PipelineName=name)

    def tags(self, arn: str) -> dict[str, str]:
        """Read the tags of something of SageMaker's."""
        found = self.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}


@cache
def _client(service: str, region: str, host: str, port: int) -> Any:
    """Make a client; it takes a tenth of a second, and holds no state of a test."""
    import botocore.session  # noqa: PLC0415 - takes a while

    return botocore.session.Session().create_client(
        service,
        region_name=region,
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="secret",
    )
