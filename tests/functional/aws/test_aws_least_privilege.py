"""What `plan`, `upsert` and `start --wait` call, as the role of a build that may do just that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.execution import following
from pipelines.infra.commands import planning, releasing
from pipelines.infra.model import Environment
from pipelines.infra.policies import RolePolicy, Statement
from tests.functional.aws.account import ACCOUNT, REGION, Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import mend, write_log
from tests.functional.aws.project import add_deployment, edit
from tests.functional.aws.seen import Seen
from tests.functional.aws.test_aws_start import BADLY, GROUP, JOB
from tests.iam.calls import needs
from tests.iam.evaluator import Request, allowed

PLACE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once instead of every few seconds."""
    monkeypatch.setattr(following, "_SECONDS", 0.01)


def _asked(seen: Seen) -> Iterator[Request]:
    """Yield what IAM is asked for a request."""
    if seen.service == "sts":
        return  # GetCallerIdentity takes no permission
    if seen.service == "s3":
        bucket = unquote(urlsplit(seen.path).path).lstrip("/").partition("/")[0]
        request = {"Bucket": bucket, "Key": seen.key}
    else:
        request = seen.json()
    yield from needs(seen.service, seen.operation, request, PLACE)


def _environment(project: Path) -> Environment:
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, os.environ))
    assert result.compiled is not None
    assert result.checked.graph is not None
    return Environment(None, result.checked.graph.spec, result.compiled)


def _document(statements: tuple[Statement, ...]) -> dict[str, object]:
    return RolePolicy("build", None, statements, {}).document()


def _called(account: Account) -> list[Request]:
    return [one for seen in account.proxy.seen for one in _asked(seen)]


def test_a_plan_reads_what_its_role_may_read(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Before there is anything, and when all is there."""
    add_deployment(project)
    assert pipelines("plan").code == 0
    assert pipelines("upsert", "--yes").code == 0
    account.proxy.seen.clear()
    assert pipelines("plan").code == 0
    called = _called(account)
    assert len(called) > 5
    document = _document(planning(_environment(project)))
    assert [one for one in called if not allowed(one, [document])] == []


@pytest.fixture
def released(account: Account, project: Path, pipelines: Command) -> tuple[Account, Path]:
    """Release twice, with a change in between, and follow an execution that fails."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    edit(project / "pipeline.yaml", "tags: {team: ml}", "tags: {unit: ml}")
    assert pipelines("upsert", "--yes").code == 0
    mend(account, BADLY)
    write_log(account, GROUP, f"{JOB}-0/algo-1", ["it", "broke"])
    assert pipelines("start", "--wait").code == 5
    return account, project


def test_a_release_does_what_its_role_may_do(released: tuple[Account, Path]) -> None:
    """Creating, updating, tags, uploads, starting, following, logs."""
    account, project = released
    called = _called(account)
    document = _document(releasing(_environment(project)))
    assert [one for one in called if not allowed(one, [document])] == []


def test_without_a_statement_that_serves_a_call_one_is_denied(
    released: tuple[Account, Path],
) -> None:
    """Each statement that allows a call that was made is needed for one."""
    account, project = released
    called = _called(account)
    statements = releasing(_environment(project))
    for statement in statements:
        others = tuple(one for one in statements if one != statement)
        alone = _document((statement,))
        if any(allowed(one, [alone]) for one in called):
            document = _document(others)
            assert not all(allowed(one, [document]) for one in called), statement


def test_a_build_may_not_do_what_it_has_not_to_do(project: Path) -> None:
    """It approves nothing, changes no endpoint, passes only the pipeline's role."""
    add_deployment(project)
    document = _document(releasing(_environment(project)))
    package = f"{PLACE}model-package/churn-models/1"
    attacks = [
        *needs("sagemaker", "UpdateModelPackage", {"ModelPackageArn": package}, PLACE),
        *needs("sagemaker", "DeleteEndpoint", {"EndpointName": "churn"}, PLACE),
        *needs("sagemaker", "UpdatePipeline", {"PipelineName": "other"}, PLACE),
        Request("s3:PutObject", "arn:aws:s3:::team-bucket/churn/packages/a"),
        Request("s3:PutObject", "arn:aws:s3:::team-bucket/churn/deployments/churn/a.json"),
    ]
    for name, service in (("deployer", "sagemaker"), ("jobs", "lambda")):
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        attacks.append(
            Request("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})
        )
    assert [one for one in attacks if allowed(one, [document])] == []
