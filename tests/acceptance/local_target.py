"""The local SageMaker as a target: served over HTTP, with stock boto3 clients in front of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.backends.local.api import running
from pipelines.backends.local.events.model import events_of
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from tests.acceptance.target import Target

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


@frozen
class Outbox:
    """The changes that the state has recorded."""

    sagemaker: LocalSageMaker

    def new(self) -> list[JsonObject]:
        """Return the events of the changes that wait, and remove these."""
        settings, changes = self.sagemaker.settings, self.sagemaker.changes
        waiting = changes.waiting()
        for one in waiting:
            changes.remove(one.number)
        each = (events_of(one, settings.account, settings.region) for one in waiting)
        return [event for events in each for event in events]


@contextmanager
def received_here(sagemaker: LocalSageMaker) -> Iterator[Outbox]:
    """Record changes, as `serve --rules` does, while the context is open."""
    sagemaker.changes.watch()
    try:
        yield Outbox(sagemaker)
    finally:
        sagemaker.changes.forget()


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
            receives=lambda: received_here(sagemaker),
        )
        client("s3").create_bucket(Bucket=target.bucket)
        yield target
