"""boto3's clients for a local SageMaker: its URL, nothing of the user's credentials or profile."""

from __future__ import annotations

import os
from typing import Any

from pipelines.errors import UsageError
from pipelines.frozen import frozen

_REGION = "us-east-1"
_ANY = "local"
_READ_SECONDS = 120


@frozen
class Clients:
    """boto3 clients of one place; `runtime` is sagemaker-runtime's."""

    sagemaker: Any
    runtime: Any
    s3: Any
    sts: Any
    logs: Any


def clients(url: str, region: str = _REGION) -> Clients:
    """Make clients for the API at a URL.

    Raises:
        UsageError: boto3 is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - costs a quarter of a second
        import botocore.session  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            "talking to the local SageMaker needs boto3",
            "pip install 'sagemaker-pipelines-as-code[serve]'",
        ) from error
    bare = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    for file in ("config_file", "credentials_file"):
        bare.set_config_variable(file, os.devnull)
    bare.set_credentials(_ANY, _ANY)
    session: Any = boto3.Session(botocore_session=bare, region_name=region)
    config = Config(
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
        proxies={},
        s3={"addressing_style": "path"},
    )
    names = ("sagemaker", "sagemaker-runtime", "s3", "sts", "logs")
    made = [session.client(name, endpoint_url=url, config=config) for name in names]
    return Clients(*made)
