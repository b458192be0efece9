"""The only module that talks to AWS: one call in, one response or one `CallRefusedError` out.

The local SageMaker's HTTP API is reached through the same object (`Gateway.local`), so that a
command knows no difference.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pipelines.backends.aws.attempt import CallAttempt
from pipelines.backends.aws.errors import translate
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.extras import DISTRIBUTION, how_to_install
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.spec.model import Aws

_ATTEMPTS = 5
_LARGE = 16 << 20
"""Bytes; larger files go up in parts."""

_LOCAL_REGION = "us-east-1"
_LOCAL_NAME = "local"


@frozen
class GatewaySettings:
    """Where a gateway's calls go, and how objects are stored there.

    Args:
        region: AWS region.
        profile: name of the profile in use, None for the default; for messages.
        kms_key: key that uploads are encrypted with, None for the bucket's default.
        is_local: whether it is the local SageMaker.
    """

    region: str
    profile: str | None = None
    kms_key: str | None = None
    is_local: bool = False


class Gateway:
    """An account in a region.

    Args:
        session: botocore's session; it knows the credentials.
        settings: where the calls go.
        options: what every client is made with besides its service.
    """

    def __init__(self, session: Any, settings: GatewaySettings, options: Mapping[str, Any]) -> None:
        self.region = settings.region
        self.is_local = settings.is_local
        self.settings = settings
        self._session = session
        self._options = options
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()
        self._account: str | None = None

    @classmethod
    def open(cls, aws: Aws | None, environ: Mapping[str, str]) -> Self:
        """Open the account that the environment's credentials belong to.

        Profiles, SSO and assumed roles are boto3's own; `aws.region` wins over the environment's.

        Raises:
            CallRefusedError: there is no such profile, or no region is known.
            UsageError: boto3 is not installed.
        """
        session = _session()
        profile = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE")
        asked = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        attempt = CallAttempt("botocore", "open", {}, asked or "", profile)
        with translate(attempt):
            if profile:
                session.set_config_variable("profile", profile)
            region = aws.region if aws else asked or session.get_config_variable("region")
        if not region:
            raise CallRefusedError(
                "no AWS region is configured",
                "write `aws: {region: …}` into the spec, or set AWS_REGION",
                code="NoRegion",
            )
        return cls(
            session,
            GatewaySettings(region, profile, aws.kms_key if aws else None),
            {"config": _config(_ATTEMPTS)},
        )

    @classmethod
    def local(cls, url: str, key: tuple[str, str] = (_LOCAL_NAME, _LOCAL_NAME)) -> Self:
        """Open the local SageMaker behind its HTTP API; no credential or profile is looked at.

        Args:
            url: where it is.
            key: the access key and the secret key that its callers sign with.
        """
        session = _session()
        session.session_var_map["profile"] = (None, None, None, None)
        for files in ("config_file", "credentials_file"):
            session.set_config_variable(files, os.devnull)
        session.set_credentials(*key)
        options = {"config": _config(1), "endpoint_url": url}
        return cls(session, GatewaySettings(_LOCAL_REGION, is_local=True), options)

    @property
    def kms_key(self) -> str | None:
        """The key that uploads are encrypted with; None for the bucket's default."""
        return self.settings.kms_key

    @property
    def partition(self) -> str:
        """The partition of the region: aws, aws-cn, aws-us-gov and so on."""
        with translate(self._attempt("botocore", "partition", {})):
            return str(self._session.get_partition_for_region(self.region))

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Call an operation, named in snake_case.

        Raises:
            CallRefusedError: it was refused, or AWS was not reached, after the retries.
        """
        with translate(self._attempt(service, operation, request)):
            response: JsonObject = getattr(self._client(service), operation)(**request)
        response.pop("ResponseMetadata", None)
        return response

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """Yield the entries of a list operation, page after page.

        Args:
            service: as in `call`.
            operation: as in `call`.
            member: the response's member that holds the entries.
            request: the operation's arguments.
        """
        attempt = self._attempt(service, operation, request)
        with translate(attempt):
            client = self._client(service)
            pageable = client.can_paginate(operation)
            paged = iter(client.get_paginator(operation).paginate(**request)) if pageable else None
        if paged is None:
            yield from self._by_token(service, operation, member, request)
            return
        while True:
            with translate(attempt):
                page = next(paged, None)
            if page is None:
                return
            yield from page.get(member, ())

    def upload(self, bucket: str, key: str, body: bytes | Path) -> None:
        """Write an object: encrypted as the spec wants it, and only into the account's own bucket.

        Raises:
            CallRefusedError: it was refused.
        """
        extra = {**self.owned(), **self._encryption()}
        if isinstance(body, bytes):
            self.call("s3", "put_object", Bucket=bucket, Key=key, Body=body, **extra)
        elif body.stat().st_size <= _LARGE:
            with body.open("rb") as stream:
                self.call("s3", "put_object", Bucket=bucket, Key=key, Body=stream, **extra)
        else:
            self._upload_in_parts(bucket, key, body, extra)

    def download(self, bucket: str, key: str, last: int | None = None) -> bytes:
        """Read an object, or the last so many bytes of it.

        Raises:
            CallRefusedError: it was refused, or is not there (`is_missing`).
        """
        request = {"Bucket": bucket, "Key": key, **self.owned()}
        if last is not None:
            request["Range"] = f"bytes=-{last}"
        with translate(self._attempt("s3", "get_object", request)):
            content: bytes = self._client("s3").get_object(**request)["Body"].read()
        return content

    @contextmanager
    def clients(self, *services: str) -> Iterator[tuple[Any, ...]]:
        """Lend botocore's clients to code that calls them itself; its refusals get advice too.

        Raises:
            CallRefusedError: a call was refused, or AWS was not reached.
        """
        from botocore import xform_name  # noqa: PLC0415 - costs a tenth of a second
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above

        try:
            yield tuple(self._client(service) for service in services)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            operation = xform_name(getattr(error, "operation_name", "call"))
            with translate(self._attempt(services[0], operation, {})):
                raise

    def account_id(self) -> str:
        """Return the account's id; asked once.

        Raises:
            CallRefusedError: the credentials do not hold.
        """
        with self._lock:
            if self._account is None:
                self._account = str(self.call("sts", "get_caller_identity")["Account"])
            return self._account

    def owned(self) -> dict[str, str]:
        """Return the argument that makes S3 refuse a bucket of another account."""
        return {} if self.is_local else {"ExpectedBucketOwner": self.account_id()}

    def _encryption(self) -> dict[str, str]:
        key = self.settings.kms_key
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}

    def _by_token(
        self, service: str, operation: str, member: str, request: JsonObject
    ) -> Iterator[JsonObject]:
        token: dict[str, str] = {}
        while True:
            response = self.call(service, operation, **request, **token)
            yield from response.get(member, ())
            if not response.get("NextToken"):
                return
            token = {"NextToken": response["NextToken"]}

    def _upload_in_parts(self, bucket: str, key: str, body: Path, extra: dict[str, str]) -> None:
        from boto3.s3.transfer import TransferConfig, create_transfer_manager  # noqa: PLC0415 - only for large files

        attempt = self._attempt("s3", "put_object", {"Bucket": bucket, "Key": key})
        with (
            translate(attempt),
            create_transfer_manager(self._client("s3"), TransferConfig()) as manager,
        ):
            manager.upload(str(body), bucket, key, extra).result()

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service, region_name=self.region, **self._options
                )
            return self._clients[service]

    def _attempt(self, service: str, operation: str, request: JsonObject) -> CallAttempt:
        who = "the local SageMaker" if self.is_local else "AWS"
        return CallAttempt(service, operation, request, self.region, self.settings.profile, who)


def _session() -> Any:
    """Make botocore's session; boto3 is asked for too, which `aws` installs."""
    try:
        import botocore.session  # noqa: PLC0415 - costs a tenth of a second
    except ImportError as error:
        raise UsageError(
            "talking to SageMaker needs boto3",
            how_to_install("aws"),
        ) from error
    return botocore.session.Session()


def _config(attempts: int) -> Any:
    """Return how long a call may take, and that it is retried with growing, random pauses."""
    from botocore.config import Config  # noqa: PLC0415 - costs a tenth of a second

    return Config(
        connect_timeout=5,
        read_timeout=60 if attempts > 1 else 300,  # here a cold start may have to be waited for
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=32,
        user_agent_extra=DISTRIBUTION,
        request_checksum_calculation="when_required",
        s3={"addressing_style": "path"} if attempts == 1 else None,
    )
