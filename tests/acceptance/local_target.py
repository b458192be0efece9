"""The local SageMaker as a target: served over HTTP, with stock boto3 clients in front of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.backends.local.api import running
from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.sagemaker import LocalSageMaker
from tests.acceptance.target import Target

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


@contextmanager
def local_target(home: Path) -> Iterator[Target]:
    """Serve an empty local SageMaker while the context is open."""
    import boto3  # noqa: PLC0415 - takes a while
    from botocore.config import Config  # noqa: PLC0415 - takes a while

    settings = LocalSettings(home, Path(sys.executable))
    with LocalSageMaker(settings) as sagemaker, running(sagemaker, execute=True) as api:

        @cache
        def client(service: str) -> Any:
            make: Any = boto3.client
            return make(
                service,
                region_name="us-east-1",
                endpoint_url=api.url,
                aws_access_key_id="any",
                aws_secret_access_key="any",
                config=Config(retries={"max_attempts": 1}),
            )

        target = Target(
            prefix="acceptance",
            role="arn:aws:iam::000000000000:role/acceptance",
            bucket="acceptance",
            image=IMAGE,
            client=client,
            delay=0.05,
            patience=30,
        )
        client("s3").create_bucket(Bucket=target.bucket)
        yield target
