"""What the jobs of a run read and wrote, as the role that each of them had."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.infra.policies import policies
from pipelines.json_types import Json, JsonObject
from tests.iam.evaluator import Request, allowed
from tests.local.e2e.tiny_project import Project

ROLES = {
    key: f"arn:aws:iam::111122223333:role/{key}" for key in ("role", "job_role", "deploy_role")
}
ACCOUNT = "".join(f"  {key}: {arn}\n" for key, arn in ROLES.items())


def _jobs(project: Project) -> Iterator[JsonObject]:
    """Yield the description of every job that ran."""
    with sqlite3.connect(project.home / "state.db") as state:
        rows = state.execute(
            "SELECT properties FROM steps WHERE type IN ('Processing', 'Training')"
        )
        for (properties,) in rows:
            yield json.loads(properties)


def _uris(value: Json, *names: str) -> Iterator[str]:
    """Yield the URIs below members with one of these names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in names:
                yield from _uris({"S3Uri": inner}, *names) if isinstance(inner, dict) else [inner]
            else:
                yield from _uris(inner, *names)
    elif isinstance(value, list):
        for inner in value:
            yield from _uris(inner, *names)


def _objects(project: Project, uri: str) -> list[str]:
    """List the ARNs of the objects in the store whose key begins with a URI's."""
    store = project.home / "s3"
    keys = (path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file())
    return [f"arn:aws:s3:::{key}" for key in keys if f"s3://{key}".startswith(uri)]


def _asked(project: Project) -> Iterator[tuple[str, Request]]:
    for job in _jobs(project):
        role = job["RoleArn"]
        inputs = [*job.get("ProcessingInputs", []), *job.get("InputDataConfig", [])]
        for uri in _uris(inputs, "S3Uri"):
            yield from ((role, Request("s3:GetObject", one)) for one in _objects(project, uri))
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            yield role, Request("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
        outputs = [job.get("ProcessingOutputConfig", {}), job.get("OutputDataConfig", {})]
        for uri in _uris(outputs, "S3Uri", "S3OutputPath"):
            yield from ((role, Request("s3:PutObject", one)) for one in _objects(project, uri))


def test_jobs_may_do_what_they_did_and_every_permission_was_used(project: Project) -> None:
    """With the policies of `ci permissions`; without any of their actions on S3 one is denied."""
    project.edit("pipeline: tiny\n", f"pipeline: tiny\naws:\n  bucket: team\n{ACCOUNT}")
    ended = project.run("run")
    assert ended.code == 0, ended.text
    file = Path(project.folder / "pipeline.yaml")
    environ = {**os.environ, "RAN": str(project.ran)}
    result = compile_spec(CompileRequest(file, None, environ))
    assert result.compiled is not None
    assert result.checked.graph is not None
    assert result.checked.graph.spec.aws is not None
    made = {one.arn: one for one in policies(result.compiled, result.checked.graph.spec.aws)}
    asked = list(_asked(project))
    assert {role for role, _ in asked} == {ROLES["job_role"], ROLES["deploy_role"]}
    denied = [(r, one) for r, one in asked if not allowed(one, [made[r].document()])]
    assert denied == []
    for role in (ROLES["job_role"], ROLES["deploy_role"]):
        used = {one.action for principal, one in asked if principal == role}
        assert used == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
        for statement in made[role].statements:
            if statement.actions[0] in used:
                rest = [one.document() for one in made[role].statements if one != statement]
                document = {"Version": "2012-10-17", "Statement": rest}
                own = [one for principal, one in asked if principal == role]
                assert not all(allowed(one, [document]) for one in own)
