"""The local SageMaker behind its HTTP API, and stock boto3 clients in front of it."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.backends.local.api import running
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from tests.service_models import parsed_once

ROLE = "arn:aws:iam::000000000000:role/x"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
SERVE = """\
def model_fn(model_dir):
    return None
def transform_fn(model, body, content_type, accept):
    body = body.encode() if isinstance(body, str) else body
    return f"{len(body)} bytes of {content_type}", "text/plain"
"""


@dataclass(frozen=True)
class Served:
    """A local SageMaker and where it serves."""

    sagemaker: LocalSageMaker
    url: str

    def client(self, service: str) -> Any:
        """Make a boto3 client as a user makes one, but for retries."""
        client: Any = boto3.client
        return client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"max_attempts": 1}),
        )

    def archive(self, uri: str, code: str, name: str = "code/inference.py") -> str:
        """Write an archive with one file, as of a model with its serving code; return its URI."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(code)
            archive.addfile(entry, io.BytesIO(code.encode()))
        self.sagemaker.objects.put_bytes(uri, buffer.getvalue())
        return uri

    def package(self, group: str, approval: str = "Approved") -> str:
        """Register a version with a model that tells how long a request is; return its ARN."""
        model = self.archive("s3://b/model.tar.gz", SERVE)
        client = self.client("sagemaker")
        listed = client.list_model_package_groups(NameContains=group)
        if not listed["ModelPackageGroupSummaryList"]:
            client.create_model_package_group(ModelPackageGroupName=group)
        created = client.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/plain"],
            },
        )
        return str(created["ModelPackageArn"])

    def config(self, name: str, **variant: object) -> None:
        """Create a model of an approved package, and an endpoint config that serves it."""
        client = self.client("sagemaker")
        container = {"ModelPackageName": self.package(f"of-{name}")}
        client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        size = variant or {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants = [{"VariantName": "A", "ModelName": name, **size}]
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_parsed_once() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve an empty local SageMaker."""
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    with LocalSageMaker(settings) as sagemaker, running(sagemaker) as api:
        yield Served(sagemaker, api.url)


def refusal(operation: Callable[..., Any], **request: object) -> tuple[str, str, int]:
    """Return code, message and HTTP status of the error that a call must raise."""
    with pytest.raises(ClientError) as caught:
        operation(**request)
    response = caught.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return response["Error"]["Code"], response["Error"]["Message"], status
