"""What IAM is asked for the requests that a proxy saw, and what policies answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.infra.model import Environment
from pipelines.infra.policies import Statement, document
from tests.functional.aws.account import ACCOUNT, REGION, Account
from tests.functional.aws.seen import Seen
from tests.iam.calls import needs
from tests.iam.evaluator import Request, allowed

PLACE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


def called(account: Account, region: str | None = None) -> list[Request]:
    """Return what IAM was asked since the proxy was cleared, in one region or in all."""
    requests = [one for one in account.proxy.seen if region in {None, one.region}]
    return [one for seen in requests for one in _asked(seen)]


def environment_of(project: Path, name: str | None = None) -> Environment:
    """Compile a project, without or with `--env`."""
    result = compile_spec(CompileRequest(project / "pipeline.yaml", name, os.environ))
    assert result.compiled is not None
    assert result.checked.graph is not None
    return Environment(name, result.checked.graph.spec, result.compiled)


def denied(requests: list[Request], statements: tuple[Statement, ...]) -> list[Request]:
    """Return the requests that a policy of these statements does not allow."""
    policy = document(statements)
    return [one for one in requests if not allowed(one, [policy])]


def needless(requests: list[Request], statements: tuple[Statement, ...]) -> list[str]:
    """Return the statements that allow a request, and without which none is denied."""
    return [
        one.sid
        for one in statements
        if len(denied(requests, (one,))) < len(requests)
        and not denied(requests, tuple(other for other in statements if other != one))
    ]


def _asked(seen: Seen) -> Iterator[Request]:
    """Yield what IAM is asked for a request."""
    if seen.service == "sts" or not seen.operation:
        return  # a layer is uploaded without credentials, and GetCallerIdentity takes no permission
    if seen.service == "s3":
        parts = urlsplit(seen.path)
        bucket = unquote(parts.path).lstrip("/").partition("/")[0]
        request = {"Bucket": bucket, "Key": seen.key}
        if "prefix" in (query := parse_qs(parts.query)):
            request["Prefix"] = query["prefix"][0]
    else:
        request = seen.json()
    yield from needs(seen.service, seen.operation, request, PLACE.replace(REGION, seen.region))
