"""A compiled pipeline → the IAM permissions that its roles need.

The role of the pipeline starts the steps; a job runs with the role that its request names. What
starting a step takes is declared on its Type, what a program calls by the program itself
(`programs`), and what every job needs in `steptypes/job_role.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipelines import programs
from pipelines.compile.model import Compiled
from pipelines.definition.named import known_beginning
from pipelines.definition.needs import images_of, sources_of
from pipelines.definition.steps import Step, take_apart
from pipelines.frozen import frozen
from pipelines.json_types import Json
from pipelines.spec.model import Aws
from pipelines.steptypes.job_role import ACTIONS, JobResource
from pipelines.steptypes.places import below
from pipelines.steptypes.steptype import StepType

_PASSING = "iam:PassRole"
_REPOSITORY = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^:@]+)")


@frozen
class Permission:
    """An action that a role has to be allowed.

    Args:
        role: the ARN of the role.
        step: the step that needs it.
        action: the IAM action.
        resources: ARNs that it is on, with `*` for what is known only when the pipeline runs;
            none where it is on no resource, or on one that is not known.
    """

    role: str
    step: str
    action: str
    resources: tuple[str, ...] = ()


def permissions(compiled: Compiled, aws: Aws) -> tuple[Permission, ...]:
    """Return what the roles of a pipeline need, in the order of its definitions' steps."""
    derivation = _Derivation(compiled, aws)
    found = [
        permission
        for definition in compiled.definitions.values()
        for step in take_apart(json.loads(definition)).steps
        for permission in derivation.of(step)
    ]
    return tuple(dict.fromkeys(found))


class _Derivation:
    def __init__(self, compiled: Compiled, aws: Aws) -> None:
        self._aws = aws
        self._programs = {asset.uri: asset.job.program for asset in compiled.code}
        _, self._partition, _, _, self._account, *_ = aws.role.split(":")
        self._prefix = f"{aws.bucket}/{compiled.pipeline}"

    def of(self, step: Step) -> Iterator[Permission]:
        """Yield what a step needs: of the pipeline's role, then of the role of its job."""
        known = step.known
        if known is None:
            return
        roles = [role for place in known.job_roles for _, role in below(step.arguments, place)]
        named = tuple(role for role in roles if isinstance(role, str))
        for action in known.permissions:
            resources = named if action == _PASSING else ()
            yield Permission(self._aws.role, step.name, action, resources)
        for role in named:
            for action, resource in ACTIONS.items():
                resources = tuple(self._of_job(step, known, resource))
                if resources or resource == "any":
                    yield Permission(role, step.name, action, resources)
            yield from self._of_program(step, role)

    def _of_job(self, step: Step, known: StepType, resource: JobResource) -> Iterator[str]:
        """Yield the ARNs of what a job uses."""
        reads = list(_inputs(step))
        writes = [uri for uri in _locations(step.arguments) if uri not in reads]
        match resource:
            case "any":
                return
            case "images":
                found = map(_REPOSITORY.match, images_of(step))
                yield from (self._repository(one) for one in found if one is not None)
            case "logs":
                group = known.resource.log_group if known.resource else None
                if group is not None:
                    yield self._arn("logs", f"log-group:{group}*")
            case "inputs":
                yield from (self._object(uri) for uri in reads)
            case "outputs":
                yield from (self._object(uri) for uri in writes)
            case "buckets":
                buckets = {uri.removeprefix("s3://").partition("/")[0] for uri in reads + writes}
                yield from (f"arn:{self._partition}:s3:::{bucket}" for bucket in sorted(buckets))

    def _of_program(self, step: Step, role: str) -> Iterator[Permission]:
        """Yield what the built-in program of a step calls."""
        for uri in _inputs(step):
            program = self._programs.get(uri)
            if program is None:
                continue
            for action, nouns in programs.declaration(program).actions.items():
                yield Permission(role, step.name, action, tuple(map(self._named, nouns)))

    def _named(self, noun: str) -> str:
        """Return the ARN of a resource that a program declares."""
        if noun == "role":
            return self._aws.role
        if noun == "bucket":
            return f"arn:{self._partition}:s3:::{self._aws.bucket}"
        if noun.endswith("/"):
            return f"arn:{self._partition}:s3:::{self._prefix}/{noun}*"
        return self._arn("sagemaker", f"{noun}/*")

    def _arn(self, service: str, resource: str) -> str:
        region = self._aws.region
        return f"arn:{self._partition}:{service}:{region}:{self._account}:{resource}"

    def _object(self, uri: str) -> str:
        return f"arn:{self._partition}:s3:::{uri.removeprefix('s3://')}*"

    def _repository(self, found: re.Match[str]) -> str:
        account, region, name = found.groups()
        return f"arn:{self._partition}:ecr:{region}:{account}:repository/{name}"


def _inputs(step: Step) -> Iterator[str]:
    """Yield what is known of the URIs that a step reads."""
    known = (known_beginning(source) for _, source in sources_of(step))
    return (uri for uri in known if uri.startswith("s3://"))


def _locations(value: Json, key: str = "") -> Iterator[str]:
    """Yield what is known of every URI in a member that is named as S3's are."""
    if key.startswith("S3") and known_beginning(value).startswith("s3://"):
        yield known_beginning(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _locations(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _locations(inner)
